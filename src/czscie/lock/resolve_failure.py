"""Why pip found no distribution: what its log says about the project that it missed.

The lines are those of pip 20.3 to 26 (`pip/_internal/index/collector.py` and `package_finder.py`).
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import unquote, urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.tags import Tag
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version

from czscie.czex.target import Target
from czscie.errors import Code
from czscie.platforms import ANY_GLIBC, GlibcVersion

_UNSATISFIED = re.compile(r"ERROR: No matching distribution found for (.+)$")
_REQUIRED_BY = re.compile(
    r"ERROR: Could not find a version that satisfies the requirement .+? \(from (?!versions)(?!-r )([^()]+)\)"
)
_FOUND = re.compile(r"Found link (\S+)(?: \(from .*)?, version: (\S+)$")
_NOT_TRUSTED = re.compile(r"The repository located at (\S+) is not a trusted or secure host")
_PLACES = re.compile(r"Looking in links: (.+)$")
_NOT_FETCHED = re.compile(r"Could not fetch URL (\S+): (.*) - skipping$")
_STATUS = re.compile(r"(\d{3}) (?:Client|Server) Error|too many (\d{3}) error responses")
_CAUSE = re.compile(r"(?:\[Errno -?\d+\] |: )([A-Z][\w ]+)'?\)")
#: pip names each file of a directory once: among those of the first project that it looks for.
_SKIPPED = re.compile(
    r"Skipping link: (?:none of the wheel's tags .*?|wrong project name \(not \S+\)): (\S+\.whl)(?:#| |$)"
)
_WRONG_PYTHON = re.compile(
    r"Link requires a different Python \(\S+ not in: ?'([^']*)'\): (\S+\.whl)(?:#| |$)"
)
_METADATA = re.compile(r"Package '([^']+)' requires a different Python: \S+ not in '([^']*)'")
_SOURCE = re.compile(r"Skipping link: No sources permitted for (\S+): (\S+)")
_MANYLINUX = re.compile(r"manylinux_(\d+)_(\d+)_")
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_CPYTHON = re.compile(r"cp3(\d+)")
_NAMES = 6
#: Beyond the minor versions of Python 3 and their patch releases.
_MINORS, _PATCH = 50, 99


@dataclass(frozen=True, slots=True)
class ResolveFailure:
    """Why a resolve failed, and what mends it: with a manifest the `hint` and without one the `option`, if
    that differs.

    `is_final` is whether it fails for all versions and platforms, `is_everywhere` whether it fails for all
    projects, too. `projects` are the normalised names of the one that was not found and of the one that
    requires it.
    """

    why: tuple[str, ...]
    hint: str
    is_final: bool = False
    is_everywhere: bool = False
    projects: tuple[str, ...] = ()
    code: Code = Code.RESOLVE_FAILED
    option: str | None = None


@dataclass(frozen=True, slots=True)
class _Wheel:
    """A wheel of an index that does not fit. `requires_python` is set if that is the reason."""

    version: Version
    tags: frozenset[Tag]
    requires_python: str | None


@dataclass(frozen=True, slots=True)
class _Answer:
    """An index that did not serve a project's page: by its status, or the `error` of the connection."""

    host: str
    status: int | None
    error: str


def read_failure(log: str, target: Target, *, no_index: bool = False) -> ResolveFailure | None:
    """What `log`, which pip wrote, says about the first project that it found no version of.

    None if it says nothing. `no_index` is whether a key or an option says to use none.
    """
    lines = log.splitlines()
    found = next(filter(None, map(_UNSATISFIED.search, lines)), None)
    if found is None:
        other = next(filter(None, map(_METADATA.search, lines)), None)
        if other is None:
            return None
        return dataclasses.replace(_other_python(other[1], other[2], target), projects=_projects(other[1]))
    try:
        requirement = Requirement(found[1])
    except InvalidRequirement:
        return None
    answers = tuple(_answers(lines, requirement.name))
    failure = (
        _no_wheel(requirement, lines, target)
        or _unfitting(requirement, tuple(_wheels(lines, requirement, target)), target)
        or _no_version(requirement, _versions(lines, requirement), target)
        or _no_page(requirement, answers)
        or _not_trusted(lines)
        or _no_file(requirement, lines, no_index)
    )
    if failure is None:
        return None
    refused = [] if failure.is_final else [each for each in answers if each.status != 404]
    parent = next(filter(None, map(_REQUIRED_BY.search, lines)), None)
    requires = [] if parent is None else [f"{parent[1]} requires {_bare(requirement)}"]
    return dataclasses.replace(
        failure,
        why=(*failure.why, *map(_described, refused), *requires),
        projects=_projects(requirement.name, *([parent[1]] if parent else [])),
    )


def _projects(*texts: str) -> tuple[str, ...]:
    """The normalised names that the texts begin with."""
    return tuple(canonicalize_name(match[0]) for each in texts if (match := _NAME.match(each)))


def _file(url: str) -> str:
    return unquote(urlsplit(url).path.rpartition("/")[2])


def _versions(lines: Iterable[str], requirement: Requirement) -> list[Version]:
    """The versions of the project that have a wheel for the target."""
    versions = set()
    for line in lines:
        match = _FOUND.search(line)
        if match is None:
            continue
        try:
            name, version, _, _ = parse_wheel_filename(_file(match[1]))
        except (InvalidWheelFilename, InvalidVersion):
            continue
        if name == canonicalize_name(requirement.name):
            versions.add(version)
    return sorted(versions)


def _no_wheel(requirement: Requirement, lines: Iterable[str], target: Target) -> ResolveFailure | None:
    """The failure if a source meets the requirement that may not be built."""
    for match in filter(None, map(_SOURCE.search, lines)):
        try:
            name, version = parse_sdist_filename(_file(match[2]))
        except (InvalidSdistFilename, InvalidVersion):
            continue
        if name == canonicalize_name(requirement.name) and _meets(version, requirement):
            return ResolveFailure(
                (f"{requirement.name} {version} has no wheel for {target.platform.name}, only its source",),
                f'add "{requirement.name}" to build in [lift.payload], or set build = "allow"',
                code=Code.BUILD_NOT_ALLOWED,
            )
    return None


def _meets(version: Version, requirement: Requirement) -> bool:
    return requirement.specifier.contains(version, prereleases=True)


def _not_trusted(lines: Iterable[str]) -> ResolveFailure | None:
    """The failure if the index is not asked, because its URL is not https."""
    for match in filter(None, map(_NOT_TRUSTED.search, lines)):
        return ResolveFailure(
            (f"pip does not trust {match[1]}: its URL is http://",),
            f"use its https:// URL, or set PIP_TRUSTED_HOST={match[1]}",
            is_final=True,
            is_everywhere=True,
        )
    return None


def _answers(lines: Iterable[str], project: str) -> Iterable[_Answer]:
    """The indexes that did not serve the page of `project`, each once."""
    found: dict[_Answer, None] = {}
    for line in lines:
        match = _NOT_FETCHED.search(line)
        if match is None:
            continue
        parts = urlsplit(match[1])
        if canonicalize_name(unquote(parts.path).rstrip("/").rpartition("/")[2]) != canonicalize_name(
            project
        ):
            continue
        status = _STATUS.search(match[2])
        number = None if status is None else int(status[1] or status[2])
        causes = _CAUSE.findall(match[2])
        found[_Answer(parts.hostname or parts.path, number, causes[-1] if causes else match[2])] = None
    return found


def _wheels(lines: Iterable[str], requirement: Requirement, target: Target) -> Iterable[_Wheel]:
    """The wheels that meet `requirement` and do not fit."""
    for line in lines:
        python = _WRONG_PYTHON.search(line)
        url = python[2] if python is not None else (match[1] if (match := _SKIPPED.search(line)) else None)
        if url is None:
            continue
        try:
            name, version, _, tags = parse_wheel_filename(_file(url))
        except (InvalidWheelFilename, InvalidVersion):
            continue
        if name != canonicalize_name(requirement.name) or not _meets(version, requirement):
            continue
        if python is not None or tags.isdisjoint(target.tags):
            yield _Wheel(version, tags, None if python is None else python[1])


def _unfitting(requirement: Requirement, wheels: Sequence[_Wheel], target: Target) -> ResolveFailure | None:
    """The failure if versions meet the requirement, and none has a wheel for the target."""
    if not wheels:
        return None
    newest = max(each.version for each in wheels)
    wheels = [each for each in wheels if each.version == newest]
    what = f"{requirement.name} {newest}"
    for each in wheels:
        if each.requires_python is not None:
            return _other_python(what, each.requires_python, target)
    python = _python(target)
    tags = frozenset(tag for each in wheels for tag in each.tags)
    if (glibc := _needed_glibc(tags, target)) is not None:
        newer = f"{glibc[0]}.{glibc[1]}"
        return ResolveFailure(
            (f"the wheels of {what} for {target.platform.name} need glibc {newer}",),
            f'set glibc = "{newer}" in [lift.payload] if every host has it, or require an older '
            f"{requirement.name}",
            code=Code.WHEELS_LACKING,
        )
    here = set(target.platform.wheel_platforms(ANY_GLIBC))
    pythons = sorted({f"{tag.interpreter}-{tag.abi}" for tag in tags if tag.platform in here})
    if pythons:
        return ResolveFailure(
            (f"{what} has no wheel for {python}, only for {_some(pythons)}",),
            f"choose another version in [[lift.interpreters]], or another {requirement.name}",
            code=Code.WHEELS_LACKING,
            option=f"--python {_newest_python(here, tags) or 'VERSION'}, or another {requirement.name}",
        )
    return ResolveFailure(
        (
            f"{what} has no wheel for {target.platform.name}, only for "
            f"{_some(sorted({tag.platform for tag in tags}))}",
        ),
        f"remove {target.platform.name} from lift.platforms, or build a wheel there and name its "
        "directory in find_links",
        code=Code.WHEELS_LACKING,
        option=f"build for other platforms: --platform NAME; or build a wheel on {target.platform.name} and "
        "name its directory: --find-links DIR",
    )


def _other_python(what: str, requires: str, target: Target) -> ResolveFailure:
    project = what.partition(" ")[0]
    return ResolveFailure(
        (f"{what} requires Python {requires}, and the payload runs with {_python(target)}",),
        f"choose another version in [[lift.interpreters]], or require an older {project}",
        code=Code.PYTHON_REFUSED,
        option=f"--python {_nearest_python(requires, target) or 'VERSION'}, or require an older {project}",
    )


def _newest_python(platforms: Container[str], tags: Iterable[Tag]) -> str | None:
    """The newest CPython that one of `tags` is for, on one of the `platforms`: `3.13`."""
    fitting = [tag.interpreter for tag in tags if tag.platform in platforms]
    found = [match for each in fitting if (match := _CPYTHON.fullmatch(each))]
    return max(((int(match[1]), f"3.{match[1]}") for match in found), default=(0, None))[1]


def _nearest_python(requires: str, target: Target) -> str | None:
    """The minor version of CPython that meets `requires` and is nearest to the one of `target`."""
    try:
        wanted = SpecifierSet(requires)
    except InvalidSpecifier:
        return None
    minor = target.implementation.python_version[1]
    by_distance = sorted(range(_MINORS), key=lambda each: abs(each - minor))
    return next((f"3.{each}" for each in by_distance if wanted.contains(f"3.{each}.{_PATCH}")), None)


def _python(target: Target) -> str:
    return f"{target.implementation.title} {target.implementation.version}"


def _needed_glibc(tags: frozenset[Tag], target: Target) -> GlibcVersion | None:
    """The oldest glibc with which one of `tags` fits, if glibc is all that is missing."""
    fitting = tags.intersection(dataclasses.replace(target, glibc=ANY_GLIBC).tags)
    found = [match for tag in fitting if (match := _MANYLINUX.match(tag.platform))]
    return min(((int(match[1]), int(match[2])) for match in found), default=None)


def _no_version(
    requirement: Requirement, versions: Sequence[Version], target: Target
) -> ResolveFailure | None:
    """The failure if the index has the project, in other versions."""
    if not versions:
        return None
    asked = next((each.version for each in requirement.specifier if each.operator in ("==", "===")), "")
    nearest = max(versions, key=lambda version: (_common(str(version), asked), version))
    return ResolveFailure(
        (f"no version for {target} meets {_bare(requirement)}: there are {_some(list(map(str, versions)))}",),
        f"require {requirement.name}=={nearest}",
    )


def _common(first: str, second: str) -> int:
    """How many leading components two versions have in common."""
    pairs = zip(first.split("."), second.split("."), strict=False)
    return next(
        (number for number, (a, b) in enumerate(pairs) if a != b),
        min(first.count("."), second.count(".")) + 1,
    )


def _no_page(requirement: Requirement, answers: Sequence[_Answer]) -> ResolveFailure | None:
    """The failure if no index served the project's page: the one that may have had it comes first."""
    for answer in sorted(answers, key=lambda each: each.status == 404):
        if answer.status in (401, 403):
            hint = (
                f"put a login for {answer.host} into ~/.netrc, or set PIP_INDEX_URL to "
                f"https://USER:PASSWORD@{answer.host}/…"
            )
        elif answer.status == 404:
            return ResolveFailure(
                (f"{answer.host} has no project {requirement.name}",),
                "check its name, or name the index that has it: PIP_EXTRA_INDEX_URL, or PIP_FIND_LINKS for a "
                "directory of wheels",
                is_final=True,
            )
        elif answer.status is not None:
            hint = "try again later, or set PIP_INDEX_URL to a mirror"
        else:
            hint = (
                "check the network, or set HTTPS_PROXY, PIP_INDEX_URL to a mirror, or PIP_FIND_LINKS to a "
                "directory of wheels"
            )
        return ResolveFailure(
            (_described(answer),), hint, is_final=True, is_everywhere=True, code=Code.UNREACHABLE
        )
    return None


def _no_file(requirement: Requirement, lines: Sequence[str], no_index: bool) -> ResolveFailure | None:
    """The failure if pip uses no index, and none of its directories has the project."""
    places = next((match[1] for line in lines if (match := _PLACES.search(line))), None)
    if places is None or any("Looking in indexes: " in line for line in lines):
        return None
    put = f"put a wheel of {requirement.name} there, or"
    return ResolveFailure(
        (f"{places} has no {requirement.name}, and pip uses no index",),
        f"{put} remove no_index from [lift.payload]" if no_index else f"{put} unset PIP_NO_INDEX",
        is_final=True,
        option=f"{put} leave out --no-index" if no_index else None,
    )


def _described(answer: _Answer) -> str:
    if answer.status is None:
        return f"cannot reach {answer.host}: {answer.error}"
    try:
        phrase = f" ({HTTPStatus(answer.status).phrase})"
    except ValueError:
        phrase = ""
    return f"{answer.host} answered {answer.status}{phrase}"


def _bare(requirement: Requirement) -> str:
    return f"{requirement.name}{requirement.specifier}"


def _some(names: Sequence[str]) -> str:
    """The names, of many the last."""
    more = ["…"] if len(names) > _NAMES else []
    return ", ".join([*more, *names[-_NAMES:]])
