"""A lock by another tool (PEP 751), and the packages in it for a target."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from czscie.czex.target import Target
from czscie.documents import parse_toml
from czscie.errors import Code, CzscieError
from czscie.lock.pex_tool import Artifact

if TYPE_CHECKING:
    from packaging.pylock import (
        Package,
        PackageArchive,
        PackageDirectory,
        PackageSdist,
        PackageVcs,
        PackageWheel,
        Pylock,
    )

#: Where packaging's messages say that a package stands.
_AT = re.compile(r" at packages\[\d+\]")


def read_pylock(path: Path, target: Target) -> tuple[Artifact, ...]:
    """The packages for `target` in the lock at `path`, as packaging selects them.

    Raises CzscieError when the lock is invalid, has nothing for the target, or something without a SHA-256.
    """
    from packaging.pylock import PackageDirectory, PackageVcs, Pylock, PylockValidationError

    found = []
    try:
        pylock = Pylock.from_dict(parse_toml(path.read_text(encoding="utf-8")))
        for package, source in select(pylock, target, f"{path} is not for {target}", Code.PYLOCK_UNUSABLE):
            if isinstance(source, PackageVcs):
                raise _refusal(path, package, "it comes from version control, which has no digest")
            if isinstance(source, PackageDirectory):
                url = (path.parent / source.path).resolve().as_uri()
                found.append(Artifact(package.name, str(package.version or "0"), url, "0" * 64))
            else:
                found.append(_artifact(path, package, source))
    except FileNotFoundError:
        raise CzscieError(f"there is no lock {path}", code=Code.PYLOCK_UNUSABLE) from None
    except (OSError, ValueError, PylockValidationError) as error:  # a path may hold a NUL
        raise CzscieError(
            f"{path} is not a PEP 751 lock", code=Code.PYLOCK_UNUSABLE, why=str(error)
        ) from error
    return tuple(found)


def select(
    pylock: Pylock, target: Target, what: str, code: Code, hint: str | None = None
) -> list[tuple[Package, PackageVcs | PackageDirectory | PackageArchive | PackageWheel | PackageSdist]]:
    """What `target` gets of each package, selected as PEP 751 specifies.

    Raises CzscieError, `what` with `code` and `hint` and a line for each package that has nothing for it.
    """
    from packaging.pylock import PylockSelectError

    def selected(pylock: Pylock) -> list[Any]:
        return list(pylock.select(environment=target.marker_environment, tags=target.tags))  # type: ignore[arg-type]

    try:
        return selected(pylock)
    except PylockSelectError as error:
        why = []
        for package in pylock.packages:
            try:
                selected(dataclasses.replace(pylock, packages=[package]))
            except PylockSelectError as lacking:
                why.append(_AT.sub("", str(lacking)))
        raise CzscieError(what, code=code, why=dict.fromkeys(why) or str(error), hint=hint) from error


def _artifact(path: Path, package: Package, source: PackageWheel | PackageSdist | PackageArchive) -> Artifact:
    sha256 = source.hashes.get("sha256")
    if sha256 is None:
        raise _refusal(path, package, f"it has no SHA-256, only: {', '.join(source.hashes)}")
    url = source.url or (path.parent / (source.path or "")).resolve().as_uri()
    return Artifact(package.name, str(package.version or "0"), url, sha256)


def _refusal(path: Path, package: Package, why: str) -> CzscieError:
    return CzscieError(f"{package.name} of {path} cannot be locked", code=Code.NOT_PINNABLE, why=why)
