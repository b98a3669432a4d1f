"""Conversion between resolved wheels per platform and the packages of a lock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from czscie.czex.target import Target
from czscie.errors import Code, CzscieError
from czscie.lock.lock import Lock, LockedPackage, LockedWheel, PackageTools
from czscie.lock.pylock import select


@dataclass(frozen=True, slots=True)
class Chosen:
    """One wheel that a platform gets, and its package; `built` when it was built from source."""

    package: LockedPackage
    wheel: LockedWheel

    @property
    def built(self) -> bool:
        return self.wheel in self.package.built


def grouped(resolved: Mapping[str, Sequence[LockedPackage]]) -> tuple[LockedPackage, ...]:
    """The packages of a lock from the wheels of each platform, by its name: every version once."""
    found: dict[tuple[str, str], dict[str, LockedPackage]] = {}
    for platform, packages in sorted(resolved.items()):
        for package in packages:
            found.setdefault((package.name, package.version), {})[platform] = package
    return tuple(_merged(packages, len(resolved)) for _, packages in sorted(found.items()))


def _merged(packages: Mapping[str, LockedPackage], platforms: int) -> LockedPackage:
    first = next(iter(packages.values()))
    return LockedPackage(
        name=first.name,
        version=first.version,
        wheels=_union(package.wheels for package in packages.values()),
        sdist=next((package.sdist for package in packages.values() if package.sdist), None),
        directory=first.directory,
        tool=PackageTools.of(
            platforms=() if len(packages) == platforms else tuple(packages),
            built=_union(package.built for package in packages.values()),
        ),
    )


def _union(groups: Iterable[tuple[LockedWheel, ...]]) -> tuple[LockedWheel, ...]:
    return tuple(sorted({wheel for group in groups for wheel in group}, key=lambda wheel: wheel.name))


def selected(lock: Lock, target: Target) -> tuple[Chosen, ...]:
    """The wheels that `target` gets, sorted by name, selected as PEP 751 specifies.

    Raises CzscieError when a package has no wheel for it.
    """
    from packaging.pylock import Pylock, PylockValidationError

    packages = lock.packages_for(target.platform.name)
    document = {
        "lock-version": lock.lock_version,
        "created-by": lock.created_by,
        "packages": [_as_wheels(package) for package in packages],
    }
    by_name = {package.name: package for package in packages}
    chosen = []
    what, hint = f"the lock has no wheels for {target}", "run czscie lock"
    try:
        pylock = Pylock.from_dict(document)
    except PylockValidationError as error:
        raise CzscieError(what, code=Code.LOCK_OUT_OF_DATE, why=str(error), hint=hint) from error
    for package, wheel in select(pylock, target, what, Code.LOCK_OUT_OF_DATE, hint):
        of = by_name[package.name]
        name = getattr(wheel, "name", None)
        chosen.append(Chosen(of, next(each for each in of.all_wheels if each.name == name)))
    return tuple(sorted(chosen, key=lambda each: each.wheel.name))


def _as_wheels(package: LockedPackage) -> dict[str, Any]:
    """The package with nothing but wheels to select from; those that were built are where they are named."""
    wheels = [
        {**msgspec.to_builtins(wheel), **({} if wheel.url or wheel.path else {"path": wheel.name})}
        for wheel in package.all_wheels
    ]
    return {"name": package.name, "version": package.version, "wheels": wheels}


def narrowed(chosen: Sequence[Chosen]) -> tuple[LockedPackage, ...]:
    """The packages of one platform, each with only the wheel that it gets: the input of `grouped`."""
    return tuple(_narrow(each) for each in chosen)


def _narrow(chosen: Chosen) -> LockedPackage:
    package, wheel = chosen.package, chosen.wheel
    return LockedPackage(
        name=package.name,
        version=package.version,
        wheels=() if chosen.built else (wheel,),
        sdist=package.sdist if chosen.built else None,
        directory=package.directory,
        tool=PackageTools.of(built=(wheel,) if chosen.built else ()),
    )
