"""The payload's project: the wheel that its build backend makes now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from czscie.czex.target import Target
from czscie.errors import problems_of, raise_all
from czscie.lock.builder import UNBUILT, Builder, check_wheel
from czscie.lock.lock import LockedDirectory, LockedPackage, LockedWheel, PackageTools
from czscie.lock.requested import relative


@dataclass(frozen=True, slots=True)
class Project:
    """`packages` are the project's by platform, each with its one wheel.

    `requires` are its requirements, None when the project was not built and they are dynamic.
    """

    packages: Mapping[str, LockedPackage]
    requires: tuple[str, ...] | None

    def package_for(self, platform: str) -> LockedPackage | None:
        """The package for any platform: a pure wheel serves those that it was not built for, too."""
        pure = (each for each in self.packages.values() if _is_pure(each.built[0]))
        return self.packages.get(platform) or next(pure, None)

    def requires_like(self, locked: tuple[str, ...] | None) -> tuple[str, ...] | None:
        """The requirements as a lock has them, unless they mean something else now or are not known now.

        A build backend sorts and rewrites what pyproject.toml lists.
        """
        if self.requires is None or (locked is not None and _meaning(self.requires) == _meaning(locked)):
            return locked
        return self.requires


def build_project(path: Path, targets: Sequence[Target], directory: Path, builder: Builder) -> Project:
    """The project at `path`, built for `targets` unless that was done with the same files.

    It is built once: what this machine builds for one target it builds for all. `directory` is the
    manifest's. Raises CzscieError.
    """
    if not targets:
        return Project({}, ())
    built = builder.project(path)
    package = LockedPackage(
        name=built.project,
        version=built.version,
        directory=LockedDirectory(path=relative(path, directory)),
        tool=PackageTools.of(built=(built.wheel,)),
    )
    raise_all(problems_of(partial(check_wheel, package, target) for target in targets))
    is_known = built.wheel.sha256 != UNBUILT or builder.unbuilt[built.project].requires_known
    return Project({each.platform.name: package for each in targets}, built.requires if is_known else None)


def _meaning(requirements: Sequence[str]) -> frozenset[Requirement | str]:
    return frozenset(map(_parsed, requirements))


def _parsed(text: str) -> Requirement | str:
    try:
        return Requirement(text)
    except InvalidRequirement:
        return text


def _is_pure(wheel: LockedWheel) -> bool:
    return wheel.name.endswith("-none-any.whl")
