"""Makes an ELF file find its libraries beside itself: sets DT_RPATH without any external tool.

DT_RPATH rather than DT_RUNPATH, as python-build-standalone does it: the loader looks there before
LD_LIBRARY_PATH, so nothing of the user's host takes the place of a library that travels with the
interpreter.

A directory whose name the string table does not hold yet needs a longer string table. It goes to the end of
the file with a PT_LOAD of its own, whose slot in the program headers is one that a PT_NOTE held: notes are
for debuggers and, where a PT_GNU_PROPERTY names the same bytes, for nobody.
"""

from __future__ import annotations

import struct

from czscie.elf import (
    DT_NULL,
    DT_RPATH,
    DT_RUNPATH,
    DT_STRSZ,
    DT_STRTAB,
    PT_LOAD,
    PT_NOTE,
    Codec,
    Elf,
    ElfError,
    Segment,
)
from czscie.errors import Code

_PT_GNU_PROPERTY = 0x6474E553
_PF_R = 4
_SHT_STRTAB = 3
#: Hints that save the loader comparisons; their slots can be reused.
_DT_RELACOUNT, _DT_RELCOUNT = 0x6FFFFFF9, 0x6FFFFFFA
_STRING_TABLE_ALIGN = 8
_SMALLEST_PAGE = 0x1000


def with_search_path(data: bytes, path: str, name: str) -> bytes:
    """The ELF file `data` with `path` (`$ORIGIN/../lib`) as its only library search path.

    `name` is what messages call the file. Raises ElfError when it is not sound, is linked statically or has
    no room for the change.
    """
    elf = Elf.parse(data, name)
    if not elf.dynamic or not elf.strings:
        raise ElfError(
            f"{name} has no dynamic section: no search path can be set", code=Code.INTERPRETER_UNUSABLE
        )
    if (elf.rpath, elf.runpath) == ((path,), ()):
        return data
    codec = Codec(elf.bits, elf.big_endian)
    wanted = path.encode() + b"\0"
    patched = bytearray(data)
    offset = elf.strings.find(wanted)
    dynamic = list(elf.dynamic)
    if offset < 0:
        offset = len(elf.strings)
        address = _append_strings(patched, elf, codec, elf.strings + wanted, name)
        _set(dynamic, DT_STRTAB, address)
        _set(dynamic, DT_STRSZ, len(elf.strings + wanted))
    _point_rpath(dynamic, offset, name)
    for index, entry in enumerate(dynamic):
        codec.dynamic.pack_into(patched, elf.dynamic_offset + index * codec.dynamic.size, *entry)
    return bytes(patched)


def _point_rpath(dynamic: list[tuple[int, int]], offset: int, name: str) -> None:
    """Make every search path that is there, or else one spare slot, a DT_RPATH of the string at `offset`."""
    end = next((index for index, (tag, _) in enumerate(dynamic) if tag == DT_NULL), len(dynamic))
    taken = [index for index in range(end) if dynamic[index][0] in (DT_RPATH, DT_RUNPATH)]
    if not taken:
        # The one DT_NULL that ends the section has to stay.
        spare = [end] if end + 1 < len(dynamic) else []
        hints = [index for index in range(end) if dynamic[index][0] in (_DT_RELACOUNT, _DT_RELCOUNT)]
        taken = (spare + hints)[:1]
    if not taken:
        raise ElfError(
            f"{name} has no room for a library search path",
            code=Code.INTERPRETER_UNUSABLE,
            why="its dynamic section is full",
        )
    for index in taken:
        dynamic[index] = (DT_RPATH, offset)


def _append_strings(patched: bytearray, elf: Elf, codec: Codec, strings: bytes, name: str) -> int:
    """Append `strings` to the file in a segment of its own and return its address."""
    loads = [segment for segment in elf.segments if segment.type == PT_LOAD]
    patched.extend(bytes(-len(patched) % _STRING_TABLE_ALIGN))
    offset = len(patched)
    page = max(_SMALLEST_PAGE, *(segment.align for segment in loads))
    free = max(segment.address + segment.memory_size for segment in loads)
    # The loader maps whole pages, so address and offset have to agree within one.
    address = free + -free % page + offset % page
    patched.extend(strings)
    load = Segment(PT_LOAD, _PF_R, offset, address, address, len(strings), len(strings), page)
    segments = list(elf.segments)
    segments.remove(_spare(elf, name))
    # At the end, because loaders want the PT_LOADs in ascending order of their addresses.
    segments.append(load)
    for index, segment in enumerate(segments):
        at = elf.program_headers + index * codec.segment.size
        patched[at : at + codec.segment.size] = codec.pack_segment(segment)
    _move_section(patched, elf, codec, offset, address, len(strings))
    return address


def _spare(elf: Elf, name: str) -> Segment:
    properties = [segment for segment in elf.segments if segment.type == _PT_GNU_PROPERTY]
    notes = [segment for segment in elf.segments if segment.type == PT_NOTE]
    doubled = [note for note in notes if any(note.offset == twin.offset for twin in properties)]
    for candidates in (doubled, notes, properties):
        if candidates:
            return candidates[0]
    raise ElfError(
        f"{name} has no room for a library search path",
        code=Code.INTERPRETER_UNUSABLE,
        why="none of its segments can be spared",
    )


def _move_section(patched: bytearray, elf: Elf, codec: Codec, offset: int, address: int, size: int) -> None:
    """Tell the section headers, which only tools read, where the string table went."""
    header = codec.header.unpack_from(patched, 16)
    table, entry_size, count = header[5], header[10], header[11]
    old = next(value for tag, value in elf.dynamic if tag == DT_STRTAB)
    if entry_size != codec.section.size:
        return
    for at in range(table, table + count * entry_size, entry_size):
        try:
            section = codec.section.unpack_from(patched, at)
        except struct.error:
            return
        if section[1] == _SHT_STRTAB and section[3] == old:
            codec.section.pack_into(patched, at, *section[:3], address, offset, size, *section[6:])


def _set(dynamic: list[tuple[int, int]], tag: int, value: int) -> None:
    index = next(index for index, (found, _) in enumerate(dynamic) if found == tag)
    dynamic[index] = (tag, value)
