"""Untrusted files in a zip or a directory: listed, checked, and read on demand."""

from __future__ import annotations

import io
import lzma
import os
import stat
import struct
import threading
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from czscie.container.content import Content, File, OnDisk, pieces_of
from czscie.container.paths import check_together, checked_path
from czscie.disk import writing
from czscie.errors import Code, CzscieError
from czscie.filesystem import open_regular

#: What every Python's zipfile reads (APPNOTE.TXT 4.4.5).
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA}
_METHOD_NAMES = {9: "deflate64", 93: "zstd", 95: "xz", 98: "PPMd"}
_ENCRYPTED = 0x1
#: What zipfile raises for damage, a password, and sizes that no memory has.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    OverflowError,
    RuntimeError,
    MemoryError,
)
_LOCAL_HEADER = 30
#: Bytes that are asked for at a time: of bzip2 and LZMA, zipfile unpacks all that it has read.
_PIECE = 1 << 20
#: A zip within a zip of at least this many bytes is not held in memory, nor are more bytes of several.
_LARGE = 64 << 20
#: Zips that are held at a time: as many as threads read. Each takes a descriptor; some hosts have but 256.
_HELD = 32
_PIECE_OF_OTHERS = 4 << 10


@dataclass(frozen=True, slots=True, eq=False)
class ZipMember:
    """Content that is a member of a zip which may have to be opened again to read it."""

    archive: Callable[[], zipfile.ZipFile]
    info: zipfile.ZipInfo
    label: str

    @property
    def size(self) -> int:
        return self.info.file_size

    def read(self) -> bytes:
        """Raises CzscieError when the member's bytes are damaged: its CRC-32 is checked."""
        return b"".join(self.pieces())

    def pieces(self) -> Iterator[bytes]:
        """The same in pieces. Raises CzscieError after the last one, too."""
        try:
            yield from _pieces(self.archive(), self.info)
        except _DAMAGE as error:
            raise CzscieError(
                f"{self.info.filename} in {self.label} is damaged", code=Code.ARCHIVE_DAMAGED, why=str(error)
            ) from error


def read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """The content of a member. Memory grows with the actual bytes, not with the recorded size.

    Raises what zipfile raises, and zipfile.BadZipFile when the size differs.
    """
    return b"".join(_pieces(archive, info))


def _pieces(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    plain = info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    length = _PIECE if plain else _PIECE_OF_OTHERS
    size = 0
    with archive.open(info) as member:
        while piece := member.read(length):
            size += len(piece)
            yield piece
    if size != info.file_size:
        raise zipfile.BadZipFile(f"it has {size} bytes instead of {info.file_size}")


class Shelf:
    """Holds the zips within a PEX that were read last: each thread reads one wheel after another."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        #: By the identity of the content; the one that was read last is at the end.
        self._held: dict[int, tuple[Content, zipfile.ZipFile]] = {}

    def open(self, content: Content, label: str) -> zipfile.ZipFile:
        """The zip in `content`. Raises CzscieError when it is not one."""
        with self._lock:
            found = self._held.pop(id(content), None)
            if found is None:
                self._make_room(_in_memory(content))
                found = content, open_zip(_held(content), label)
            self._held[id(content)] = found
            return found[1]

    def _make_room(self, size: int) -> None:
        """Lets go of the zips that were not read for longest, for one more that takes `size` bytes."""
        taken = size + sum(_in_memory(content) for content, _ in self._held.values())
        while self._held and (len(self._held) >= _HELD or taken > _LARGE):
            content, _ = self._held.pop(next(iter(self._held)))
            taken -= _in_memory(content)


def _in_memory(content: Content) -> int:
    """The bytes of memory that a zip takes while it is held."""
    return 0 if isinstance(content, OnDisk) or content.size >= _LARGE else content.size


def _held(content: Content) -> Path | IO[bytes]:
    """The content where it is, in memory, or in a temporary file where that is much."""
    if isinstance(content, OnDisk):
        return content.path
    if content.size < _LARGE:
        return io.BytesIO(content.read())
    import tempfile

    with writing(Path(tempfile.gettempdir()), content.size):
        file = tempfile.TemporaryFile(prefix="czscie-")  # noqa: SIM115
        file.writelines(pieces_of(content))
        file.flush()
    return file


def open_zip(source: Path | IO[bytes], label: str) -> zipfile.ZipFile:
    """Open a zip, with or without bytes before it.

    Raises CzscieError, which calls it `label`, when it is not a zip, or its entries overlap.
    """
    archive = None
    try:
        if isinstance(source, Path):
            open_regular(source).close()
        archive = zipfile.ZipFile(source)
        _check_entries(archive)
        return archive
    except _DAMAGE as error:
        if archive is not None:
            archive.close()
        raise CzscieError(
            f"{label} is damaged, or not a zip file", code=Code.ARCHIVE_DAMAGED, why=str(error)
        ) from error


def _check_entries(archive: zipfile.ZipFile) -> None:
    """Raises zipfile.BadZipFile unless each entry has a name, and bytes of its own before the directory."""
    limit = archive.start_dir
    for info in sorted(archive.infolist(), key=lambda info: info.header_offset, reverse=True):
        if not info.filename:
            raise zipfile.BadZipFile("an entry has no name")
        least = _LOCAL_HEADER + len(info.orig_filename) + info.compress_size
        if not 0 <= info.header_offset <= limit - least:
            raise zipfile.BadZipFile(f"{info.orig_filename[:200]!r} overlaps the next entry")
        limit = info.header_offset


def files_in_zip(archive: Callable[[], zipfile.ZipFile], label: str) -> tuple[File, ...]:
    """The files in a zip, sorted by path. `archive` is called again for every read.

    Raises CzscieError, which names the entry, when its path is not safe or is there twice, when it is
    encrypted, or when its compression is not one that every Python reads.
    """
    files = []
    for info in archive().infolist():
        # zipfile cuts a name at its first NUL and turns the builder's separators: judge what the zip says.
        checked_path(info.orig_filename.removesuffix("/"), label)
        if info.is_dir():
            continue
        _check_readable(info, label)
        executable = bool(info.external_attr >> 16 & stat.S_IXUSR)
        files.append(File(info.filename, ZipMember(archive, info, label), executable))
    return _sorted(files, label)


def files_on_disk(root: Path, label: str) -> tuple[File, ...]:
    """The files below a directory, sorted by path; symbolic links are followed.

    Raises CzscieError for what is neither a file nor a directory, a link that is broken or leads back to a
    directory above it, and a name that is no UTF-8 or has a backslash.
    """
    files: list[File] = []
    _collect(root, "", (root.resolve(),), files, label)
    return _sorted(files, label)


def _collect(directory: Path, prefix: str, above: tuple[Path, ...], files: list[File], label: str) -> None:
    for entry in os.scandir(directory):
        path = prefix + entry.name
        checked_path(path, label)
        if entry.is_dir():
            real = Path(entry.path).resolve()
            if real in above:
                raise CzscieError(
                    f"{path} in {label} is a link to a directory above it", code=Code.ARCHIVE_UNSAFE
                )
            _collect(Path(entry.path), f"{path}/", (*above, real), files, label)
        elif entry.is_file():
            executable = bool(entry.stat().st_mode & stat.S_IXUSR)
            files.append(File(path, OnDisk(Path(entry.path)), executable))
        else:
            raise CzscieError(
                f"{path} in {label} is neither a file nor a directory", code=Code.ARCHIVE_UNSAFE
            )


def _check_readable(info: zipfile.ZipInfo, label: str) -> None:
    if info.flag_bits & _ENCRYPTED:
        raise CzscieError(f"{info.filename} in {label} is encrypted", code=Code.ARCHIVE_DAMAGED)
    if info.compress_type in _METHODS:
        return
    method = _METHOD_NAMES.get(info.compress_type, "unknown")
    raise CzscieError(
        f"{info.filename} in {label} is compressed with zip method {info.compress_type} ({method})",
        code=Code.ARCHIVE_DAMAGED,
        why="the entries of a PEX are stored or deflated; those of a CZEX are zstd",
        hint="pass the PEX that it was made from",
    )


def _sorted(files: Iterable[File], label: str) -> tuple[File, ...]:
    """Sort by path. Raises CzscieError for a path that occurs twice, or is both a file and a directory."""
    ordered = tuple(sorted(files, key=lambda file: file.path))
    check_together([file.path for file in ordered], label)
    return ordered
