"""Reads ELF files, 32 and 64 bits, both byte orders: what a program needs from its host.

Sources of the format: System V ABI (gABI) chapters 4 and 5; the GNU symbol versioning of `.gnu.version_r` is
described in the LSB Core specification, "Symbol Versioning". This reads what the dynamic loader reads:
program headers and the dynamic section. A stripped file may lack section headers.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from czscie.errors import Code, CzscieError
from czscie.platforms import GlibcVersion

MAGIC = b"\x7fELF"

PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_NOTE, PT_PHDR = 1, 2, 3, 4, 6
DT_NULL, DT_NEEDED, DT_STRTAB, DT_STRSZ, DT_RPATH, DT_RUNPATH = 0, 1, 5, 10, 15, 29
DT_VERNEED, DT_VERNEEDNUM = 0x6FFFFFFE, 0x6FFFFFFF

#: `vna_flags`: the loader goes on without this version.
_WEAK_VERSION = 0x2

#: Versions of libc.so.6 that are capabilities of the loader, and the release that brought them.
_LOADER_VERSIONS: dict[str, GlibcVersion] = {
    "GLIBC_ABI_DT_RELR": (2, 36),
    "GLIBC_ABI_GNU2_TLS": (2, 42),
}
#: More needed versions than any real file has: a loop in a table that was made to have one ends here.
_MOST_VERSIONS = 0x10000
_GLIBC_VERSION = re.compile(r"GLIBC_(\d+)\.(\d+)(?:\.\d+)?")


class ElfError(CzscieError):
    """A file that is not a usable ELF file."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One program header. Offsets and sizes are the file's, addresses those of the unrelocated image."""

    type: int
    flags: int
    offset: int
    address: int
    physical: int
    file_size: int
    memory_size: int
    align: int


@dataclass(frozen=True, slots=True)
class Elf:
    """An ELF file whose headers and dynamic section have been read and checked.

    `interpreter` is the path of the dynamic loader (PT_INTERP), `needed` the names of DT_NEEDED in order,
    `rpath` and `runpath` the directories of DT_RPATH and DT_RUNPATH, unexpanded. `versions` are the symbol
    versions without which the loader refuses to start it, per library: `{"libc.so.6": {"GLIBC_2.34"}}`.
    """

    bits: int
    big_endian: bool
    machine: int
    segments: tuple[Segment, ...]
    program_headers: int
    dynamic: tuple[tuple[int, int], ...]
    dynamic_offset: int
    strings: bytes = field(repr=False)
    interpreter: str | None
    needed: tuple[str, ...]
    rpath: tuple[str, ...]
    runpath: tuple[str, ...]
    versions: dict[str, frozenset[str]]

    @classmethod
    def parse(cls, data: bytes, name: str) -> Elf:
        """Read the ELF file `data`; `name` is what messages call it. Raises ElfError."""
        return _Reader(data, name).read()

    @property
    def glibc(self) -> GlibcVersion | None:
        """The oldest glibc whose loader accepts this file, None when it names no version of glibc."""
        found = []
        for version in frozenset[str]().union(*self.versions.values()):
            if match := _GLIBC_VERSION.fullmatch(version):
                found.append((int(match[1]), int(match[2])))
            elif version in _LOADER_VERSIONS:
                found.append(_LOADER_VERSIONS[version])
        return max(found, default=None)


def is_elf(data: bytes) -> bool:
    """Whether `data` begins like an ELF file."""
    return data[:4] == MAGIC


class Codec:
    """The structures of one class and byte order, read and written with bounds checked."""

    def __init__(self, bits: int, big_endian: bool) -> None:
        self.bits = bits
        order = ">" if big_endian else "<"
        wide = bits == 64
        #: ELF header after e_ident.
        self.header = struct.Struct(order + ("HHIQQQIHHHHHH" if wide else "HHIIIIIHHHHHH"))
        self.segment = struct.Struct(order + ("IIQQQQQQ" if wide else "IIIIIIII"))
        self.section = struct.Struct(order + ("IIQQQQIIQQ" if wide else "IIIIIIIIII"))
        self.dynamic = struct.Struct(order + ("qQ" if wide else "iI"))
        self.version_need = struct.Struct(order + "HHIII")
        self.version_aux = struct.Struct(order + "IHHII")

    def unpack_segment(self, values: tuple[int, ...]) -> Segment:
        if self.bits == 64:
            return Segment(*values)
        kind, offset, address, physical, file_size, memory_size, flags, align = values
        return Segment(kind, flags, offset, address, physical, file_size, memory_size, align)

    def pack_segment(self, segment: Segment) -> bytes:
        it = segment
        if self.bits == 64:
            place = (it.type, it.flags, it.offset, it.address, it.physical)
            return self.segment.pack(*place, it.file_size, it.memory_size, it.align)
        place = (it.type, it.offset, it.address, it.physical, it.file_size)
        return self.segment.pack(*place, it.memory_size, it.flags, it.align)


class _Reader:
    def __init__(self, data: bytes, name: str) -> None:
        self.data = data
        self.name = name

    def read(self) -> Elf:
        if not is_elf(self.data):
            raise ElfError(f"{self.name} is not an ELF file", code=Code.INTERPRETER_UNUSABLE)
        if len(self.data) < 16 or self.data[4] not in (1, 2) or self.data[5] not in (1, 2):
            raise self._corrupt("its class or byte order is unknown")
        bits, big_endian = (32, 64)[self.data[4] - 1], self.data[5] == 2
        self.codec = Codec(bits, big_endian)
        header = self._unpack(self.codec.header, 16, "header")
        machine, program_headers, size, count = header[1], header[4], header[8], header[9]
        if count and size != self.codec.segment.size:
            raise self._corrupt(f"its program headers have {size} bytes each")
        self.segments = tuple(
            self.codec.unpack_segment(
                self._unpack(self.codec.segment, program_headers + index * size, "program header")
            )
            for index in range(count)
        )
        dynamic_offset, self.dynamic = self._dynamic()
        self.strings = self._strings()
        return Elf(
            bits=bits,
            big_endian=big_endian,
            machine=machine,
            segments=self.segments,
            program_headers=program_headers,
            dynamic=self.dynamic,
            dynamic_offset=dynamic_offset,
            strings=self.strings,
            interpreter=self._interpreter(),
            needed=self._names(DT_NEEDED),
            rpath=self._directories(DT_RPATH),
            runpath=self._directories(DT_RUNPATH),
            versions=self._versions(),
        )

    def _interpreter(self) -> str | None:
        for segment in self.segments:
            if segment.type == PT_INTERP:
                return _text(self._slice(segment.offset, segment.file_size, "PT_INTERP").split(b"\0")[0])
        return None

    def _dynamic(self) -> tuple[int, tuple[tuple[int, int], ...]]:
        """The file offset of the dynamic section and every slot of it, the spare ones at the end too."""
        for segment in self.segments:
            if segment.type == PT_DYNAMIC:
                raw = self._slice(segment.offset, segment.file_size, "dynamic section")
                whole = len(raw) - len(raw) % self.codec.dynamic.size
                return segment.offset, tuple(self.codec.dynamic.iter_unpack(raw[:whole]))
        return 0, ()

    def _entries(self) -> Iterator[tuple[int, int]]:
        for tag, value in self.dynamic:
            if tag == DT_NULL:
                return
            yield tag, value

    def _value(self, wanted: int) -> int | None:
        return next((value for tag, value in self._entries() if tag == wanted), None)

    def _strings(self) -> bytes:
        address, size = self._value(DT_STRTAB), self._value(DT_STRSZ)
        if address is None or size is None:
            return b""
        return self._slice(self._offset(address, "string table"), size, "string table")

    def _names(self, wanted: int) -> tuple[str, ...]:
        return tuple(self._string(value) for tag, value in self._entries() if tag == wanted)

    def _directories(self, wanted: int) -> tuple[str, ...]:
        # Loaders keep the last entry of a kind.
        return tuple(part for name in self._names(wanted)[-1:] for part in name.split(":") if part)

    def _versions(self) -> dict[str, frozenset[str]]:
        """`.gnu.version_r`: a list of libraries, each with a list of the versions needed of it."""
        address, count = self._value(DT_VERNEED), self._value(DT_VERNEEDNUM)
        if address is None or count is None:
            return {}
        found: dict[str, frozenset[str]] = {}
        need, steps = self._offset(address, "version table"), 0
        for _ in range(count):
            _, aux_count, file, aux_step, next_need = self._unpack(
                self.codec.version_need, need, "version table"
            )
            versions, aux = set(), need + aux_step
            for _ in range(aux_count):
                if (steps := steps + 1) > _MOST_VERSIONS:
                    raise self._corrupt("its version table has no end")
                _, flags, _, name, next_aux = self._unpack(self.codec.version_aux, aux, "version table")
                if not flags & _WEAK_VERSION:
                    versions.add(self._string(name))
                aux += next_aux
                if not next_aux:
                    break
            library = self._string(file)
            found[library] = found.get(library, frozenset()) | versions
            need += next_need
            if not next_need:
                break
        return found

    def _offset(self, address: int, what: str) -> int:
        """Where in the file the byte at `address` of the image is."""
        for segment in self.segments:
            if segment.type == PT_LOAD and 0 <= address - segment.address < segment.file_size:
                return segment.offset + address - segment.address
        raise self._corrupt(f"its {what} lies outside every segment")

    def _string(self, offset: int) -> str:
        end = self.strings.find(b"\0", offset) if offset < len(self.strings) else -1
        if end < 0:
            raise self._corrupt("a name lies outside its string table")
        return _text(self.strings[offset:end])

    def _slice(self, offset: int, size: int, what: str) -> bytes:
        if offset + size > len(self.data):
            raise self._corrupt(f"its {what} lies past the end of the file")
        return self.data[offset : offset + size]

    def _unpack(self, form: struct.Struct, offset: int, what: str) -> tuple[int, ...]:
        return form.unpack(self._slice(offset, form.size, what))

    def _corrupt(self, why: str) -> ElfError:
        return ElfError(f"{self.name} is not a valid ELF file", code=Code.INTERPRETER_UNUSABLE, why=why)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
