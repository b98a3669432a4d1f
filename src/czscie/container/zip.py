"""Reads and writes the zip records of czscie's files (PKWARE APPNOTE 6.3.10, with zip64).

The standard library writes no zstd entries before 3.14 and no zip whose offsets count from the start of a
larger file. It trusts the sizes in a file. So this module reads and writes the records itself.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import BinaryIO

from czscie.errors import Code, CzscieError

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
_DEFLATED_PIECE = 1 << 20
#: The largest directory that is read, as in native/src/zip.zig, and the largest document.
_DIRECTORY_MAX = 256 << 20
DOCUMENT_MAX = 256 << 20
#: docs/reference/format.md, section 1.
_WINDOW_MAX = 1 << 27

_VERSION_ZSTD = 63
_MADE_ON_UNIX = 3
_UTF8_NAME = 1 << 11
_ENCRYPTED = 1
#: 1980-01-01 00:00, the earliest a zip can tell: no time of a build is ever written.
_TIME, _DATE = 0, 0x21


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a zip. `header_offset` counts from the start of the file that the zip is part of.

    `limit` is where the next thing in the file begins, None of an entry that is being written.
    """

    name: str
    method: int
    crc32: int
    compressed_size: int
    size: int
    header_offset: int
    executable: bool = False
    limit: int | None = field(default=None, compare=False)

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
            f"the manifest of this lift takes {len(comment)} bytes, and the limit is {COMMENT_MAX}",
            code=Code.TOO_LARGE,
            hint="shorten the commands and their environment in the lift manifest",
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


def last_directory(entries: Iterable[Entry], offset: int, manifest: bytes, alignment: int) -> bytes:
    """The directory of the last zip of a scie, whose comment is the manifest.

    Line feeds follow it up to a multiple of `alignment` bytes of the file.
    """
    records = directory(entries := tuple(entries), offset, manifest)
    padding = -(offset + len(records)) % alignment
    return directory(entries, offset, manifest + b"\n" * padding)


@dataclass(frozen=True, slots=True)
class CentralDirectory:
    """A zip's central directory: its entries in order, and where in the file it begins."""

    entries: tuple[Entry, ...]
    offset: int

    def entry(self, name: str) -> Entry:
        """Raises zipfile.BadZipFile when there is none of that name."""
        for entry in self.entries:
            if entry.name == name:
                return entry
        raise zipfile.BadZipFile(f"{name!r} is missing")


def read_directory(file: BinaryIO, end: int, start: int = 0) -> CentralDirectory:
    """The directory of the zip in `file` between `start` and `end`, without its comment.

    Reads are bounded by the file's size, and by 256 MiB. Raises zipfile.BadZipFile on invalid records, and on
    an entry that occurs twice or overlaps another.
    """
    count, length, offset = _find_directory(file, start, end)
    entries: list[Entry] = []
    rest = memoryview(_read_exactly(file, offset, length))
    for _ in range(count):
        entry, rest = _parse_entry(rest)
        entries.append(entry)
    if rest:
        raise zipfile.BadZipFile("its directory is longer than its entries")
    return CentralDirectory(_with_limits(entries, start, offset), offset)


def _find_directory(file: BinaryIO, start: int, end: int) -> tuple[int, int, int]:
    """Number of entries, length and offset of the directory (APPNOTE 4.3.14 to 4.3.16)."""
    at = end - END_RECORD_LENGTH
    if not 0 <= start <= at:
        raise zipfile.BadZipFile("it is too short for a zip")
    record = _read_exactly(file, at, END_RECORD_LENGTH)
    if not record.startswith(b"PK\5\6"):
        raise zipfile.BadZipFile("it has no end of central directory record")
    _, _, _, _, count, length, offset, _ = _END_RECORD.unpack(record)
    if count == _MASK16 or _MASK32 in (length, offset):
        locator_at = at - _END64_LOCATOR.size
        if locator_at - _END64_RECORD.size < start:
            raise zipfile.BadZipFile("its zip64 records are missing")
        signature, _, at, _ = _END64_LOCATOR.unpack(_read_exactly(file, locator_at, _END64_LOCATOR.size))
        if signature != b"PK\6\7" or not start <= at <= locator_at - _END64_RECORD.size:
            raise zipfile.BadZipFile("its zip64 records are damaged")
        record = _read_exactly(file, at, _END64_RECORD.size)
        if not record.startswith(b"PK\6\6"):
            raise zipfile.BadZipFile("its zip64 records are damaged")
        *_, count, length, offset = _END64_RECORD.unpack(record)
    if (
        not start <= offset <= at - length
        or length > _DIRECTORY_MAX
        or count * _DIRECTORY_HEADER.size > length
    ):
        raise zipfile.BadZipFile("its directory does not lie before its end")
    return count, length, offset


def _parse_entry(rest: memoryview) -> tuple[Entry, memoryview]:
    """The first entry of a directory, and what follows it."""
    if len(rest) < _DIRECTORY_HEADER.size or bytes(rest[:4]) != b"PK\1\2":
        raise zipfile.BadZipFile("its directory is damaged")
    fields = _DIRECTORY_HEADER.unpack_from(rest)
    flags, method, crc32, name_length, extra_length, comment_length = (
        fields[index] for index in (5, 6, 9, 12, 13, 14)
    )
    compressed_size, size, mode, offset = fields[10], fields[11], fields[17] >> 16, fields[18]
    extra_at = _DIRECTORY_HEADER.size + name_length
    end = extra_at + extra_length + comment_length
    if len(rest) < end:
        raise zipfile.BadZipFile("its directory is damaged")
    try:
        name = str(rest[_DIRECTORY_HEADER.size : extra_at], "utf-8")
    except UnicodeDecodeError as error:
        raise zipfile.BadZipFile(f"the name of an entry is not UTF-8: {error}") from error
    if flags & _ENCRYPTED:
        raise zipfile.BadZipFile(f"{name!r} is encrypted")
    if _MASK32 in (size, compressed_size, offset):
        values = (size, compressed_size, offset)
        size, compressed_size, offset = _from_zip64(rest[extra_at : extra_at + extra_length], values, name)
    if method == STORED and size != compressed_size:
        raise zipfile.BadZipFile(f"{name!r} is stored, but its two sizes differ")
    entry = Entry(name, method, crc32, compressed_size, size, offset, bool(mode & 0o100))
    return entry, rest[end:]


def _from_zip64(extra: memoryview, values: tuple[int, int, int], name: str) -> tuple[int, int, int]:
    """The three values; those that are all ones come from the zip64 extra field (APPNOTE 4.5.3)."""
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<2H", extra)
        body, extra = extra[4 : 4 + length], extra[4 + length :]
        if kind != _ZIP64_EXTRA:
            continue
        if len(body) != length or length < 8 * values.count(_MASK32):
            break
        numbers = (number for (number,) in struct.iter_unpack("<Q", body[: length // 8 * 8]))
        size, compressed_size, offset = (next(numbers) if value == _MASK32 else value for value in values)
        return size, compressed_size, offset
    raise zipfile.BadZipFile(f"{name!r} has an incomplete zip64 field")


def _with_limits(entries: list[Entry], start: int, end: int) -> tuple[Entry, ...]:
    """The entries, each with the offset of the next thing in the file, which its data must not pass."""
    names: set[str] = set()
    limited: dict[str, Entry] = {}
    limit = end
    for entry in sorted(entries, key=lambda entry: entry.header_offset, reverse=True):
        if entry.name in names:
            raise zipfile.BadZipFile(f"{entry.name!r} occurs twice")
        names.add(entry.name)
        least = LOCAL_HEADER_LENGTH + len(entry.name.encode()) + entry.compressed_size
        if not start <= entry.header_offset <= limit - least:
            what = "overlaps another entry" if limit < end else "does not lie before the directory"
            raise zipfile.BadZipFile(f"{entry.name!r} {what}")
        limited[entry.name] = replace(entry, limit=limit)
        limit = entry.header_offset
    return tuple(limited[entry.name] for entry in entries)


def _read_exactly(file: BinaryIO, offset: int, length: int) -> bytes:
    """`length` bytes. The caller has checked that the file can have so many."""
    file.seek(offset)
    data = file.read(length)
    if len(data) != length:
        raise zipfile.BadZipFile("it ends early")
    return data


def data_offset(file: BinaryIO, entry: Entry) -> int:
    """Where the data of `entry` begins in the file. Raises zipfile.BadZipFile."""
    header = _read_exactly(file, entry.header_offset, LOCAL_HEADER_LENGTH)
    *_, name_length, extra_length = _LOCAL_HEADER.unpack(header)
    if not header.startswith(b"PK\3\4") or file.read(name_length) != entry.name.encode():
        raise zipfile.BadZipFile(f"the local header of {entry.name!r} is damaged")
    offset = int(entry.header_offset + LOCAL_HEADER_LENGTH + name_length + extra_length)
    if entry.limit is not None and offset > entry.limit - entry.compressed_size:
        raise zipfile.BadZipFile(f"{entry.name!r} overlaps the next entry")
    return offset


def read_document(file: BinaryIO, entry: Entry) -> bytes:
    """The content of a document, which may be untrusted: a plan, a catalogue, a bill of materials.

    Raises zipfile.BadZipFile when it is damaged or too large.
    """
    if entry.size > DOCUMENT_MAX:
        raise zipfile.BadZipFile(f"{entry.name!r} is larger than {DOCUMENT_MAX >> 20} MiB")
    return read_entry(file, entry)


def read_entry(file: BinaryIO, entry: Entry) -> bytes:
    """The content of `entry`, checked against its size and CRC-32. Raises zipfile.BadZipFile.

    Memory grows with the actual content, not with the recorded size.
    """
    return b"".join(stream_entry(file, entry))


def stream_entry(file: BinaryIO, entry: Entry) -> Iterator[bytes]:
    """The content of `entry` in pieces, for entries of any size.

    Raises zipfile.BadZipFile, after the last piece too: only then it was compared with size and CRC-32.
    """
    import zlib

    size, crc32 = 0, 0
    for piece in _pieces(file, entry):
        size += len(piece)
        if size > entry.size:
            raise zipfile.BadZipFile(f"{entry.name!r} is damaged: it is longer than its recorded size")
        crc32 = zlib.crc32(piece, crc32)
        yield piece
    if (size, crc32) != (entry.size, entry.crc32):
        raise zipfile.BadZipFile(f"{entry.name!r} is damaged: its checksum differs")


def _pieces(file: BinaryIO, entry: Entry) -> Iterator[bytes]:
    packed = _packed_pieces(file, entry)
    if entry.method == STORED:
        return packed
    if entry.method == ZSTD:
        return _zstd_pieces(packed, entry)
    if entry.method == DEFLATED:
        return _deflated_pieces(packed, entry)
    raise zipfile.BadZipFile(f"{entry.name!r} is compressed by method {entry.method}")


def _packed_pieces(file: BinaryIO, entry: Entry) -> Iterator[bytes]:
    position, left = data_offset(file, entry), entry.compressed_size
    while left > 0:
        data = _read_exactly(file, position, min(left, _PIECE))
        position, left = position + len(data), left - len(data)
        yield data


def _zstd_pieces(packed: Iterator[bytes], entry: Entry) -> Iterator[bytes]:
    import zstandard

    decoder = zstandard.ZstdDecompressor(max_window_size=_WINDOW_MAX).decompressobj()
    begun = False
    for data in packed:
        try:
            # The decoder's memory is the frame's window, or its content if that is smaller.
            if not begun and zstandard.frame_content_size(data) != entry.size:
                raise zipfile.BadZipFile(f"{entry.name!r} is damaged: its size differs")
            begun = True
            if decoder.eof:
                break
            yield decoder.decompress(data)
        except zstandard.ZstdError as error:
            raise zipfile.BadZipFile(f"{entry.name!r} is damaged: {error}") from error
    else:
        if decoder.eof and not decoder.unused_data:
            return
    raise zipfile.BadZipFile(f"{entry.name!r} is damaged: its frame ends before or after its data")


def _deflated_pieces(packed: Iterator[bytes], entry: Entry) -> Iterator[bytes]:
    import zlib

    decoder = zlib.decompressobj(-zlib.MAX_WBITS)
    for data in packed:
        left = data
        while left and not decoder.eof:
            try:
                yield decoder.decompress(left, _DEFLATED_PIECE)
            except zlib.error as error:
                raise zipfile.BadZipFile(f"{entry.name!r} is damaged: {error}") from error
            left = decoder.unconsumed_tail
    yield decoder.flush()
    if not decoder.eof or decoder.unused_data:
        raise zipfile.BadZipFile(f"{entry.name!r} is damaged: it ends before or after its data")
