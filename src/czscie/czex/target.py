"""What wheels are chosen for: a platform and the CPython that will run there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from czscie.errors import CzscieError
from czscie.platforms import ANY_GLIBC, GlibcVersion, Platform

if TYPE_CHECKING:
    from packaging.requirements import Requirement
    from packaging.tags import Tag

    from czscie.pbs.distribution import Layout

#: Names that an interpreter constraint may begin with, longest first, and whether they mean free threading.
_IMPLEMENTATIONS: tuple[tuple[str, bool | None], ...] = (
    ("CPython[free-threaded]", True),
    ("CPython[gil]", False),
    ("CPython+t", True),
    ("CPython-t", False),
    ("CPython", None),
)


@dataclass(frozen=True)
class Target:
    """A CPython on a platform. `glibc` is the newest that wheels may ask for."""

    platform: Platform
    layout: Layout
    glibc: GlibcVersion = ANY_GLIBC

    def __str__(self) -> str:
        threading = " free-threaded" if self.layout.free_threaded else ""
        glibc = f" (glibc {self.glibc[0]}.{self.glibc[1]})" if self._limits_glibc else ""
        return f"{self.platform.name}{glibc} with CPython {self.layout.version}{threading}"

    @property
    def _limits_glibc(self) -> bool:
        return self.platform.libc == "gnu" and self.glibc != ANY_GLIBC

    @cached_property
    def tags(self) -> tuple[Tag, ...]:
        """The tags of the wheels that this CPython can use, best first (PEP 425)."""
        from packaging.tags import compatible_tags, cpython_tags

        platforms = list(self.platform.wheel_platforms(self.glibc))
        tags = (
            *cpython_tags(self.python_version, [self.layout.abi_tag], platforms),
            *compatible_tags(self.python_version, self.layout.python_tag, platforms),
        )
        return tuple(dict.fromkeys(tags))

    @cached_property
    def ranks(self) -> Mapping[Tag, int]:
        """Every tag of `tags` with its place among them."""
        return {tag: rank for rank, tag in enumerate(self.tags)}

    @property
    def python_version(self) -> tuple[int, int]:
        major, minor = self.layout.minor_version.split(".")
        return int(major), int(minor)

    @cached_property
    def marker_environment(self) -> dict[str, str]:
        return self.platform.marker_environment(self.layout.version)

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
                f"the marker of {requirement} (of {source}) cannot be evaluated for {self}", why=str(error)
            ) from error

    def satisfies(self, constraint: str) -> bool:
        """Whether this CPython meets an interpreter constraint of pex: `CPython>=3.9,<3.14`, `>=3.11` …

        Raises CzscieError when it is none.
        """
        from packaging.specifiers import InvalidSpecifier, SpecifierSet

        if constraint.startswith("PyPy"):
            return False
        specifiers = constraint
        for name, free_threaded in _IMPLEMENTATIONS:
            if constraint.startswith(name):
                if free_threaded not in (None, self.layout.free_threaded):
                    return False
                specifiers = constraint[len(name) :]
                break
        try:
            return SpecifierSet(specifiers).contains(self.layout.version, prereleases=True)
        except InvalidSpecifier as error:
            raise CzscieError(
                f"the PEX has an invalid interpreter constraint: {constraint}",
                why=str(error),
            ) from error
