"""The platform of an executable, from the head of an ELF, Mach-O or PE file.

Sources: the ELF gABI and its processor supplements (e_machine), Apple's <mach-o/loader.h> and <mach-o/fat.h>,
Microsoft's "PE Format".
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from czscie.elf import Elf, is_elf
from czscie.platforms import Platform

#: (e_machine, bits, big endian) of the ABIs that platforms are made for.
_ELF_MACHINES = {
    (62, 64, False): "x86_64",
    (183, 64, False): "aarch64",
    (40, 32, False): "armv7l",
    (21, 64, False): "powerpc64",
    (243, 64, False): "riscv64",
    (22, 64, True): "s390x",
}
_PE_MACHINES = {0x8664: "x86_64", 0xAA64: "aarch64", 0x14C: "i686"}
_MACH_CPUS = {0x01000007: "x86_64", 0x0100000C: "aarch64"}
_MACH_64 = 0xFEEDFACF
_MACH_FAT = 0xCAFEBABE
_MOST_FAT = 16


@dataclass(frozen=True, slots=True)
class Machine:
    """An operating system and the architectures of one executable; `libc` is that of a dynamic Linux one."""

    os: str
    archs: frozenset[str]
    libc: str | None = None

    def runs_on(self, platform: Platform) -> bool:
        same = self.os == platform.os and platform.arch in self.archs
        return same and self.libc in (None, platform.libc or None)

    def __str__(self) -> str:
        archs = " and ".join(sorted(self.archs)) or "an unknown architecture"
        return f"{self.os}, {archs}" + (f", {self.libc}" if self.libc else "")


def machine_of(data: bytes, name: str) -> Machine | None:
    """The machine of the executable `data`, None if it is not one. Raises ElfError on a damaged ELF file."""
    if is_elf(data):
        return _elf(Elf.parse(data, name))
    try:
        return _pe(data) if data[:2] == b"MZ" else _mach(data)
    except struct.error:
        return None


def _elf(elf: Elf) -> Machine:
    arch = _ELF_MACHINES.get((elf.machine, elf.bits, elf.big_endian))
    libc = None
    if elf.interpreter is not None:
        libc = "musl" if "/ld-musl-" in elf.interpreter else "gnu"
    return Machine("linux", frozenset([arch] if arch else []), libc)


def _pe(data: bytes) -> Machine | None:
    (offset,) = struct.unpack_from("<I", data, 0x3C)
    signature, machine = struct.unpack_from("<4sH", data, offset)
    if signature != b"PE\0\0":
        return None
    return Machine("windows", frozenset([_PE_MACHINES[machine]] if machine in _PE_MACHINES else []))


def _mach(data: bytes) -> Machine | None:
    magic, cpu = struct.unpack_from("<II", data)
    if magic == _MACH_64:
        return Machine("macos", frozenset([_MACH_CPUS[cpu]] if cpu in _MACH_CPUS else []))
    magic, count = struct.unpack_from(">II", data)
    if magic != _MACH_FAT or count > _MOST_FAT:
        return None
    cpus = [struct.unpack_from(">I", data, 8 + index * 20)[0] for index in range(count)]
    return Machine("macos", frozenset(_MACH_CPUS[cpu] for cpu in cpus if cpu in _MACH_CPUS))
