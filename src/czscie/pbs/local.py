"""The provider Local: a CPython in a directory or an archive on the machine that builds."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_IXUSR
from typing import TYPE_CHECKING

from czscie.container.content import File, OnDisk
from czscie.container.tree import Item, Tree, tree_digest, tree_size
from czscie.elf import Elf
from czscie.errors import Code, CzscieError
from czscie.filesystem import file_digest
from czscie.pbs.archive import ROOT, SUFFIXES, read_archive
from czscie.pbs.distribution import Distribution, detect_layout
from czscie.pbs.libraries import is_of_libc
from czscie.pbs.pin import Pin
from czscie.platforms import Platform

if TYPE_CHECKING:
    from czscie.console import Console

#: Where the interpreter's root may be in a directory that an archive of PBS was unpacked to.
_ROOTS = ("", "python", "python/install")
#: The libraries that python-build-standalone expects on the host besides the C library.
_OF_THE_HOST = frozenset({"libcrypt.so.1", "libgcc_s.so.1", "libatomic.so.1"})
_BYTECODE = "__pycache__"


class OnThisMachine:
    """What all sources have in common that need no download."""

    __slots__ = ()

    digest: str
    size: int

    @property
    def remote(self) -> None:
        return None

    @property
    def root(self) -> str:
        return ROOT

    @property
    def pin(self) -> Pin:
        return Pin(self.digest, self.size)


@dataclass(frozen=True, slots=True)
class DirectorySource(OnThisMachine):
    """A checked tree with all its files; nothing is left to load."""

    digest: str
    description: str
    url: str
    size: int
    distribution: Distribution = field(repr=False)

    @property
    def is_tree(self) -> bool:
        return True

    def load(self, console: Console | None = None) -> Distribution:
        return self.distribution


@dataclass(frozen=True, slots=True)
class ArchiveSource(OnThisMachine):
    """An archive on this machine, pinned by its SHA-256."""

    path: Path
    platform: Platform
    digest: str
    size: int

    @property
    def description(self) -> str:
        return f"cpython from {self.path.name}"

    @property
    def url(self) -> str:
        return self.path.as_uri()

    @property
    def is_tree(self) -> bool:
        return False

    def load(self, console: Console | None = None) -> Distribution:
        """Raises CzscieError when the archive changed since it was resolved."""
        if _file_digest(self.path)[0] != self.digest:
            raise CzscieError(
                f"{self.path} changed during the build", code=Code.CHANGED_DURING_BUILD, hint="build again"
            )
        items = read_archive(self.path)
        return _distribution(items, self.platform, self.path)


def resolve_local(path: Path, platform: Platform) -> DirectorySource | ArchiveSource:
    """The CPython at `path`: a directory such as uv's, or a `.tar.gz` or `.tar.zst` such as PBS's.

    Raises CzscieError when there is none, or one for another platform.
    """
    path = path.absolute()
    if path.is_file() and path.name.endswith(SUFFIXES):
        return ArchiveSource(path, platform, *_file_digest(path))
    if not path.is_dir():
        raise CzscieError(
            f"there is no CPython at {path}",
            code=Code.INTERPRETER_UNUSABLE,
            why="it is not an archive" if path.exists() else "there is no such file or directory",
            hint=f"path must name a directory or an archive that ends in {' or '.join(SUFFIXES)}",
        )
    if (path / "pyvenv.cfg").exists():
        raise CzscieError(
            f"{path} is a virtual environment, not an interpreter",
            code=Code.INTERPRETER_UNUSABLE,
            hint="name the directory that it was made from",
        )
    try:
        items = read_directory(_root(path))
        distribution = _distribution(items, platform, path)
        description = f"cpython {distribution.layout.version} {platform.triple} from a directory"
        return DirectorySource(tree_digest(items), description, path.as_uri(), tree_size(items), distribution)
    except OSError as error:
        raise CzscieError(
            f"cannot read {error.filename or path}",
            code=Code.FILE_UNREADABLE,
            why=error.strerror or str(error),
        ) from error


def read_directory(root: Path) -> tuple[Item, ...]:
    """The items below `root`, sorted, without the bytecode that Python itself put there.

    Raises CzscieError when one of them is neither a file nor a link, or leads out of `root`.
    """
    tree = Tree(str(root))
    for path in _walk(root):
        name = path.relative_to(root).as_posix()
        if path.is_symlink():
            tree.add_link(name, path.readlink().as_posix())
        elif path.is_file():
            tree.add_file(name, OnDisk(path), bool(path.stat().st_mode & S_IXUSR))
        else:
            raise tree.refusal(name, "it is neither a plain file nor a link")
    return tree.items()


def _distribution(items: tuple[Item, ...], platform: Platform, path: Path) -> Distribution:
    distribution = Distribution.of(items, detect_layout(items, str(path)), platform, str(path))
    if platform.os == "linux":
        _check_relocatable(distribution, path)
    return distribution


def _check_relocatable(distribution: Distribution, path: Path) -> None:
    """Raise CzscieError if the interpreter finds a library of its own only where it was installed."""
    paths = {item.path: item for item in distribution.items}
    python = paths[distribution.layout.python]
    assert isinstance(python, File)
    here = posixpath.dirname(python.path)
    elf = Elf.parse(python.content.read(), str(path))
    for name in elf.needed:
        # PBS used to name the interpreter's library by a path: `$ORIGIN/../lib/libpython3.11.so.1.0`.
        places = [name] if "/" in name else [f"{directory}/{name}" for directory in elf.runpath or elf.rpath]
        inside = {posixpath.normpath(place.replace("$ORIGIN", here)) for place in places}
        if not is_of_libc(name) and name not in _OF_THE_HOST and inside.isdisjoint(paths):
            raise CzscieError(
                f"the CPython at {path} does not start on other machines",
                code=Code.INTERPRETER_UNUSABLE,
                why=f"{python.path} needs {name}, which it does not find inside of that directory",
                hint='run czscie with that CPython and use provider = "Host"',
            )


def _walk(root: Path) -> Iterator[Path]:
    def fail(error: OSError) -> None:
        raise CzscieError(
            f"cannot read {error.filename}", code=Code.FILE_UNREADABLE, why=error.strerror or str(error)
        ) from error

    for directory, directories, files in os.walk(root, onerror=fail):
        for name in list(directories):
            if name == _BYTECODE:
                directories.remove(name)
            elif (link := Path(directory, name)).is_symlink():
                directories.remove(name)
                yield link
        for name in files:
            yield Path(directory, name)


def _root(path: Path) -> Path:
    for root in _ROOTS:
        if (path / root / "bin").is_dir() or (path / root / "python.exe").is_file():
            return path / root
    return path


def _file_digest(path: Path) -> tuple[str, int]:
    """SHA-256 in hexadecimal, and the size in bytes."""
    try:
        return file_digest(path), path.stat().st_size
    except OSError as error:
        raise CzscieError(
            f"cannot read {path}", code=Code.FILE_UNREADABLE, why=error.strerror or str(error)
        ) from error
