"""What uv's settings in a project's pyproject.toml say about where its packages come from.

`tool.uv.sources`, `tool.uv.workspace` and the settings of indexes, as far as they mean the same to pip
(docs.astral.sh/uv/concepts/projects/dependencies and reference/settings).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from czscie.lift.package_indexes import NO_INDEXES, PackageIndexes, link_url
from czscie.lift.payload import Payload
from czscie.lock.sdist import read_pyproject


def local_sources(project: Path) -> dict[str, Path]:
    """The directories that packages come from, by normalised names: those that the project in the directory
    `project` names, and those that these name.

    Raises CzscieError for an invalid pyproject.toml.
    """
    found: dict[str, Path] = {}
    waiting = [project]
    while waiting:
        new = {name: path for name, path in _sources(waiting.pop()).items() if name not in found}
        found |= new
        waiting += new.values()
    return found


def with_sources(requirements: Iterable[str], sources: Mapping[str, Path]) -> tuple[str, ...]:
    """The requirements with the URLs of the `sources` that they name, and of those that these require."""
    found = [_at(Requirement(text), sources) for text in requirements]
    if not any(canonicalize_name(each.name) in sources for each in found):
        return tuple(map(str, found))
    named = {canonicalize_name(each.name) for each in found}
    more = (f"{name} @ {path.as_uri()}" for name, path in sorted(sources.items()) if name not in named)
    return (*map(str, found), *more)


def indexes_of(payload: Payload | None) -> PackageIndexes:
    """The indexes of the manifest and, of what it does not name, those of the project."""
    if payload is None:
        return NO_INDEXES
    if payload.project is None or payload.indexes != NO_INDEXES:
        return payload.indexes
    settings = _table(read_pyproject(payload.project), "tool", "uv")
    indexes = [each for each in _tables(settings.get("index")) if not each.get("explicit")]
    default = [each.get("url") for each in indexes if each.get("default")] or [settings.get("index-url")]
    extra = [each.get("url") for each in indexes if not each.get("default")]
    return PackageIndexes(
        find_links=tuple(link_url(text, payload.project) for text in _texts(settings.get("find-links"))),
        index=next(_texts(default), None),
        extra_index=(*_texts(extra), *_texts(settings.get("extra-index-url"))),
        no_index=settings.get("no-index") is True,
    )


def _sources(project: Path) -> dict[str, Path]:
    """What the project itself names."""
    document = read_pyproject(project)
    required = set(_required(_table(document, "project")))
    found: dict[str, Path] = {}
    for name, source in _table(document, "tool", "uv", "sources").items():
        if canonicalize_name(name) not in required or not isinstance(source, dict):
            continue
        if isinstance(source.get("path"), str):
            found[canonicalize_name(name)] = (project / source["path"]).resolve()
        elif source.get("workspace") is True and (member := _member(project, name)) is not None:
            found[canonicalize_name(name)] = member
    return found


def _required(project: Mapping[str, Any]) -> Iterator[str]:
    """The names in the requirements of `[project]`."""
    optional = project.get("optional-dependencies")
    groups = optional.values() if isinstance(optional, dict) else ()
    for texts in (project.get("dependencies"), *groups):
        for text in _texts(texts):
            try:
                yield canonicalize_name(Requirement(text).name)
            except InvalidRequirement:
                continue


def _member(project: Path, name: str) -> Path | None:
    """The member called `name` of the workspace that `project` belongs to."""
    for root in (project.resolve(), *project.resolve().parents):
        patterns = list(_texts(_table(read_pyproject(root), "tool", "uv", "workspace").get("members")))
        for pattern in (".", *patterns) if patterns else ():
            for member in sorted(root.glob(pattern)) if pattern != "." else [root]:
                own = _table(read_pyproject(member), "project").get("name") if member.is_dir() else None
                if isinstance(own, str) and canonicalize_name(own) == canonicalize_name(name):
                    return member
        if patterns:
            return None
    return None


def _at(requirement: Requirement, sources: Mapping[str, Path]) -> Requirement:
    path = sources.get(canonicalize_name(requirement.name))
    if path is None or requirement.url is not None:
        return requirement
    copy = Requirement(str(requirement))
    copy.specifier = type(copy.specifier)()
    copy.url = path.as_uri()
    return copy


def _table(values: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    for name in names:
        inner = values.get(name)
        values = inner if isinstance(inner, dict) else {}
    return values


def _tables(value: object) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _texts(value: object) -> Iterator[str]:
    return (each for each in value if isinstance(each, str)) if isinstance(value, list) else iter(())
