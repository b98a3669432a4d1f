"""Changes of a PEX to the requirements of its wheels: `pex --exclude` and `pex --override`.

As in `pex/dependency_configuration.py` and `pex/specifier_sets.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from czscie.czex.info import PexInfo
from czscie.czex.target import Target
from czscie.errors import Code, CzscieError

if TYPE_CHECKING:
    from packaging.requirements import Requirement
    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

#: `project=requirement`: another project is to take this one's place.
_REPLACEMENT = re.compile(r"(?P<project>[A-Za-z0-9][A-Za-z0-9._-]*)\s*=\s*(?P<requirement>[A-Za-z0-9].*)")


@dataclass(frozen=True, slots=True)
class DependencyChanges:
    """`excluded` requirements are not followed, `overridden` ones are replaced, by normalised project."""

    excluded: tuple[Requirement, ...]
    overridden: Mapping[str, tuple[Requirement, ...]]

    @classmethod
    def of(cls, info: PexInfo, label: str) -> DependencyChanges:
        """Raises CzscieError, which calls the PEX `label`, when a requirement is invalid."""
        overridden: dict[str, tuple[Requirement, ...]] = {}
        for text in info.overridden:
            replacement = _REPLACEMENT.fullmatch(text)
            requirement = parse_requirement(replacement["requirement"] if replacement else text, label)
            project = _normalise(replacement["project"] if replacement else requirement.name)
            overridden[project] = (*overridden.get(project, ()), requirement)
        return cls(tuple(parse_requirement(text, label) for text in info.excluded), overridden)

    def excludes(self, requirement: Requirement) -> bool:
        """Whether an exclusion covers all that `requirement` accepts."""
        return any(
            _normalise(excluded.name) == _normalise(requirement.name)
            and _covers(excluded.specifier, requirement.specifier)
            for excluded in self.excluded
        )

    def replacements(self, requirement: Requirement) -> tuple[Requirement, ...]:
        """The possible replacements of this one, whatever the target."""
        return self.overridden.get(_normalise(requirement.name), ())

    def replace(self, requirement: Requirement, target: Target, label: str) -> Requirement:
        """The replacement of the requirement on the target, or the requirement itself.

        Raises CzscieError, which calls the PEX `label`, when there are several.
        """
        candidates = [
            override
            for override in self.replacements(requirement)
            if target.applies(override, frozenset(), label)
        ]
        if len(candidates) > 1:
            raise CzscieError(
                f"{label} overrides {requirement} in more than one way for {target}",
                code=Code.WHEELS_LACKING,
                why=[str(candidate) for candidate in candidates],
            )
        return candidates[0] if candidates else requirement


def parse_requirement(text: str, label: str) -> Requirement:
    """Raises CzscieError, which calls the PEX `label`, when `text` is not a requirement."""
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        return Requirement(text)
    except InvalidRequirement as error:
        raise CzscieError(
            f"the PEX-INFO of {label} has an invalid requirement: {text}",
            code=Code.PEX_INVALID,
            why=str(error).splitlines()[0],
        ) from error


def _normalise(name: str) -> str:
    from packaging.utils import canonicalize_name

    return canonicalize_name(name)


def _covers(outer: SpecifierSet, inner: SpecifierSet) -> bool:
    """Whether `outer` accepts every version that `inner` accepts.

    Specifiers change their result only at the versions they name, so it is enough to test these, versions
    just below and above, and both ends.
    """
    if not outer:
        return True
    accepted = [point for point in _points(outer, inner) if inner.contains(point, prereleases=True)]
    return bool(accepted) and all(outer.contains(point, prereleases=True) for point in accepted)


def _points(*specifier_sets: SpecifierSet) -> list[Version]:
    from packaging.version import InvalidVersion, Version

    points = [Version("0"), Version("99999")]
    for specifiers in specifier_sets:
        for specifier in specifiers:
            try:
                named = Version(specifier.version.removesuffix(".*"))
            except InvalidVersion:
                continue  # `===` takes any text
            points += [named, Version(f"{named.base_version}.0.0.1"), Version(f"{named.base_version}.dev0")]
    return points
