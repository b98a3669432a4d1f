"""Reads an archive of python-build-standalone defensively: `.tar.gz` and `.tar.zst`, everything under
`python/`.

Of a `-full` archive, which `python/PYTHON.json` marks, only `python/install/` counts. Modes shrink to
executable or not, times and owners are dropped, so that the same archive gives the same items everywhere.
"""

from __future__ import annotations

import gzip
import io
import stat
import tarfile
import zlib
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, cast

from czscie.container.content import Data
from czscie.container.tree import TAR_DAMAGE, Item, Tree
from czscie.errors import CzscieError

SUFFIXES = (".tar.gz", ".tar.zst")

_ROOT = "python/"
_MARK_OF_FULL = "python/PYTHON.json"
_INSTALL = "python/install/"
_LARGEST_FILE = 1 << 30
#: All that an archive holds, with what is passed over: eight times PBS's `-full`.
_LARGEST_ARCHIVE = 8 << 30
#: A tar ends with two blocks of zeros (POSIX pax, "ustar Interchange Format").
_END = bytes(1024)
#: PBS compresses at level 22, whose window is 128 MiB; the most that libzstd can be asked for is 2 GiB.
_LARGEST_WINDOW = 1 << 30
_CHUNK = 1 << 20
#: tarfile looks for a member's end by reading, behind the end of the archive too, as often as its size says.
_EMPTY_READS = 100


def read_archive(path: Path) -> tuple[Item, ...]:
    """The items of the archive `path`, sorted, with paths relative to the interpreter's root.

    Raises CzscieError when it is damaged or has a member that will not be unpacked: a path or a link that
    leaves the tree, a device, a pipe, a second file of the same name, or more than any CPython needs.
    """
    import zstandard

    damage = (*TAR_DAMAGE, zlib.error, zstandard.ZstdError, gzip.BadGzipFile)
    try:
        with ExitStack() as stack:
            stream = _Tail(_decompressed(path, stack))
            items = _read_members(stream, path.name)
            if not stream.ends_well():
                raise CzscieError(f"{path} is not a sound archive", why="it ends early")
            return items
    except damage as error:
        raise CzscieError(f"{path} is not a sound archive", why=str(error) or type(error).__name__) from error
    except OSError as error:
        raise CzscieError(f"cannot read {path}", why=error.strerror or str(error)) from error


def _decompressed(path: Path, stack: ExitStack) -> BinaryIO:
    import zstandard

    if path.name.endswith(".tar.zst"):
        file = stack.enter_context(path.open("rb"))
        decoder = zstandard.ZstdDecompressor(max_window_size=_LARGEST_WINDOW)
        reader = decoder.stream_reader(file, read_across_frames=True)
        return cast(BinaryIO, stack.enter_context(reader))
    if path.name.endswith(".tar.gz"):
        return cast(BinaryIO, stack.enter_context(gzip.open(path)))
    raise CzscieError(
        f"{path} is not an archive that czscie reads", why=f"its name ends in none of {', '.join(SUFFIXES)}"
    )


class _Tail(io.RawIOBase):
    """A stream that remembers its last bytes."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._tail = b""
        self._size = 0
        self._empty = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(size)
        self._size += len(data)
        self._empty = 0 if data or not size else self._empty + 1
        if self._empty > _EMPTY_READS:
            raise EOFError("it ends early")
        if self._size > _LARGEST_ARCHIVE:
            raise ValueError(f"it unpacks to more than {_LARGEST_ARCHIVE} bytes")
        self._tail = (self._tail + data)[-len(_END) :] if len(data) < len(_END) else data[-len(_END) :]
        return data

    def ends_well(self) -> bool:
        """Read what is left, which checks the checksums of gzip, and see that it is the end of a tar.

        tarfile takes a damaged header for the end; then something other than zeros follows.
        """
        while chunk := self.read(_CHUNK):
            if chunk.strip(b"\0"):
                return False
        return self._tail == _END


def _read_members(stream: _Tail, source: str) -> tuple[Item, ...]:
    tree, root = Tree(source), _ROOT
    # In blocks, so that nothing is read ahead and the end of the archive can be looked at.
    with tarfile.open(fileobj=stream, mode="r|", bufsize=tarfile.BLOCKSIZE) as archive:
        first = True
        for member in archive:
            path = tree.checked_path(member.name)
            if member.isdir():
                continue
            if not path.startswith(_ROOT):
                raise tree.refusal(member.name, f"it is not in {_ROOT}")
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
            raise tree.refusal(member.name, f"it is a hard link to {member.linkname!r}, outside of the tree")
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
