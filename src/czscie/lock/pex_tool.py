"""The pex tool, which resolves requirements for other platforms. It builds nothing."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import msgspec
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from czscie.czex.target import Target
from czscie.disk import says_full
from czscie.documents import learned
from czscie.errors import Code, CzscieError
from czscie.lift.package_indexes import NO_INDEXES, PackageIndexes
from czscie.lock.resolve_failure import ResolveFailure, read_failure
from czscie.platforms import GlibcVersion, Platform
from czscie.trace import traced_command

#: Every Linux distribution that is still supported has at least this one; so do most manylinux wheels ask.
_GLIBC: GlibcVersion = (2, 28)
_GLIBC_BY_ARCHITECTURE: Mapping[str, GlibcVersion] = {"riscv64": (2, 39)}

#: 1980-01-01, the earliest time a zip can hold: for backends that write the time into what they build.
SOURCE_DATE_EPOCH = "315532800"

#: pex's report of the pip that it ran, which names temporary directories and does not help a user.
_NOISE = re.compile(r"^pid \d+ -> .* exited with \d+ and STDERR:$|^\s*$")
_REASON_LINES = 20

_LOG = "pip.log"
#: As much of pip's log as is read: the end has what failed.
_LOG_BYTES = 16 << 20

_SETTINGS = (
    # The index and the credentials are where the user's pip has them.
    "--use-pip-config",
    *("--resolver-version", "pip-2020-resolver"),
)


@dataclass(frozen=True, slots=True)
class Artifact:
    """The file that pex chose for one project: a wheel, a source distribution or a directory, by its URL.

    `sha256` is that of the file; for a directory it has no meaning elsewhere.
    """

    project: str
    version: str
    url: str
    sha256: str


class FoundSource(msgspec.Struct, frozen=True):
    """A source that pip met (czscie.lock.guard_pip). `sha256` comes from its index, if it has one."""

    url: str
    sha256: str | None
    project: str | None
    version: str | None


class WheelBuilder(Protocol):
    """Builds wheels from sources. `allowed` are the projects that it may build, None is all."""

    @property
    def allowed(self) -> tuple[str, ...] | None: ...

    def wheel(self, found: FoundSource, directory: Path) -> Path:
        """The wheel of `found`. Raises CzscieError when it cannot be built."""
        ...


class _Artifact(msgspec.Struct, frozen=True):
    url: str
    algorithm: str
    hash: str


class _Requirement(msgspec.Struct, frozen=True):
    project_name: str
    version: str
    artifacts: tuple[_Artifact, ...]


class _Resolve(msgspec.Struct, frozen=True):
    platform_tag: tuple[str, str, str]
    locked_requirements: tuple[_Requirement, ...]


class _PexLock(msgspec.Struct, frozen=True):
    """The output of `pex3 lock create --style strict` (pex 2.105, `pex/resolve/lockfile/json_codec.py`)."""

    locked_resolves: tuple[_Resolve, ...]


def default_glibc(platform: Platform) -> GlibcVersion:
    """The newest glibc that wheels resolved for `platform` may ask for when the manifest names none."""
    return _GLIBC_BY_ARCHITECTURE.get(platform.arch, _GLIBC)


def resolve(
    requirements: Sequence[str],
    targets: Sequence[Target],
    versions: Mapping[str, str],
    directory: Path,
    builder: WheelBuilder | None = None,
    indexes: PackageIndexes = NO_INDEXES,
) -> dict[Platform, tuple[Artifact, ...]]:
    """Resolves `requirements` and their dependencies for each of `targets`, never for the host.

    `versions` of projects are preferred where requirements allow a choice. `directory` is for files of this
    call. `builder` supplies wheels for projects that have none; without it they are left out. `indexes` are
    asked in addition to those of pip's settings. Raises one CzscieError with the reasons of all targets and
    requirements that cannot be resolved, as far as pip tells them apart.
    """
    if not requirements:
        return {target.platform: () for target in targets}
    indexes.check_directories()
    guard = _Guard(directory, builder, indexes)
    found = _attempt(guard, requirements, targets, versions)
    if isinstance(found, _Failure) and versions and not found.is_final:
        # The requirements need not allow these versions any more.
        found = _attempt(guard, requirements, targets, {})
    if not isinstance(found, _Failure):
        return found
    if len(targets) == 1 or found.is_final:
        raise _refusal(_failures(guard, requirements, targets, found))
    resolved: dict[Platform, tuple[Artifact, ...]] = {}
    failures: list[_Failure] = []
    for target in targets:
        alone = _attempt(guard, requirements, [target], {})
        if isinstance(alone, _Failure):
            failures += _failures(guard, requirements, [target], alone)
        else:
            resolved |= alone
    if failures:
        raise _refusal(failures)
    return resolved


@dataclass(frozen=True, slots=True)
class _Failure:
    """How pex failed to resolve requirements for `target`, and what pip's log says of it."""

    target: Target
    done: subprocess.CompletedProcess[str]
    known: ResolveFailure | None

    @property
    def is_final(self) -> bool:
        return self.known is not None and self.known.is_final


def _attempt(
    guard: _Guard, requirements: Sequence[str], targets: Sequence[Target], versions: Mapping[str, str]
) -> dict[Platform, tuple[Artifact, ...]] | _Failure:
    constraints = guard.directory / "constraints.txt"
    constraints.write_text("".join(f"{name}=={version}\n" for name, version in sorted(versions.items())))
    output = guard.directory / "lock.json"
    done = guard.run(
        "pex.cli",
        *("lock", "create", "--style", "strict", "--avoid-downloads", "--output", str(output)),
        *(("--constraints", str(constraints)) if versions else ()),
        *_complete_platforms(targets, guard.directory),
        *guard.without_sources(requirements, targets),
    )
    if done.returncode == 0:
        return _read(output, targets)
    return _Failure(targets[0], done, read_failure(guard.log(), targets[0], no_index=guard.indexes.no_index))


def _failures(
    guard: _Guard, requirements: Sequence[str], targets: Sequence[Target], failure: _Failure
) -> Iterator[_Failure]:
    """`failure`, and those of the other requirements: pip stops at the first that it cannot meet."""
    yield failure
    known = failure.known
    named = () if known is None or known.is_everywhere else known.projects
    rest = [each for each in requirements if canonicalize_name(Requirement(each).name) not in named]
    if not rest or len(rest) == len(requirements):
        return
    for some in [targets] if failure.is_final else [[target] for target in targets]:
        other = _attempt(guard, rest, some, {})
        if isinstance(other, _Failure) and other.known is not None:
            yield from _failures(guard, rest, some, other)


def make_environment(
    requirements: Sequence[str], environment: Path, directory: Path, indexes: PackageIndexes = NO_INDEXES
) -> None:
    """A virtual environment of this Python at `environment`, with wheels of `requirements` and their
    dependencies.

    `directory` is for files of this call. Raises CzscieError with pex's reasons when they cannot be
    installed.
    """
    indexes.check_directories()
    environment.mkdir(parents=True, exist_ok=True)
    done = _Guard(directory, None, indexes).run(
        "pex.cli", "venv", "create", "--force", "--dest-dir", str(environment), *requirements
    )
    if done.returncode:
        raise CzscieError(
            f"cannot fetch build requirements: {', '.join(requirements)}",
            code=Code.BUILD_FAILED,
            why=_reasons(done),
            hint="build requirements must be wheels: name a directory that has them in find_links",
            option="build requirements must be wheels: name a directory that has them: --find-links DIR",
        )


@dataclass(frozen=True, slots=True)
class _Guard:
    """Runs pex so that it executes no code of sources; `directory` is for its files."""

    directory: Path
    builder: WheelBuilder | None
    indexes: PackageIndexes

    def run(self, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs pex. Builds each source that its pip meets and runs pex again, until none is left."""
        wheels: dict[str, str] = {}
        found = self.directory / "source.json"
        while True:
            done = self._run(wheels, found, module, *arguments)
            if self.builder is None or not found.is_file():
                return done
            source = msgspec.json.decode(found.read_bytes(), type=learned(FoundSource))
            found.unlink()
            if source.url in wheels:
                return done
            wheels[source.url] = self._wheel(self.builder, source)

    def without_sources(self, requirements: Sequence[str], targets: Sequence[Target]) -> Iterator[str]:
        """The requirements, with wheels in place of the sources that they name."""
        for text in requirements:
            requirement = Requirement(text)
            marker = requirement.marker
            here = marker is None or any(marker.evaluate(dict(each.marker_environment)) for each in targets)
            if not here or requirement.url is None or urlsplit(requirement.url).path.endswith(".whl"):
                yield text
                continue
            if self.builder is None:
                raise CzscieError(
                    f"{requirement.name} has no wheel: it comes from {requirement.url}",
                    code=Code.NOT_PINNABLE,
                )
            url, _, fragment = requirement.url.partition("#")
            sha256 = fragment.partition("sha256=")[2].partition("&")[0] or None
            source = FoundSource(url=url, sha256=sha256, project=requirement.name, version=None)
            requirement.url = self._wheel(self.builder, source)
            yield str(requirement)

    def _wheel(self, builder: WheelBuilder, source: FoundSource) -> str:
        return builder.wheel(source, self.directory).resolve().as_uri()

    def log(self) -> str:
        """The end of pip's log; empty if pip did not run."""
        try:
            with (self.directory / _LOG).open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - _LOG_BYTES))
                return file.read().decode(errors="replace")
        except FileNotFoundError:
            return ""

    def _run(
        self, wheels: Mapping[str, str], found: Path, module: str, *arguments: str
    ) -> subprocess.CompletedProcess[str]:
        guard = self.directory / "guard.json"
        document: dict[str, object] = {
            "allowed": [] if self.builder is None else self.builder.allowed,
            "found": str(found),
            "only_binary": os.environ.get("PIP_ONLY_BINARY"),
            "wheels": wheels,
        }
        guard.write_text(json.dumps(document), encoding="utf-8")
        log = self.directory / _LOG
        log.unlink(missing_ok=True)
        command = [
            *(sys.executable, "-m", "czscie.lock.guard_pex", module, *arguments, *_SETTINGS),
            *("--pip-log", str(log)),
        ]
        with traced_command(command):
            return subprocess.run(
                command,
                cwd=self.directory,
                env={
                    **_environment(os.environ),
                    **self.indexes.settings(os.environ),
                    "CZSCIE_GUARD": str(guard),
                    "PIP_ONLY_BINARY": ":all:",
                },
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
            )


def _complete_platforms(targets: Sequence[Target], directory: Path) -> list[str]:
    """A file for each target with its markers and tags, as arguments."""
    arguments = []
    for target in targets:
        path = directory / f"{target.platform.name}.json"
        platform = {
            "marker_environment": target.marker_environment,
            "compatible_tags": [str(tag) for tag in target.tags],
        }
        path.write_text(json.dumps(platform), encoding="utf-8")
        arguments += ["--complete-platform", str(path)]
    return arguments


def _read(path: Path, targets: Sequence[Target]) -> dict[Platform, tuple[Artifact, ...]]:
    """pex calls each target by the best of its tags, which no two platforms have in common."""
    by_tag = {str(target.tags[0]): target.platform for target in targets}
    lock = msgspec.json.decode(path.read_bytes(), type=learned(_PexLock))
    return {
        by_tag["-".join(each.platform_tag)]: tuple(map(_artifact, each.locked_requirements))
        for each in lock.locked_resolves
    }


def _artifact(requirement: _Requirement) -> Artifact:
    artifact = requirement.artifacts[0]
    if artifact.algorithm != "sha256":
        raise CzscieError(
            f"{requirement.project_name} {requirement.version} cannot be locked",
            code=Code.NOT_PINNABLE,
            why=f"its index gives only a {artifact.algorithm} digest of it",
        )
    return Artifact(requirement.project_name, requirement.version, artifact.url, artifact.hash)


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for pex: none of the user's pex settings but the place of its cache."""
    kept = {
        name: value for name, value in environ.items() if not name.startswith("PEX_") or name == "PEX_ROOT"
    }
    return {"SOURCE_DATE_EPOCH": SOURCE_DATE_EPOCH, **kept, "PEX_IGNORE_RCFILES": "true"}


def _refusal(failures: Iterable[_Failure]) -> CzscieError:
    """One error with the reasons of all failures, each with the setting that mends it."""
    targets: dict[Target, None] = {}
    reasons: dict[tuple[Code, str | None, str | None], dict[str, None]] = {}
    for failure in failures:
        targets[failure.target] = None
        code, why, hint, option = _explained(failure)
        reasons.setdefault((code, hint, option), {}).update(dict.fromkeys(why))
    names = [str(each) for each in targets] if len(targets) == 1 else [each.platform.name for each in targets]
    what = f"pex cannot resolve the payload for {', '.join(names)}"
    if len(reasons) == 1:
        [((code, hint, option), lines)] = reasons.items()
        return CzscieError(what, code=code, why=lines, hint=hint, option=option)
    inner = [
        CzscieError(next(iter(lines), what), code=code, why=[*lines][1:], hint=hint, option=option)
        for (code, hint, option), lines in reasons.items()
    ]
    codes = {each.code for each in inner}
    return CzscieError(what, code=codes.pop() if len(codes) == 1 else Code.RESOLVE_FAILED, inner=inner)


def _explained(failure: _Failure) -> tuple[Code, Sequence[str], str | None, str | None]:
    """The code of a failure, why it is, and its hint with and without a manifest."""
    if (known := failure.known) is not None:
        return known.code, known.why, known.hint, known.option
    output = failure.done.stderr or failure.done.stdout
    code, hint, option = Code.RESOLVE_FAILED, None, None
    if says_full(output):
        code = Code.DISK_FULL
        hint = (
            "a file system is full: free some space, or set TMPDIR and PEX_ROOT to directories on another one"
        )
    elif "not compatible with the requested foreign target" in output:
        code = Code.WHEELS_LACKING
        build = f"build that wheel on {failure.target.platform.name} and name its directory"
        hint, option = f"{build} in find_links", f"{build}: --find-links DIR"
    return code, _reasons(failure.done), hint, option


def _reasons(done: subprocess.CompletedProcess[str]) -> list[str]:
    output = done.stderr or done.stdout
    return [line for line in output.splitlines() if not _NOISE.match(line)][-_REASON_LINES:]
