"""Makes an interpreter start through a dynamic loader of its own: which bytes of it change, and to what.

The executable gets one more segment behind its end. It holds the program headers, one more than before, the
loader's path (PT_INTERP), a longer copy of the string table with the directories of its libraries (DT_RPATH),
and a longer copy of the dynamic section. Both paths are filled in where it is installed, because the kernel
and, without /proc, glibc's loader take absolute ones only. DT_RPATH, unlike DT_RUNPATH, counts for the
libraries that the executable loads too, unless one has a DT_RUNPATH of its own: what such a library needs of
the C library the executable has to need first, and then it is found by its name.

The segment is mapped as far from the first one as it is in the file, because Linux before 5.18 tells the
loader that the headers are there (AT_PHDR), whatever their own segment says.

Sources: System V gABI chapters 4 and 5, ld.so(8), load_elf_binary in Linux's fs/binfmt_elf.c.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from dataclasses import replace

from czscie.container.plan import Patch, PlannedBytes, PlannedCopy, PlannedText
from czscie.elf import (
    DT_NEEDED,
    DT_NULL,
    DT_RPATH,
    DT_RUNPATH,
    DT_STRSZ,
    DT_STRTAB,
    PT_DYNAMIC,
    PT_INTERP,
    PT_LOAD,
    PT_PHDR,
    Codec,
    Elf,
    ElfError,
    Segment,
)
from czscie.errors import Code

#: Linux refuses a longer PT_INTERP (PATH_MAX); the search path has two directories and more.
_LOADER_SIZE = 4096
_SEARCH_PATH_SIZE = 8192
_PF_R, _PF_W = 4, 2
#: The size of e_ident, and which fields after it are e_phoff and e_phnum.
_IDENT_SIZE, _E_PHOFF, _E_PHNUM = 16, 4, 9
_SHT_STRTAB, _SHT_DYNAMIC = 3, 6
_SMALLEST_PAGE = 0x1000
_ALIGN = 16
_ORIGIN = ("$ORIGIN", "${ORIGIN}")


def own_loader(
    data: bytes, path: str, loader: str, libraries: str, needed: Iterable[str] = ()
) -> tuple[Patch, ...]:
    """What to write over the ELF executable `data`, which is installed at `path` in its installation.

    `loader` and `libraries` are templates (`{base}/…`) of the loader's path and of the directory of its
    libraries. `needed` are libraries that shall be loaded at the start. Raises ElfError when the executable
    is not sound or is linked statically.
    """
    elf = Elf.parse(data, path)
    if elf.interpreter is None or not elf.strings:
        raise ElfError(f"{path} is not linked dynamically: it has no loader", code=Code.INTERPRETER_UNUSABLE)
    return _Change(data, elf, path, tuple(sorted(set(needed) - {*elf.needed}))).patches(loader, libraries)


class _Change:
    """The layout of the new segment. Places are offsets in the file."""

    def __init__(self, data: bytes, elf: Elf, path: str, needed: tuple[str, ...]) -> None:
        self.data = data
        self.elf = elf
        self.path = path
        self.needed = needed
        self.codec = Codec(elf.bits, elf.big_endian)
        loads = [segment for segment in elf.segments if segment.type == PT_LOAD]
        self.page = max(_SMALLEST_PAGE, *(segment.align for segment in loads))
        #: What an address is more than its place.
        self.bias = loads[0].address - loads[0].offset
        free = max(segment.address + segment.memory_size for segment in loads)
        # Before the next page the kernel would clear what follows the last segment.
        self.start = max(_aligned(len(data)), free + -free % self.page - self.bias)
        self.loader = _aligned(self.start + self.codec.segment.size * (len(elf.segments) + 1))
        self.strings = self.loader + _LOADER_SIZE
        self.search_path = self.strings + len(elf.strings)
        self.names = self.search_path + _SEARCH_PATH_SIZE
        self.dynamic = _aligned(self.names + len(self._names()))

    def patches(self, loader: str, libraries: str) -> tuple[Patch, ...]:
        names = self._names().ljust(self.dynamic - self.names, b"\0")
        dynamic = self._dynamic()
        return (
            PlannedBytes(self.path, _IDENT_SIZE, self._header()),
            *self._sections(len(dynamic)),
            PlannedBytes(self.path, self.start, self._program_headers(len(dynamic))),
            PlannedText(self.path, self.loader, _LOADER_SIZE, loader),
            PlannedCopy(self.path, self.strings, self._old_strings(), len(self.elf.strings)),
            PlannedText(self.path, self.search_path, _SEARCH_PATH_SIZE, self._search_path(libraries)),
            PlannedBytes(self.path, self.names, names + dynamic),
        )

    def _old_strings(self) -> int:
        """Where the string table is now; Elf has seen that a segment holds it."""
        address = self._value(DT_STRTAB)
        return next(
            segment.offset + address - segment.address
            for segment in self.elf.segments
            if segment.type == PT_LOAD and 0 <= address - segment.address < segment.file_size
        )

    def _names(self) -> bytes:
        return b"".join(name.encode() + b"\0" for name in self.needed)

    def _dynamic(self) -> bytes:
        """The dynamic section, which ends with its DT_NULL."""
        changed = {
            DT_STRTAB: self.strings + self.bias,
            DT_STRSZ: self.names + len(self._names()) - self.strings,
        }
        entries = [(DT_RPATH, self.search_path - self.strings)]
        for tag, value in self.elf.dynamic:
            if tag == DT_NULL:
                break
            if tag not in (DT_RPATH, DT_RUNPATH):
                entries.append((tag, changed.get(tag, value)))
        place = self.names
        for name in self.needed:
            entries.append((DT_NEEDED, place - self.strings))
            place += len(name.encode()) + 1
        return b"".join(self.codec.dynamic.pack(*entry) for entry in (*entries, (DT_NULL, 0)))

    def _header(self) -> bytes:
        """The ELF header after its e_ident, with the place and the number of the program headers."""
        fields = list(self.codec.header.unpack_from(self.data, _IDENT_SIZE))
        fields[_E_PHOFF], fields[_E_PHNUM] = self.start, len(self.elf.segments) + 1
        return self.codec.header.pack(*fields)

    def _program_headers(self, dynamic_size: int) -> bytes:
        moved = {
            PT_PHDR: (self.start, self.codec.segment.size * (len(self.elf.segments) + 1)),
            PT_INTERP: (self.loader, _LOADER_SIZE),
            PT_DYNAMIC: (self.dynamic, dynamic_size),
        }
        segments = [
            self._moved(segment, *moved[segment.type]) if segment.type in moved else segment
            for segment in self.elf.segments
        ]
        address, size = self.start + self.bias, self.dynamic + dynamic_size - self.start
        # At the end, because loaders want the PT_LOADs in ascending order of their addresses.
        load = Segment(PT_LOAD, _PF_R | _PF_W, self.start, address, address, size, size, self.page)
        return b"".join(self.codec.pack_segment(segment) for segment in (*segments, load))

    def _moved(self, segment: Segment, place: int, size: int) -> Segment:
        address = place + self.bias
        return replace(
            segment, offset=place, address=address, physical=address, file_size=size, memory_size=size
        )

    def _sections(self, dynamic_size: int) -> list[PlannedBytes]:
        """Tells the section headers, which only debuggers read, where both tables went."""
        header = self.codec.header.unpack_from(self.data, 16)
        table, entry_size, count = header[5], header[10], header[11]
        if entry_size != self.codec.section.size or table + count * entry_size > len(self.data):
            return []
        found = []
        for at in range(table, table + count * entry_size, entry_size):
            section = self.codec.section.unpack_from(self.data, at)
            if section[1] == _SHT_DYNAMIC:
                place, size = self.dynamic, dynamic_size
            elif section[1] == _SHT_STRTAB and section[3] == self._value(DT_STRTAB):
                place, size = self.strings, self.names + len(self._names()) - self.strings
            else:
                continue
            moved = (*section[:3], place + self.bias, place, size, *section[6:])
            found.append(PlannedBytes(self.path, at, self.codec.section.pack(*moved)))
        return found

    def _value(self, wanted: int) -> int:
        return next(value for tag, value in self.elf.dynamic if tag == wanted)

    def _search_path(self, libraries: str) -> str:
        """The executable's own directories, then that of the C library."""
        own = [self._absolute(directory) for directory in self.elf.rpath or self.elf.runpath]
        return ":".join((*own, libraries))

    def _absolute(self, directory: str) -> str:
        for origin in _ORIGIN:
            if directory.startswith(origin):
                here = posixpath.dirname(self.path)
                return posixpath.normpath("{root}/" + here + directory.removeprefix(origin))
        return directory


def _aligned(place: int) -> int:
    return place + -place % _ALIGN
