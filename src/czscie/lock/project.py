"""The payload's project: the wheel that it builds now, which nothing tells but building it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from czscie.cache import cache_directory
from czscie.container.content import OnDisk
from czscie.czex.target import Target
from czscie.czex.tree import files_in_zip, open_zip
from czscie.czex.wheel import Wheel
from czscie.lock.lock import Directory, LockedPackage, LockedWheel, PackageTools
from czscie.lock.question import relative
from czscie.lock.wheels import built_wheel, remote_of
from czscie.products import key_of, knowledge

#: Directories that are made of a project or beside it, and are no part of what builds it.
_NOT_SOURCE = {"__pycache__", "build", "dist", "node_modules"}
#: What tells versions of a project that takes its own from git.
_GIT = (Path(".git/HEAD"), Path(".git/logs/HEAD"), Path(".git/packed-refs"))


class _Built(msgspec.Struct, frozen=True):
    wheel: LockedWheel
    project: str
    version: str
    requires: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Project:
    """`packages` are the project's by platform, each with its one wheel; `requires` what they require."""

    packages: Mapping[str, LockedPackage]
    requires: tuple[str, ...]

    def package_for(self, platform: str) -> LockedPackage | None:
        """The package for any platform: a pure wheel serves those that it was not built for, too."""
        pure = (each for each in self.packages.values() if _is_pure(each.built[0]))
        return self.packages.get(platform) or next(pure, None)


def build_project(path: Path, targets: Sequence[Target], directory: Path, lock: Path) -> Project:
    """The project at `path`, built for each of `targets` unless that was done with the same files.

    A pure wheel is built once. `directory` is the manifest's, `lock` is none of the project's files. Raises
    CzscieError.
    """
    source = _digest(path, lock)
    packages: dict[str, LockedPackage] = {}
    built: _Built | None = None
    for target in targets:
        if built is None or not _is_pure(built.wheel):
            built = _build(path, source, target)
        packages[target.platform.name] = LockedPackage(
            name=built.project,
            version=built.version,
            directory=Directory(path=relative(path, directory)),
            tool=PackageTools.of(built=(built.wheel,)),
        )
    return Project(packages, () if built is None else built.requires)


def _is_pure(wheel: LockedWheel) -> bool:
    return wheel.name.endswith("-none-any.whl")


def _build(path: Path, source: str, target: Target) -> _Built:
    key = key_of("project", str(path.absolute()), source, str(target))
    known = knowledge(key, _Built, lambda: _describe(built_wheel(path, target)))
    if not remote_of(known.wheel, path).path.is_file():
        (cache_directory("known") / key).unlink(missing_ok=True)
        return _build(path, source, target)
    return known


def _describe(built: LockedWheel) -> _Built:
    path = remote_of(built, Path()).path
    with open_zip(path, path.name) as archive:
        wheel = Wheel.read(path.name, files_in_zip(lambda: archive, path.name), spread=False, label=path.name)
    return _Built(built, wheel.project, wheel.version, wheel.requires)


def _digest(path: Path, lock: Path) -> str:
    """Of all files that may be the project's, whatever its build backend makes of them."""
    digest = hashlib.sha256()
    for file in sorted(_files(path)):
        if file.absolute() == lock.absolute():
            continue
        content = OnDisk(file).read()
        digest.update(
            f"{file.relative_to(path).as_posix()}\0{len(content)}\0".encode("utf-8", "surrogateescape")
        )
        digest.update(content)
    return digest.hexdigest()


def _files(path: Path) -> Iterator[Path]:
    yield from (path / name for name in _GIT if (path / name).is_file())
    for directory, directories, files in os.walk(path):
        directories[:] = [name for name in directories if _is_source(Path(directory, name))]
        yield from (file for name in files if (file := Path(directory, name)).is_file())


def _is_source(directory: Path) -> bool:
    name = directory.name
    junk = name in _NOT_SOURCE or name.startswith(".") or name.endswith(".egg-info")
    return not junk and not (directory / "pyvenv.cfg").exists()
