"""Reads an untrusted archive of an interpreter, all of whose members are in one directory.

python-build-standalone has `.tar.gz` and `.tar.zst` with everything under `python/`; of a `-full` archive,
which `python/PYTHON.json` marks, only `python/install/` counts. PyPy has `.tar.bz2`, `.tar.gz` and `.zip`.
Modes shrink to executable or not, times and owners are dropped, so that the same archive gives the same items
everywhere.
"""

from __future__ import annotations

import bz2
import gzip
import stat
import tarfile
import zlib
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, cast

from czscie.container.content import Data
from czscie.container.tar_stream import TarStream, open_zstd
from czscie.container.tree import TAR_DAMAGE, Item, Tree
from czscie.container.untrusted_zip import files_in_zip, open_zip
from czscie.errors import Code, CzscieError

#: The suffixes of python-build-standalone's archives.
SUFFIXES = (".tar.gz", ".tar.zst")
#: The directory that everything in these archives is in.
ROOT = "python"

_ZIP = ".zip"
_MARK_OF_FULL = "python/PYTHON.json"
_INSTALL = "python/install/"
_LARGEST_FILE = 1 << 30


def read_archive(path: Path, root: str = ROOT) -> tuple[Item, ...]:
    """The items of the archive `path`, sorted, with paths relative to its directory `root`.

    Raises CzscieError when it is damaged or has an unsafe member: a path outside of `root`, a link that
    leaves the tree, a device, a pipe, a second file of the same name, or more than any Python needs.
    """
    import zstandard

    if path.name.endswith(_ZIP):
        return _read_zip(path, f"{root}/")
    damage = (*TAR_DAMAGE, zlib.error, zstandard.ZstdError, gzip.BadGzipFile)
    try:
        with ExitStack() as stack:
            stream = TarStream(_decompressed(path, stack))
            items = _read_members(stream, path.name, f"{root}/")
            if not stream.ends_well():
                raise CzscieError(
                    f"{path} is not a valid archive", code=Code.ARCHIVE_DAMAGED, why="it ends early"
                )
            return items
    except damage as error:
        raise CzscieError(
            f"{path} is not a valid archive",
            code=Code.ARCHIVE_DAMAGED,
            why=str(error) or type(error).__name__,
        ) from error
    except OSError as error:
        raise CzscieError(
            f"cannot read {path}", code=Code.FILE_UNREADABLE, why=error.strerror or str(error)
        ) from error


def _decompressed(path: Path, stack: ExitStack) -> BinaryIO:
    if path.name.endswith(".tar.zst"):
        return stack.enter_context(open_zstd(path))
    if path.name.endswith(".tar.gz"):
        return cast(BinaryIO, stack.enter_context(gzip.open(path)))
    if path.name.endswith(".tar.bz2"):
        return cast(BinaryIO, stack.enter_context(bz2.open(path)))
    raise CzscieError(
        f"{path} is not an archive that czscie reads",
        code=Code.ARCHIVE_DAMAGED,
        why=f"its name must end in one of {', '.join((*SUFFIXES, '.tar.bz2', _ZIP))}",
    )


def _read_zip(path: Path, root: str) -> tuple[Item, ...]:
    tree = Tree(path.name)
    with open_zip(path, path.name) as archive:
        for file in files_in_zip(lambda: archive, path.name):
            if not file.path.startswith(root):
                raise tree.refusal(file.path, f"it is not in {root}")
            below = file.path.removeprefix(root)
            tree.check_room(below, file.content.size)
            tree.add_file(below, Data(file.content.read()), file.executable)
    return tree.items()


def _read_members(stream: TarStream, source: str, top: str) -> tuple[Item, ...]:
    tree, root = Tree(source), top
    # In blocks, so that nothing is read ahead and the end of the archive can be looked at.
    with tarfile.open(fileobj=stream, mode="r|", bufsize=tarfile.BLOCKSIZE) as archive:
        first = True
        for member in archive:
            path = tree.checked_path(member.name)
            if member.isdir():
                continue
            if not path.startswith(top):
                raise tree.refusal(member.name, f"it is not in {top}")
            if first and path == _MARK_OF_FULL:
                root = _INSTALL
            first = False
            if path.startswith(root):
                _add(tree, archive, member, root)
    return tree.items()


def _add(tree: Tree, archive: tarfile.TarFile, member: tarfile.TarInfo, root: str) -> None:
    path = tree.checked_path(member.name).removeprefix(root)
    if member.issym():
        tree.add_link(path, member.linkname)
    elif member.islnk():
        target = tree.checked_path(member.linkname, of=member.name)
        if not target.startswith(root):
            raise tree.refusal(member.name, f"it is a hard link to {member.linkname!r}, outside the tree")
        tree.add_hard_link(path, target.removeprefix(root))
    elif member.isdev():
        kind = "a named pipe" if member.isfifo() else "a device"
        raise tree.refusal(member.name, f"it is {kind}")
    elif not member.isreg() or member.issparse():
        raise tree.refusal(member.name, "it is neither a plain file nor a link")
    elif member.size > _LARGEST_FILE:
        raise tree.refusal(member.name, f"it is larger than {_LARGEST_FILE >> 30} GiB")
    else:
        tree.check_room(path, member.size)
        content = archive.extractfile(member)
        assert content is not None
        tree.add_file(path, Data(content.read()), bool(member.mode & stat.S_IXUSR))
