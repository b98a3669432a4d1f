"""The target of wheels: a platform and its Python."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from czscie.czex.constraint import Constraint
from czscie.errors import Code, CzscieError
from czscie.implementation import Implementation
from czscie.platforms import ANY_GLIBC, GlibcVersion, Platform

if TYPE_CHECKING:
    from packaging.requirements import Requirement
    from packaging.tags import Tag


@dataclass(frozen=True)
class Target:
    """A Python on a platform. `glibc` is the newest that wheels may ask for."""

    platform: Platform
    implementation: Implementation
    glibc: GlibcVersion = ANY_GLIBC

    def __str__(self) -> str:
        python = self.implementation
        threading = " free-threaded" if python.free_threaded else ""
        glibc = f" (glibc {self.glibc[0]}.{self.glibc[1]})" if self._limits_glibc else ""
        return f"{self.platform.name}{glibc} with {python.full_name}{threading}"

    @property
    def _limits_glibc(self) -> bool:
        return self.platform.libc == "gnu" and self.glibc != ANY_GLIBC

    @cached_property
    def tags(self) -> tuple[Tag, ...]:
        """The tags of the wheels that this Python can use, best first (PEP 425)."""
        platforms = list(self.platform.wheel_platforms(self.glibc))
        return tuple(dict.fromkeys(self.implementation.tags(platforms)))

    @cached_property
    def ranks(self) -> Mapping[Tag, int]:
        """Every tag of `tags` with its place among them."""
        return {tag: rank for rank, tag in enumerate(self.tags)}

    @cached_property
    def marker_environment(self) -> dict[str, str]:
        return {**self.implementation.markers, **self.platform.markers}

    def applies(self, requirement: Requirement, extras: frozenset[str], source: str) -> bool:
        """Whether the requirement's marker holds here, for any of `extras`.

        Raises CzscieError, which names `source`, when the marker cannot be evaluated.
        """
        from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
        from packaging.version import InvalidVersion

        if requirement.marker is None:
            return True
        environments = [{**self.marker_environment, "extra": extra} for extra in sorted(extras) or [""]]
        try:
            return any(requirement.marker.evaluate(environment) for environment in environments)
        except (InvalidVersion, UndefinedComparison, UndefinedEnvironmentName) as error:
            raise CzscieError(
                f"the marker of {requirement} (of {source}) cannot be evaluated for {self}",
                code=Code.PEX_INVALID,
                why=str(error),
            ) from error

    def satisfies(self, constraint: str) -> bool:
        """Whether this Python meets an interpreter constraint of pex: `CPython>=3.9,<3.14`, `>=3.11` …

        Raises CzscieError when it is invalid.
        """
        asked = Constraint.split(constraint)
        python = self.implementation
        if asked.implementation not in (None, python.title):
            return False
        if asked.free_threaded not in (None, python.free_threaded):
            return False
        return asked.versions.contains(python.version, prereleases=True)
