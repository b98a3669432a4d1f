"""Mach-O executables with a payload that their signature covers.

What a signature does not cover a signer drops, and Apple silicon does not start what has none. So the payload
becomes the end of the string table: LC_SYMTAB's strsize and the segment __LINKEDIT grow over it, and the
signature follows (docs/reference/macos.md says why this way). A *bare* image is one before that: it has
no signature, and its string table is its end, on a multiple of 16. Signing changes a handful of header
fields; `bare_head` sets them back.

Sources: <mach-o/loader.h>; xnu's osfmk/kern/cs_blobs.h. native/src/mach_o.zig does the same on a Mac.

Runs when czscie is installed, too, so it needs nothing but the standard library.
"""

from __future__ import annotations

import hashlib
import io
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from czscie.errors import Code, CzscieError

#: The signature begins on a multiple of it, and so must end what it covers: signers fill a gap with zeros.
ALIGNMENT = 16

#: Offsets in a Mach-O file are 32-bit numbers.
_SIZE_MAX = (1 << 32) - 1

_MAGIC = b"\xcf\xfa\xed\xfe"
_HEADER = struct.Struct("<4sI4x4xII4x4x")
_HEADER_COUNTS = struct.Struct("<II")
_HEADER_COUNTS_AT = 16
_COMMAND = struct.Struct("<II")
_SEGMENT = struct.Struct("<8x16sQQQQ4x4xI4x")
_SEGMENT_VMSIZE_AT, _SEGMENT_FILESIZE_AT = 32, 48
_SECTION = struct.Struct("<32x8x8xI28x")
_SYMTAB = struct.Struct("<8x4x4xII")
_SYMTAB_STRSIZE_AT = 20
_LINKEDIT_DATA = struct.Struct("<IIII")
_LC_SYMTAB, _LC_SEGMENT_64, _LC_CODE_SIGNATURE = 0x2, 0x19, 0x1D
_ARM64 = 0x0100000C

#: More than any program of a linker has.
_COMMANDS_MAX = 1 << 20

_PAGE = 4096
_PAGE_SHIFT = 12
#: Bytes read at a time: pages.
_CHUNK = 256 * _PAGE
_SUPER_BLOB = struct.Struct(">III")
_SLOT = struct.Struct(">II")
_SIGNATURE_MAGIC, _DIRECTORY_MAGIC = 0xFADE0CC0, 0xFADE0C02
#: Version 2.4, the first that names the segment that may be executed.
_DIRECTORY = struct.Struct(">IIIIIIIIIBBBBIIIIQQQQ")
_DIRECTORY_HEAD = struct.Struct(">IIIIIIIIIBBBB")
_DIRECTORY_VERSION = 0x20400
_ADHOC, _SHA256, _MAIN_BINARY = 0x2, 2, 0x1


class MachOError(ValueError):
    """The file is not a thin 64-bit Mach-O executable, or is damaged."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where in the header the fields are that signing changes, and what they are measured by.

    `linkedit`, `symtab` and `signature` are offsets of commands; `text` is where the segment __TEXT lies in
    the file, and how long it is; `room` where something else than load commands begins.
    """

    page: int
    count: int
    commands_end: int
    room: int
    text: tuple[int, int]
    linkedit: int
    linkedit_start: int
    symtab: int
    strings: tuple[int, int]
    signature: int | None
    signed: tuple[int, int]


def is_mach_o(head: bytes) -> bool:
    """Whether a file that begins with `head` is a thin 64-bit Mach-O image."""
    return head.startswith(_MAGIC)


def bare(image: bytes) -> bytes:
    """The program `image` as a linker made it, without its signature and ready to be grown.

    Raises MachOError when there is no room for a signature's load command, or the string table is not last.
    """
    layout = _parse(image[: _head_length(image)])
    end = len(image) if layout.signature is None else layout.signed[0]
    start, length = layout.strings
    if not start + length <= end <= start + length + ALIGNMENT or any(image[start + length : end]):
        raise MachOError("data follows its string table")
    if layout.signature is None and layout.room - layout.commands_end < _LINKEDIT_DATA.size:
        raise MachOError("it has no room for the load command of a signature")
    body = image[:end] + bytes(-end % ALIGNMENT)
    return bare_head(body, len(body)) + body[layout.commands_end :]


def bare_head(head: bytes, size: int) -> bytes:
    """The header and load commands at the front of `head`, as they are in the bare image of `size` bytes.

    Everything that growing and signing changes, by whichever signer, is set back. Raises MachOError.
    """
    head = head[: _head_length(head)]
    layout = _parse(head)
    if not layout.strings[0] <= size <= _SIZE_MAX:
        raise MachOError("its string table does not begin where it should")
    out = bytearray(head)
    length = size - layout.linkedit_start
    struct.pack_into("<I", out, layout.symtab + _SYMTAB_STRSIZE_AT, size - layout.strings[0])
    struct.pack_into("<Q", out, layout.linkedit + _SEGMENT_VMSIZE_AT, _up(length, layout.page))
    struct.pack_into("<Q", out, layout.linkedit + _SEGMENT_FILESIZE_AT, length)
    if layout.signature is not None:
        command = _LINKEDIT_DATA.size
        commands = layout.commands_end - _HEADER.size - command
        _HEADER_COUNTS.pack_into(out, _HEADER_COUNTS_AT, layout.count - 1, commands)
        del out[layout.signature : layout.signature + command]
        out += bytes(command)
    return bytes(out)


def bare_head_of(file: BinaryIO, size: int) -> bytes:
    """The result of `bare_head` for the image in `file`; empty if it is not a Mach-O image."""
    file.seek(0)
    return bare_head(_read_head(file), size) if is_mach_o(file.read(len(_MAGIC))) else b""


@dataclass(frozen=True, slots=True)
class Seal:
    """What the signature of a bundle's executable covers besides the executable: two files of the bundle.

    `info` is the content of Info.plist, `resources` that of _CodeSignature/CodeResources.
    """

    info: bytes
    resources: bytes

    @property
    def slots(self) -> bytes:
        """The hashes in front of those of pages: slots -3 to -1, of which -2, requirements, is not there."""
        resources, info = (hashlib.sha256(file).digest() for file in (self.resources, self.info))
        return resources + bytes(len(info)) + info


def signed(image: bytes, identifier: str) -> bytes:
    """The bare image `image` with an ad-hoc signature, so that it starts on Apple silicon."""
    file = io.BytesIO(image)
    sign(file, identifier)
    return file.getvalue()


def signature_offset(file: BinaryIO, size: int) -> int | None:
    """Where the signature of the image in `file`, which is `size` bytes long, begins; None without one."""
    found = _signed(file, size)
    return None if found is None else found[0]


def check_size(size: int, name: str, seal: Seal | None = None) -> None:
    """Raises CzscieError when the executable `name`, of `size` bytes before it is signed, is too large."""
    if size + _signature_size(size, _names(name, seal)) > _SIZE_MAX:
        raise CzscieError(
            f"the executable {name} is too large for macOS: {size} bytes without its signature",
            code=Code.TOO_LARGE,
            why="offsets in a Mach-O file are 32-bit numbers",
            hint="leave something out of the payload, or download it at run time",
        )


def sign(file: BinaryIO, identifier: str, seal: Seal | None = None) -> None:
    """Grows the bare image at the front of `file` over all that follows it, and appends an ad-hoc signature.

    With `seal` it is the signature of a bundle. `file` can be read and written, and its length is a multiple
    of 16. What is in memory is 1 MiB of it at a time, and 32 bytes for each 4 KiB. Raises CzscieError when
    the file is too large, MachOError when it does not begin with a bare image.
    """
    size = file.seek(0, os.SEEK_END)
    check_size(size, identifier, seal)
    names = _names(identifier, seal)
    length = _signature_size(size, names)
    head = _grown(_read_head(file), size, length)
    layout = _parse(head)
    file.seek(0)
    file.write(head)
    slots = bytearray()
    for _, digest in _page_hashes(file, size, _PAGE):
        slots += digest
    file.seek(size)
    written = file.write(_signature_head(layout, size, names, seal, len(slots)))
    written += file.write(slots)
    file.write(bytes(length - written))


def signature_problems(file: BinaryIO, size: int) -> Iterator[str]:
    """The problems of the signature of the image in `file`, which is `size` bytes long.

    Compares its hashes with the file. Does not check who signed it. A file that is not a Mach-O image has no
    problem here.
    """
    file.seek(0)
    if not is_mach_o(file.read(len(_MAGIC))):
        return
    found = _signed(file, size)
    if found is None:
        yield "it is not signed, and Apple silicon does not start it"
        return
    offset, length = found
    if offset + length < size:
        yield f"{size - offset - length} bytes follow it"
    file.seek(offset)
    try:
        for directory in _directories(file.read(length)):
            changed = sum(there != built for there, built in directory.compare(file, offset))
            if changed:
                yield f"{changed} pages differ from the signed ones"
    except (MachOError, struct.error):
        yield "it is damaged"


def _grown(head: bytes, size: int, signature_size: int) -> bytes:
    """The header `head` of a bare image, in a file of `size` bytes and a signature of so many behind them."""
    layout = _parse(head)
    if layout.signature is not None or size % ALIGNMENT:
        raise MachOError("it is already signed, or its size is not a multiple of 16")
    if layout.room - layout.commands_end < _LINKEDIT_DATA.size:
        raise MachOError("it has no room for the load command of a signature")
    commands = layout.commands_end - _HEADER.size + _LINKEDIT_DATA.size
    length = size + signature_size - layout.linkedit_start
    out = bytearray(head)
    out += _LINKEDIT_DATA.pack(_LC_CODE_SIGNATURE, _LINKEDIT_DATA.size, size, signature_size)
    _HEADER_COUNTS.pack_into(out, _HEADER_COUNTS_AT, layout.count + 1, commands)
    struct.pack_into("<I", out, layout.symtab + _SYMTAB_STRSIZE_AT, size - layout.strings[0])
    struct.pack_into("<Q", out, layout.linkedit + _SEGMENT_VMSIZE_AT, _up(length, layout.page))
    struct.pack_into("<Q", out, layout.linkedit + _SEGMENT_FILESIZE_AT, length)
    return bytes(out)


def _signature_size(size: int, names: bytes) -> int:
    """The size of the signature of a file of `size` bytes with the `names` of its CodeDirectory."""
    pages = -(-size // _PAGE)
    directory = _DIRECTORY.size + len(names) + pages * hashlib.sha256().digest_size
    return _up(_SUPER_BLOB.size + _SLOT.size + directory, ALIGNMENT)


def _names(identifier: str, seal: Seal | None) -> bytes:
    """The bytes of a CodeDirectory between its fields and the hashes of pages."""
    return identifier.encode() + b"\0" + (b"" if seal is None else seal.slots)


def _signature_head(layout: _Layout, size: int, names: bytes, seal: Seal | None, slots: int) -> bytes:
    """An ad-hoc signature up to its hashes of pages, `slots` bytes: one CodeDirectory in a SuperBlob."""
    digest_size = hashlib.sha256().digest_size
    hashes_at = _DIRECTORY.size + len(names)
    length = hashes_at + slots
    fields = _DIRECTORY_MAGIC, length, _DIRECTORY_VERSION, _ADHOC, hashes_at, _DIRECTORY.size
    special = 0 if seal is None else len(seal.slots) // digest_size
    counts = special, slots // digest_size, size, digest_size, _SHA256, 0, _PAGE_SHIFT
    spare, scatter, team, spare3, limit64 = 0, 0, 0, 0, 0
    executable = *layout.text, _MAIN_BINARY
    directory = _DIRECTORY.pack(*fields, *counts, spare, scatter, team, spare3, limit64, *executable)
    head_length = _SUPER_BLOB.size + _SLOT.size
    head = _SUPER_BLOB.pack(_SIGNATURE_MAGIC, head_length + length, 1) + _SLOT.pack(0, head_length)
    return head + directory + names


@dataclass(frozen=True, slots=True)
class _Directory:
    """A CodeDirectory: hashes of pages of `page` bytes, up to `limit`."""

    limit: int
    page: int
    hashes: bytes

    def compare(self, file: BinaryIO, end: int) -> Iterator[tuple[bytes, bytes]]:
        """The hash of each page as it is, and as it was signed."""
        if self.limit != end:
            raise MachOError
        size = hashlib.sha256().digest_size
        for number, found in _page_hashes(file, end, self.page):
            yield found, self.hashes[number * size : (number + 1) * size]


def _directories(blob: bytes) -> Iterator[_Directory]:
    """The SHA-256 CodeDirectories of a signature. Raises MachOError or struct.error for what is none."""
    magic, length, count = _SUPER_BLOB.unpack_from(blob)
    if magic != _SIGNATURE_MAGIC or length > len(blob) or count * _SLOT.size > len(blob):
        raise MachOError
    found = 0
    for number in range(count):
        _, at = _SLOT.unpack_from(blob, _SUPER_BLOB.size + number * _SLOT.size)
        if blob[at : at + 4] != struct.pack(">I", _DIRECTORY_MAGIC):
            continue
        fields = _DIRECTORY_HEAD.unpack_from(blob, at)
        hashes_at, pages, limit, size, kind, shift = (fields[n] for n in (4, 7, 8, 9, 10, 12))
        if kind != _SHA256:
            continue
        if not 12 <= shift <= 14 or pages != -(-limit >> shift) or size != hashlib.sha256().digest_size:
            raise MachOError
        found += 1
        yield _Directory(limit, 1 << shift, blob[at + hashes_at : at + hashes_at + pages * size])
    if not found:
        raise MachOError


def _page_hashes(file: BinaryIO, size: int, page: int) -> Iterator[tuple[int, bytes]]:
    """Number and SHA-256 of each page of the first `size` bytes; the last one ends with them."""
    file.seek(0)
    number = 0
    for at in range(0, size, _CHUNK):
        chunk = memoryview(file.read(min(_CHUNK, size - at)))
        for start in range(0, len(chunk), page):
            yield number, hashlib.sha256(chunk[start : start + page]).digest()
            number += 1


def _signed(file: BinaryIO, size: int) -> tuple[int, int] | None:
    """Where the signature lies, and how long it is."""
    try:
        layout = _parse(_read_head(file))
    except MachOError:
        return None
    offset, length = layout.signed
    if layout.signature is None or not layout.commands_end <= offset <= size - length:
        return None
    return offset, length


def _read_head(file: BinaryIO) -> bytes:
    """The header and the load commands."""
    file.seek(0)
    head = file.read(_HEADER.size)
    return head + file.read(_head_length(head) - len(head))


def _head_length(head: bytes) -> int:
    if len(head) < _HEADER.size or not is_mach_o(head):
        raise MachOError("it is not a 64-bit Mach-O image")
    length = int(_HEADER.unpack_from(head)[3])
    if length > _COMMANDS_MAX:
        raise MachOError("its load commands are damaged")
    return _HEADER.size + length


def _parse(head: bytes) -> _Layout:
    """The layout of the image that begins with `head`, all of its load commands."""
    if len(head) < _head_length(head):
        raise MachOError("it ends within its load commands")
    _, cpu, count, _ = _HEADER.unpack_from(head)
    segments: dict[bytes, tuple[int, int, int]] = {}
    single: dict[int, int] = {}
    room = _SIZE_MAX
    for kind, at, length in _commands(head, count):
        if kind == _LC_SEGMENT_64 and length >= _SEGMENT.size:
            name, _, _, start, size, sections = _SEGMENT.unpack_from(head, at)
            if name in segments or sections > (length - _SEGMENT.size) // _SECTION.size:
                raise MachOError("its segments are damaged")
            segments[name] = at, start, size
            for number in range(sections):
                [offset] = _SECTION.unpack_from(head, at + _SEGMENT.size + number * _SECTION.size)
                room = min(room, offset or room)
        elif (kind, length) in ((_LC_SYMTAB, 24), (_LC_CODE_SIGNATURE, _LINKEDIT_DATA.size)):
            if kind in single:
                raise MachOError("one of its load commands occurs twice")
            single[kind] = at
    try:
        _, *text = segments[b"__TEXT".ljust(16, b"\0")]
        linkedit, linkedit_start, linkedit_size = segments[b"__LINKEDIT".ljust(16, b"\0")]
        symtab = single[_LC_SYMTAB]
    except KeyError as error:
        raise MachOError("it lacks a load command that every program has") from error
    strings = _SYMTAB.unpack_from(head, symtab)
    signature = single.get(_LC_CODE_SIGNATURE)
    signed = (0, 0) if signature is None else _LINKEDIT_DATA.unpack_from(head, signature)[2:]
    if not linkedit_start <= strings[0] <= sum(strings) <= linkedit_start + linkedit_size:
        raise MachOError("its string table is not in its segment")
    return _Layout(
        page=0x4000 if cpu == _ARM64 else 0x1000,
        count=count,
        commands_end=len(head),
        room=room,
        text=(text[0], text[1]),
        linkedit=linkedit,
        linkedit_start=linkedit_start,
        symtab=symtab,
        strings=(strings[0], strings[1]),
        signature=signature,
        signed=(signed[0], signed[1]),
    )


def _commands(head: bytes, count: int) -> Iterator[tuple[int, int, int]]:
    """Kind, offset and length of the load commands, which fill what follows the header exactly."""
    at = _HEADER.size
    for _ in range(count):
        if at + _COMMAND.size > len(head):
            raise MachOError("its load commands are damaged")
        kind, length = _COMMAND.unpack_from(head, at)
        if length < _COMMAND.size or at + length > len(head):
            raise MachOError("its load commands are damaged")
        yield kind, at, length
        at += length
    if at != len(head):
        raise MachOError("its load commands are damaged")


def _up(number: int, step: int) -> int:
    return -(-number // step) * step
