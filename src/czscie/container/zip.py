"""The zip records that czscie writes and takes apart (PKWARE APPNOTE 6.3.10, with zip64).

The standard library writes no zstd entries before 3.14 and no zip whose offsets count from the start of a
larger file, so the records are written here. Reading goes through `zipfile` wherever it can.
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

from czscie.errors import CzscieError

STORED = 0
#: Of entries that the standard library's zipimport is to read.
DEFLATED = 8
ZSTD = 93

#: A comment's length is a 16-bit number.
COMMENT_MAX = 0xFFFF
END_RECORD_LENGTH = 22
LOCAL_HEADER_LENGTH = 30

_LOCAL_HEADER = struct.Struct("<4s5H3L2H")
_DIRECTORY_HEADER = struct.Struct("<4s4B4H3L5H2L")
_END_RECORD = struct.Struct("<4s4H2LH")
_END64_RECORD = struct.Struct("<4sQ2H2L4Q")
_END64_LOCATOR = struct.Struct("<4sLQL")
_ZIP64_EXTRA = 0x0001
_MASK32 = 0xFFFFFFFF
_MASK16 = 0xFFFF

#: What is read of an entry at a time: four bytes of zstd may become 128 KiB, so this becomes 128 MiB at most.
_PIECE = 4 << 10
#: docs/format.md, section 1.
_WINDOW_MAX = 1 << 27

_VERSION_ZSTD = 63
_MADE_ON_UNIX = 3
_UTF8_NAME = 1 << 11
#: 1980-01-01 00:00, the earliest a zip can tell: no time of a build is ever written.
_TIME, _DATE = 0, 0x21


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a zip. `header_offset` counts from the start of the file that the zip is part of."""

    name: str
    method: int
    crc32: int
    compressed_size: int
    size: int
    header_offset: int
    executable: bool = False

    def local_header(self) -> bytes:
        name = self.name.encode()
        extra, (size, compressed_size) = _zip64_pair(self.size, self.compressed_size)
        header = _LOCAL_HEADER.pack(
            b"PK\3\4",
            _VERSION_ZSTD,
            _name_flag(name),
            self.method,
            _TIME,
            _DATE,
            self.crc32,
            compressed_size,
            size,
            len(name),
            len(extra),
        )
        return header + name + extra

    def directory_header(self) -> bytes:
        name = self.name.encode()
        extra, (size, compressed_size, offset) = _zip64((self.size, self.compressed_size, self.header_offset))
        mode = 0o100755 if self.executable else 0o100644
        header = _DIRECTORY_HEADER.pack(
            b"PK\1\2",
            _VERSION_ZSTD,
            _MADE_ON_UNIX,
            _VERSION_ZSTD,
            0,
            _name_flag(name),
            self.method,
            _TIME,
            _DATE,
            self.crc32,
            compressed_size,
            size,
            len(name),
            len(extra),
            0,
            0,
            0,
            mode << 16,
            offset,
        )
        return header + name + extra

    def moved(self, distance: int) -> Entry:
        """The same entry in a file where the zip begins `distance` bytes later."""
        return replace(self, header_offset=self.header_offset + distance)


def _name_flag(name: bytes) -> int:
    return 0 if name.isascii() else _UTF8_NAME


def _zip64(values: tuple[int, ...]) -> tuple[bytes, tuple[int, ...]]:
    """The extra field for the values that need 64 bits, and what stands in the header for each of them."""
    large = [value for value in values if value >= _MASK32]
    if not large:
        return b"", values
    extra = struct.pack(f"<2H{len(large)}Q", _ZIP64_EXTRA, 8 * len(large), *large)
    return extra, tuple(min(value, _MASK32) for value in values)


def _zip64_pair(size: int, compressed_size: int) -> tuple[bytes, tuple[int, ...]]:
    """The same for a local header, where one large size brings the other with it (APPNOTE 4.5.3)."""
    if max(size, compressed_size) < _MASK32:
        return b"", (size, compressed_size)
    return struct.pack("<2H2Q", _ZIP64_EXTRA, 16, size, compressed_size), (_MASK32, _MASK32)


def directory(entries: Iterable[Entry], offset: int, comment: bytes = b"") -> bytes:
    """The central directory of `entries` with its end records, to be written at `offset`.

    Raises CzscieError when the comment is longer than a zip can say.
    """
    if len(comment) > COMMENT_MAX:
        raise CzscieError(
            f"the manifest of this lift takes {len(comment)} bytes and a zip comment holds {COMMENT_MAX}",
            mend="shorten the commands and their environment in the lift manifest",
        )
    headers = [entry.directory_header() for entry in entries]
    body = b"".join(headers)
    end64 = b""
    if len(headers) >= _MASK16 or len(body) >= _MASK32 or offset >= _MASK32:
        count, end_offset = len(headers), offset + len(body)
        versions = _VERSION_ZSTD | _MADE_ON_UNIX << 8, _VERSION_ZSTD
        end64 = _END64_RECORD.pack(b"PK\6\6", 44, *versions, 0, 0, count, count, len(body), offset)
        end64 += _END64_LOCATOR.pack(b"PK\6\7", 0, end_offset, 1)
    count = min(len(headers), _MASK16)
    end = _END_RECORD.pack(
        b"PK\5\6", 0, 0, count, count, min(len(body), _MASK32), min(offset, _MASK32), len(comment)
    )
    return body + end64 + end + comment


class Window(io.RawIOBase):
    """A file up to `end`, read-only: what `zipfile` is shown of a zip that something follows."""

    def __init__(self, file: BinaryIO, end: int) -> None:
        self._file, self._end, self._position = file, end, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._end}[whence]
        self._position = max(0, start + offset)
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        self._file.seek(self._position)
        data = self._file.read(max(0, min(len(buffer), self._end - self._position)))
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)


@dataclass(frozen=True, slots=True)
class Directory:
    """A zip's central directory: its entries in order, and where in the file it begins."""

    entries: tuple[Entry, ...]
    offset: int

    def entry(self, name: str) -> Entry:
        """Raises zipfile.BadZipFile when there is none of that name."""
        for entry in self.entries:
            if entry.name == name:
                return entry
        raise zipfile.BadZipFile(f"{name!r} is missing")


def read_directory(file: BinaryIO, end: int) -> Directory:
    """The directory of the zip that ends at `end`. Raises zipfile.BadZipFile."""
    window = io.BufferedReader(Window(file, end))
    try:
        archive = zipfile.ZipFile(window)
    except (ValueError, NotImplementedError, struct.error) as error:  # all of them are damage to zipfile
        raise zipfile.BadZipFile(str(error)) from error
    with archive:
        entries = tuple(
            Entry(
                info.filename,
                info.compress_type,
                info.CRC,
                info.compress_size,
                info.file_size,
                info.header_offset,
                bool(info.external_attr >> 16 & 0o100),
            )
            for info in archive.infolist()
        )
        for entry in entries:
            if not 0 <= entry.header_offset <= archive.start_dir - entry.compressed_size:
                raise zipfile.BadZipFile(f"{entry.name!r} does not lie before the directory")
        return Directory(entries, archive.start_dir)


def data_offset(file: BinaryIO, entry: Entry) -> int:
    """Where the data of `entry` begins in the file. Raises zipfile.BadZipFile."""
    file.seek(entry.header_offset)
    header = file.read(LOCAL_HEADER_LENGTH)
    if len(header) != LOCAL_HEADER_LENGTH or not header.startswith(b"PK\3\4"):
        raise zipfile.BadZipFile(f"the local header of {entry.name!r} is damaged")
    *_, name_length, extra_length = _LOCAL_HEADER.unpack(header)
    return int(entry.header_offset + LOCAL_HEADER_LENGTH + name_length + extra_length)


def read_entry(file: BinaryIO, entry: Entry) -> bytes:
    """The content of `entry`, checked against its size and CRC-32. Raises zipfile.BadZipFile."""
    import zlib

    file.seek(data_offset(file, entry))
    data = file.read(entry.compressed_size)
    if entry.method == ZSTD:
        import zstandard

        try:
            if zstandard.frame_content_size(data) != entry.size:  # memory for it is asked for in advance
                raise zipfile.BadZipFile(f"{entry.name!r} is damaged: its size differs")
            data = zstandard.ZstdDecompressor().decompress(data, max_output_size=entry.size)
        except zstandard.ZstdError as error:
            raise zipfile.BadZipFile(f"{entry.name!r} is damaged: {error}") from error
    elif entry.method == DEFLATED:
        try:
            data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, entry.size + 1)
        except zlib.error as error:
            raise zipfile.BadZipFile(f"{entry.name!r} is damaged: {error}") from error
    elif entry.method != STORED:
        raise zipfile.BadZipFile(f"{entry.name!r} is compressed by method {entry.method}")
    if len(data) != entry.size or zlib.crc32(data) != entry.crc32:
        raise zipfile.BadZipFile(f"{entry.name!r} is damaged: its checksum differs")
    return data


def stream_entry(file: BinaryIO, entry: Entry) -> Iterator[bytes]:
    """The content of `entry`, stored or zstd, in pieces, for entries of any size.

    Raises zipfile.BadZipFile, after the last piece too: only then it was compared with size and CRC-32.
    """
    import zlib

    size, crc32 = 0, 0
    for piece in _pieces(file, entry):
        size += len(piece)
        if size > entry.size:
            raise zipfile.BadZipFile(f"{entry.name!r} is damaged: it is longer than it says")
        crc32 = zlib.crc32(piece, crc32)
        yield piece
    if (size, crc32) != (entry.size, entry.crc32):
        raise zipfile.BadZipFile(f"{entry.name!r} is damaged: its checksum differs")


def _pieces(file: BinaryIO, entry: Entry) -> Iterator[bytes]:
    import zstandard

    if entry.method not in (STORED, ZSTD):
        raise zipfile.BadZipFile(f"{entry.name!r} is compressed by method {entry.method}")
    decoder = zstandard.ZstdDecompressor(max_window_size=_WINDOW_MAX).decompressobj()
    position, left = data_offset(file, entry), entry.compressed_size
    while left > 0:
        file.seek(position)
        data = file.read(min(left, _PIECE))
        if not data or (entry.method == ZSTD and decoder.eof):
            raise zipfile.BadZipFile(f"{entry.name!r} is damaged: its frame ends elsewhere")
        position, left = position + len(data), left - len(data)
        try:
            yield data if entry.method == STORED else decoder.decompress(data)
        except zstandard.ZstdError as error:
            raise zipfile.BadZipFile(f"{entry.name!r} is damaged: {error}") from error
    if entry.method == ZSTD and (not decoder.eof or decoder.unused_data):
        raise zipfile.BadZipFile(f"{entry.name!r} is damaged: its frame ends elsewhere")
