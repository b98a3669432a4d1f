"""What a project requires with some of its extras and dependency groups."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from packaging.dependency_groups import resolve_dependency_groups
from packaging.errors import ExceptionGroup
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from czscie.errors import Code, CzscieError
from czscie.lock.sdist import read_pyproject

_EXTRA = re.compile(r'extra == "([^"]*)"|"([^"]*)" == extra')
_ALWAYS, _NEVER = 'python_version >= "0"', 'python_version < "0"'


def with_extras(
    requirements: Iterable[str], project: str, extras: Sequence[str], provided: Iterable[str] = ()
) -> tuple[str, ...]:
    """The requirements of `project` with `extras`, those that it requires of itself included.

    `provided` are extras that may have no requirements. Raises CzscieError for one that it does not provide.
    """
    parsed = [Requirement(text) for text in requirements]
    known = {canonicalize_name(name) for each in parsed for name in _extras_of(each)}
    known |= {canonicalize_name(name) for name in provided}
    chosen: set[str] = {canonicalize_name(name) for name in extras}
    for name in extras:
        if canonicalize_name(name) not in known:
            raise CzscieError(
                f"{project} has no extra {name}",
                code=Code.NAME_UNKNOWN,
                why=f"it has: {', '.join(sorted(known))}" if known else "it has none",
            )
    own = [each for each in parsed if canonicalize_name(each.name) == canonicalize_name(project)]
    for _ in own:  # each may choose extras that another one needs
        for each in own:
            if _is_chosen(each, chosen):
                chosen |= {canonicalize_name(name) for name in each.extras}
    return tuple(
        str(_without_extra(each, chosen)) for each in parsed if each not in own and _is_chosen(each, chosen)
    )


def group_requirements(project: Path, groups: Sequence[str]) -> tuple[str, ...]:
    """The requirements of dependency groups of the project in the directory `project` (PEP 735).

    Raises CzscieError for a group that it does not have or that is invalid.
    """
    if not groups:
        return ()
    table = read_pyproject(project).get("dependency-groups", {})
    try:
        return tuple(map(str, resolve_dependency_groups(table, *groups)))
    except (LookupError, TypeError, ValueError, ExceptionGroup) as error:
        known = ", ".join(sorted(table)) if isinstance(table, dict) and table else "none"
        raise CzscieError(
            f"cannot read the dependency groups {', '.join(groups)} of {project}",
            code=Code.NAME_UNKNOWN,
            why=[f"its pyproject.toml has: {known}", str(error)],
        ) from error


def _extras_of(requirement: Requirement) -> Iterator[str]:
    for match in _EXTRA.finditer(str(requirement.marker or "")):
        yield match[1] or match[2]


def _is_chosen(requirement: Requirement, chosen: set[str]) -> bool:
    """Whether the requirement does not depend on extras, or on one of `chosen`."""
    names = {canonicalize_name(name) for name in _extras_of(requirement)}
    return not names or not names.isdisjoint(chosen)


def _without_extra(requirement: Requirement, chosen: set[str]) -> Requirement:
    """The requirement with the extras in its marker decided: resolvers know no extras of the project."""
    names = list(_extras_of(requirement))
    if not names:
        return requirement

    def decided(match: re.Match[str]) -> str:
        return _ALWAYS if canonicalize_name(match[1] or match[2]) in chosen else _NEVER

    copy = Requirement(str(requirement))
    copy.marker = Marker(_EXTRA.sub(decided, str(requirement.marker)))
    return copy
