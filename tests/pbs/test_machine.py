from __future__ import annotations

import struct

import pytest

from czscie.elf import ElfError
from czscie.pbs.machine import machine_of
from czscie.platforms import PLATFORMS
from elf_image import elf_image
from pbs.factories import AARCH64_PYTHON, LINUX_PYTHON, MACOS_PYTHON, MUSL_PYTHON, WINDOWS_PYTHON

UNIVERSAL = struct.pack(">II", 0xCAFEBABE, 2) + struct.pack(">5I", 0x01000007, 3, 0, 0, 0)
UNIVERSAL += struct.pack(">5I", 0x0100000C, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("data", "platforms", "words"),
    [
        (LINUX_PYTHON, ["linux-x86_64"], "linux, x86_64, gnu"),
        (MUSL_PYTHON, ["musl-linux-x86_64"], "linux, x86_64, musl"),
        (AARCH64_PYTHON, ["linux-aarch64"], "linux, aarch64, gnu"),
        (elf_image(interpreter=None), ["linux-x86_64", "musl-linux-x86_64"], "linux, x86_64"),
        (elf_image(bits=64, big_endian=True, machine=22), ["linux-s390x"], "linux, s390x, gnu"),
        (elf_image(bits=64, machine=21), ["linux-powerpc64"], "linux, powerpc64, gnu"),
        (elf_image(bits=64, big_endian=True, machine=21), [], "linux, an unknown architecture, gnu"),
        (elf_image(bits=32, machine=40), ["linux-armv7l"], "linux, armv7l, gnu"),
        (elf_image(bits=64, machine=243), ["linux-riscv64"], "linux, riscv64, gnu"),
        (elf_image(bits=32, machine=62), [], "linux, an unknown architecture, gnu"),
        (MACOS_PYTHON, ["macos-aarch64"], "macos, aarch64"),
        (UNIVERSAL, ["macos-x86_64", "macos-aarch64"], "macos, aarch64 and x86_64"),
        (WINDOWS_PYTHON, ["windows-x86_64"], "windows, x86_64"),
        (WINDOWS_PYTHON.replace(b"\x64\x86", b"\x64\xaa"), ["windows-aarch64"], "windows, aarch64"),
    ],
)
def test_an_executable_runs_on_its_own_platforms_only(data: bytes, platforms: list[str], words: str) -> None:
    machine = machine_of(data, "python")
    assert machine is not None
    assert [platform.name for platform in PLATFORMS if machine.runs_on(platform)] == platforms
    assert str(machine) == words


@pytest.mark.parametrize(
    "data", [b"", b"#!/bin/sh\n", b"MZ", b"MZ" + bytes(100), b"\xca\xfe\xba\xbe\x00\x00\x00\x41"]
)
def test_what_is_no_executable_is_nothing(data: bytes) -> None:
    assert machine_of(data, "python") is None


def test_a_damaged_elf_file_is_named() -> None:
    with pytest.raises(ElfError) as caught:
        machine_of(LINUX_PYTHON[:70], "cpython.tar.gz: bin/python3.13")
    assert caught.value.what == "cpython.tar.gz: bin/python3.13 is not a valid ELF file"
