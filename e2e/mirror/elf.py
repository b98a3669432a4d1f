"""What Debian's ELF files need before they can stand in for PBS's: changes to 64-bit little-endian files.

The formats are those of the System V gABI and, for symbol versions, of the Linux Standard Base's "Symbol
Versioning"; CPython's table of frozen modules is `struct _frozen` of Include/cpython/import.h.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

Version = tuple[int, ...]

_PT_LOAD = 1
_SHT_RELA, _SHT_DYNSYM, _SHT_GNU_VERNEED, _SHT_GNU_VERSYM = 4, 11, 0x6FFFFFFE, 0x6FFFFFFF
_VER_NDX_GLOBAL = 1
_VER_FLG_WEAK = 2
_POINTER = 8

#: C23's names of functions that a glibc before 2.38 has under the name after the prefix.
_C23 = "__isoc23_"

#: Functions that a newer glibc gave a new version, and whose old one does for what CPython does with them.
_REVERSIONED = {
    *("exp", "log", "pow", "log2", "exp2", "fmod", "fmodf", "hypot"),
    *("cfgetospeed", "cfgetispeed", "cfsetospeed", "cfsetispeed", "tcgetattr", "tcsetattr"),
}


class SurgeryError(Exception):
    """The file is not what the operation was written for."""


@dataclass(frozen=True, slots=True)
class _Section:
    kind: int
    offset: int
    size: int
    link: int
    info: int
    entry_size: int


@dataclass(frozen=True, slots=True)
class _Need:
    """One Vernaux record: a version of a library that the file asks for."""

    library: str
    version: str
    index: int
    offset: int
    flags: int

    def newer_than(self, ceiling: Version) -> bool:
        if match := re.fullmatch(r"GLIBC_([\d.]+)", self.version):
            return tuple(map(int, match[1].split("."))) > ceiling
        if self.version == "GLIBC_ABI_DT_RELR":
            return ceiling < (2, 36)
        return self.version.startswith("GLIBC_ABI_")


class Surgery:
    """One ELF file in memory. `name` is what messages call it."""

    def __init__(self, data: bytes, name: str) -> None:
        self._name = name
        self._data = bytearray(data)
        if self._data[:6] != b"\x7fELF\x02\x01":
            raise SurgeryError(f"{name} is not a 64-bit little-endian ELF file")
        program_headers, section_headers = struct.unpack_from("<QQ", self._data, 32)
        _, segment_count, _, section_count = struct.unpack_from("<HHHH", self._data, 54)
        self._segments = [
            (address, offset, size)
            for kind, _, offset, address, _, size in (
                struct.unpack_from("<IIQQQQ", self._data, program_headers + 56 * number)
                for number in range(segment_count)
            )
            if kind == _PT_LOAD
        ]
        self._sections = [
            _Section(kind, offset, size, link, info, entry_size)
            for _, kind, _, _, offset, size, link, info, _, entry_size in (
                struct.unpack_from("<IIQQQQIIQQ", self._data, section_headers + 64 * number)
                for number in range(section_count)
            )
        ]

    @property
    def result(self) -> bytes:
        """The file as it is after the operations."""
        return bytes(self._data)

    def _section(self, kind: int) -> _Section:
        for section in self._sections:
            if section.kind == kind:
                return section
        raise SurgeryError(f"{self._name} has no section of type {kind:#x}")

    def _text(self, offset: int) -> str:
        return self._data[offset : self._data.index(0, offset)].decode()

    def _needs(self) -> Iterator[_Need]:
        if not any(section.kind == _SHT_GNU_VERNEED for section in self._sections):
            return
        section = self._section(_SHT_GNU_VERNEED)
        strings = self._sections[section.link].offset
        library_at = section.offset
        for _ in range(section.info):
            _, count, name, first, following = struct.unpack_from("<HHIII", self._data, library_at)
            need_at = library_at + first
            for _ in range(count):
                _, flags, index, version, step = struct.unpack_from("<IHHII", self._data, need_at)
                yield _Need(self._text(strings + name), self._text(strings + version), index, need_at, flags)
                need_at += step
            library_at += following

    def lower_glibc(self, ceiling: Version) -> None:
        """Bind symbols of a newer glibc than `ceiling` to the older ones of the same function.

        Raises SurgeryError naming the symbols that have no older one.
        """
        too_new = {need.index: need for need in self._needs() if need.newer_than(ceiling)}
        if too_new:
            self._rebind(too_new)
            self._forget(too_new)

    def _rebind(self, too_new: dict[int, _Need]) -> None:
        symbols, versions = self._section(_SHT_DYNSYM), self._section(_SHT_GNU_VERSYM)
        strings = self._sections[symbols.link].offset
        stuck: list[str] = []
        for number in range(symbols.size // symbols.entry_size):
            symbol_at = symbols.offset + number * symbols.entry_size
            version_at = versions.offset + 2 * number
            (index,) = struct.unpack_from("<H", self._data, version_at)
            if index & 0x7FFF not in too_new:
                continue
            (name_at,) = struct.unpack_from("<I", self._data, symbol_at)
            name = self._text(strings + name_at)
            if name.startswith(_C23):
                struct.pack_into("<I", self._data, symbol_at, name_at + len(_C23))
            elif name not in _REVERSIONED:
                stuck.append(f"{name}@{too_new[index & 0x7FFF].version}")
            struct.pack_into("<H", self._data, version_at, _VER_NDX_GLOBAL)
        if stuck:
            raise SurgeryError(f"{self._name} needs {', '.join(stuck)}")

    def _forget(self, too_new: dict[int, _Need]) -> None:
        """Make the versions that no symbol uses any more ask for one the library is asked for anyway.

        The dynamic linker checks them all, used or not.
        """
        present = {
            need.library: need
            for need in self._needs()
            if need.index not in too_new and need.version.startswith("GLIBC_2.")
        }
        for need in too_new.values():
            if other := present.get(need.library):
                hashed, _, _, name = struct.unpack_from("<IHHI", self._data, other.offset)
                struct.pack_into("<I", self._data, need.offset, hashed)
                struct.pack_into("<I", self._data, need.offset + 8, name)
            else:
                struct.pack_into("<H", self._data, need.offset + 4, need.flags | _VER_FLG_WEAK)

    def unfreeze(self, module: str, follower: str) -> None:
        """Rename `module` in CPython's table of frozen modules, so that it is imported from its file.

        Debian's frozen `site` looks for dist-packages. The table holds pointers to C strings: the one to
        "site" is made to point one byte on. The entry is known by the one after it being `follower`'s.
        Raises SurgeryError when there is no such entry.
        """
        names, followers = self._addresses(module), self._addresses(follower)
        cells = self._cells(names | followers)
        for address, (value, value_at) in cells.items():
            if value not in names:
                continue
            for words in (3, 4, 5):  # the size of struct _frozen differs between versions
                follower_cell = cells.get(address + words * _POINTER)
                if follower_cell and follower_cell[0] in followers:
                    struct.pack_into("<Q", self._data, value_at, value + 1)
                    return
        raise SurgeryError(f"{self._name} has no frozen module {module}")

    def _addresses(self, text: str) -> set[int]:
        """The virtual addresses of a C string."""
        raw = text.encode() + b"\0"
        found: set[int] = set()
        at = self._data.find(raw)
        while at >= 0:
            found |= {
                address + at - start for address, start, size in self._segments if start <= at < start + size
            }
            at = self._data.find(raw, at + 1)
        return found

    def _cells(self, wanted: set[int]) -> dict[int, tuple[int, int]]:
        """Every pointer to one of these addresses: where it will be in memory, its value, its file offset."""
        cells: dict[int, tuple[int, int]] = {}
        for section in self._sections:
            if section.kind == _SHT_RELA and section.entry_size:
                for at in range(section.offset, section.offset + section.size, section.entry_size):
                    address, _, addend = struct.unpack_from("<QQQ", self._data, at)
                    if addend in wanted:
                        cells[address] = (addend, at + 2 * _POINTER)
        for address, offset, size in self._segments:  # not relocated, or relocated by RELR
            start = offset + -address % _POINTER
            words = (offset + size - start) // _POINTER
            for number, value in enumerate(struct.unpack_from(f"<{words}Q", self._data, start)):
                if value in wanted:
                    cells.setdefault(
                        address + start - offset + number * _POINTER, (value, start + number * _POINTER)
                    )
        return cells
