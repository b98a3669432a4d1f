"""Windows executables with resources of their own and a payload behind them.

A linker's image is *shaped*: it gets its subsystem and a last section, `.rsrc`, with what Windows shows of it
(czscie.windows). What follows the sections is the payload, which a signature covers too. Signing writes two
header fields, CheckSum and the place of the certificate table, which goes to the end of the file; `bare_head`
sets them back. `compiled` is the image as the linker made it.

Source: Microsoft's "PE Format", https://learn.microsoft.com/windows/win32/debug/pe-format. native/src/pe.zig
reads the same on Windows.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import BinaryIO

from czscie.errors import Code, CzscieError

#: Signers fill up to a multiple of 8 before they append a certificate table: what they sign ends on one.
ALIGNMENT = 16

#: Offsets in an image are 32-bit numbers, and Windows starts no larger file.
_SIZE_MAX = (1 << 32) - 1

#: Headers of a program: more than any linker's take.
HEAD_MAX = 4096
_CHUNK = 1 << 20

_PE_AT = 0x3C
_FILE_HEADER = struct.Struct("<4sHH12xHH")
_SECTIONS_AT, _PE32_PLUS = 6, 0x20B
# Of the optional header, by its field's offset there.
_INITIALIZED_AT, _ALIGNMENTS_AT, _IMAGE_SIZE_AT = 8, 32, 56
_HEADERS_SIZE_AT, _CHECKSUM_AT, _SUBSYSTEM_AT, _DIRECTORIES_AT, _DIRECTORY_AT = 60, 64, 68, 108, 112
_RESOURCES, _CERTIFICATES = 2, 4
_DIRECTORY = struct.Struct("<II")
_SECTION = struct.Struct("<8s6I2HI")
_GUI, _CONSOLE = 2, 3
_RSRC = b".rsrc".ljust(8, b"\0")
#: IMAGE_SCN_CNT_INITIALIZED_DATA and IMAGE_SCN_MEM_READ.
_READ_ONLY_DATA = 0x40000040


class PeError(ValueError):
    """The file is not a 64-bit Windows executable, or is damaged."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where the header fields are that shaping and signing change, and what they say.

    `optional` and `table` are offsets of the optional header and of the section table. `end` is where the
    last section ends in the file, `last` where it and its data begin.
    """

    pe: int
    optional: int
    table: int
    count: int
    headers_size: int
    file_alignment: int
    section_alignment: int
    image_size: int
    certificates: tuple[int, int]
    end: int
    last: tuple[bytes, int, int]


def is_pe(head: bytes) -> bool:
    """Whether a file that begins with `head` is a 64-bit Windows executable."""
    try:
        _parse(head[:HEAD_MAX])
    except PeError:
        return False
    return True


def next_section(image: bytes) -> int:
    """The address, relative to the image's, that a section gets by `shaped`. Raises PeError."""
    return _parse(image[:HEAD_MAX]).image_size


def shaped(image: bytes, rsrc: bytes, *, windowed: bool) -> bytes:
    """The linker's `image` with the resources `rsrc`, made for `next_section`. `windowed` has no console.

    Raises PeError when it has resources already, data follows its sections, or its headers have no room
    for a section more.
    """
    layout = _parse(image[:HEAD_MAX])
    if layout.last[0] == _RSRC or any(_directory(image, layout, _RESOURCES)):
        raise PeError("it has resources already")
    if layout.end != len(image):
        raise PeError("data follows its sections")
    if layout.table + (layout.count + 1) * _SECTION.size > layout.headers_size:
        raise PeError("its headers have no room for a section")
    raw = _up(len(rsrc), layout.file_alignment)
    out = bytearray(image)
    address = layout.image_size
    section = _SECTION.pack(_RSRC, len(rsrc), address, raw, len(image), 0, 0, 0, 0, _READ_ONLY_DATA)
    at = layout.table + layout.count * _SECTION.size
    out[at : at + _SECTION.size] = section
    struct.pack_into("<H", out, layout.pe + _SECTIONS_AT, layout.count + 1)
    [initialized] = struct.unpack_from("<I", out, layout.optional + _INITIALIZED_AT)
    struct.pack_into("<I", out, layout.optional + _INITIALIZED_AT, initialized + raw)
    image_size = address + _up(len(rsrc), layout.section_alignment)
    struct.pack_into("<I", out, layout.optional + _IMAGE_SIZE_AT, image_size)
    _DIRECTORY.pack_into(out, _directory_at(layout, _RESOURCES), address, len(rsrc))
    struct.pack_into("<H", out, layout.optional + _SUBSYSTEM_AT, _GUI if windowed else _CONSOLE)
    return bytes(out) + rsrc.ljust(raw, b"\0")


def compiled(image: bytes) -> bytes:
    """The linker's image that became `image`, the head of a file. Raises PeError."""
    layout = _parse(image[:HEAD_MAX])
    out = bytearray(bare_head(image))
    out += image[len(out) :]
    struct.pack_into("<H", out, layout.optional + _SUBSYSTEM_AT, _CONSOLE)
    name, address, raw_at = layout.last
    if name != _RSRC or layout.count < 2:
        return bytes(out)
    at = layout.table + (layout.count - 1) * _SECTION.size
    [raw] = struct.unpack_from("<I", out, at + 16)
    out[at : at + _SECTION.size] = bytes(_SECTION.size)
    struct.pack_into("<H", out, layout.pe + _SECTIONS_AT, layout.count - 1)
    [initialized] = struct.unpack_from("<I", out, layout.optional + _INITIALIZED_AT)
    struct.pack_into("<I", out, layout.optional + _INITIALIZED_AT, (initialized - raw) % (1 << 32))
    struct.pack_into("<I", out, layout.optional + _IMAGE_SIZE_AT, address)
    _DIRECTORY.pack_into(out, _directory_at(layout, _RESOURCES), 0, 0)
    return bytes(out[:raw_at])


def bare_head(head: bytes) -> bytes:
    """The headers at the front of `head` without what signing writes into them. Raises PeError."""
    layout = _parse(head[:HEAD_MAX])
    out = bytearray(head[: min(len(head), layout.headers_size)])
    struct.pack_into("<I", out, layout.optional + _CHECKSUM_AT, 0)
    _DIRECTORY.pack_into(out, _directory_at(layout, _CERTIFICATES), 0, 0)
    return bytes(out)


def bare_head_of(file: BinaryIO) -> bytes:
    """The result of `bare_head` for the image in `file`; empty if it is not a Windows executable."""
    head = _head(file)
    return bare_head(head) if is_pe(head) else b""


def certificates(file: BinaryIO, size: int) -> tuple[int, int] | None:
    """Offset and length of the certificate table of the image in `file`, `size` bytes long, or None."""
    try:
        offset, length = _parse(_head(file)).certificates
    except PeError:
        return None
    return None if offset == 0 or offset > size else (offset, min(length, size - offset))


def check_size(size: int, name: str) -> None:
    """Raises CzscieError when the executable `name`, of `size` bytes, is too large for Windows."""
    if size > _SIZE_MAX:
        raise CzscieError(
            f"the executable {name} is too large for Windows: {size} bytes",
            code=Code.TOO_LARGE,
            why="Windows cannot start programs of 4 GiB or more",
            hint="leave something out of the payload, or download it at run time",
        )


def checksum(file: BinaryIO) -> int:
    """The correct CheckSum of the image in `file`, as ImageHlp's CheckSumMappedFile computes it. Raises
    PeError.

    It is the sum of its 16-bit numbers with their carries, CheckSum taken as 0, and the file's length.
    """
    layout = _parse(_head(file))
    at = layout.optional + _CHECKSUM_AT
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    total, first = 0, True
    while chunk := file.read(_CHUNK):
        if first:
            chunk, first = chunk[:at] + bytes(4) + chunk[at + 4 :], False
        # With their carries numbers add up as they do modulo 65535.
        total += int.from_bytes(chunk, "little") % 0xFFFF
    return ((total % 0xFFFF or 0xFFFF) + size) & 0xFFFFFFFF


def seal(file: BinaryIO) -> None:
    """Writes CheckSum into the image in `file`, which can be read and written. Raises PeError."""
    at = _parse(_head(file)).optional + _CHECKSUM_AT
    found = checksum(file)
    file.seek(at)
    file.write(struct.pack("<I", found))
    file.seek(0, os.SEEK_END)


def signed_ranges(file: BinaryIO, end: int) -> list[tuple[int, int]]:
    """The parts of the image in `file`, from and to, that an Authenticode signature at `end` hashes.

    Source: Microsoft's "Windows Authenticode Portable Executable Signature Format". Raises PeError.
    """
    layout = _parse(_head(file))
    sum_at, entry_at = layout.optional + _CHECKSUM_AT, _directory_at(layout, _CERTIFICATES)
    return [(0, sum_at), (sum_at + 4, entry_at), (entry_at + _DIRECTORY.size, end)]


def stored_checksum(file: BinaryIO) -> int:
    """The field CheckSum of the image in `file`. Raises PeError."""
    head = _head(file)
    return int(struct.unpack_from("<I", head, _parse(head).optional + _CHECKSUM_AT)[0])


def _head(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read(HEAD_MAX)


def _directory_at(layout: _Layout, number: int) -> int:
    return layout.optional + _DIRECTORY_AT + number * _DIRECTORY.size


def _directory(head: bytes, layout: _Layout, number: int) -> tuple[int, int]:
    address, size = _DIRECTORY.unpack_from(head, _directory_at(layout, number))
    return address, size


def _parse(head: bytes) -> _Layout:
    """The layout of the image that begins with `head`, which holds all of its headers."""
    if len(head) < _PE_AT + 4 or not head.startswith(b"MZ"):
        raise PeError("it is not a Windows executable")
    [pe] = struct.unpack_from("<I", head, _PE_AT)
    optional = pe + _FILE_HEADER.size
    if optional + _DIRECTORY_AT > len(head):
        raise PeError("it ends within its headers")
    magic, _, count, optional_size, _ = _FILE_HEADER.unpack_from(head, pe)
    [kind] = struct.unpack_from("<H", head, optional)
    [directories] = struct.unpack_from("<I", head, optional + _DIRECTORIES_AT)
    if magic != b"PE\0\0" or kind != _PE32_PLUS:
        raise PeError("it is not a 64-bit Windows executable")
    if directories <= _CERTIFICATES or optional_size < _DIRECTORY_AT + directories * _DIRECTORY.size:
        raise PeError("its headers are damaged")
    table = optional + optional_size
    [headers_size] = struct.unpack_from("<I", head, optional + _HEADERS_SIZE_AT)
    if count == 0 or not table + count * _SECTION.size <= headers_size <= len(head):
        raise PeError("its headers are damaged")
    section_alignment, file_alignment = struct.unpack_from("<II", head, optional + _ALIGNMENTS_AT)
    if not 0 < file_alignment <= section_alignment <= _CHUNK:
        raise PeError("its headers are damaged")
    [image_size] = struct.unpack_from("<I", head, optional + _IMAGE_SIZE_AT)
    end = 0
    for number in range(count):
        name, _, address, raw, raw_at, *_ = _SECTION.unpack_from(head, table + number * _SECTION.size)
        end = max(end, raw_at + raw)
        last = name, address, raw_at
    return _Layout(
        pe=pe,
        optional=optional,
        table=table,
        count=count,
        headers_size=headers_size,
        file_alignment=file_alignment,
        section_alignment=section_alignment,
        image_size=image_size,
        certificates=_DIRECTORY.unpack_from(head, optional + _DIRECTORY_AT + _CERTIFICATES * _DIRECTORY.size),
        end=end,
        last=last,
    )


def _up(number: int, step: int) -> int:
    return -(-number // step) * step
