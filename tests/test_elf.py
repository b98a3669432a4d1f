from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from czscie.elf import Elf, ElfError, is_elf
from czscie.pbs.search_path import with_search_path
from elf_image import GNU_LOADER, S390X, X86_64, elf_image

SHAPES = [
    pytest.param(64, False, X86_64, id="64 bits, little endian"),
    pytest.param(64, True, S390X, id="64 bits, big endian"),
    pytest.param(32, False, 40, id="32 bits, little endian"),
    pytest.param(32, True, 8, id="32 bits, big endian"),
]


@pytest.mark.parametrize(("bits", "big_endian", "machine"), SHAPES)
def test_what_the_loader_reads_is_read(bits: int, big_endian: bool, machine: int) -> None:
    data = elf_image(
        bits=bits,
        big_endian=big_endian,
        machine=machine,
        needed=["libz.so.1", "libc.so.6"],
        rpath="$ORIGIN/../lib:/opt/lib",
        runpath="$ORIGIN",
        versions={"libc.so.6": ["GLIBC_2.17", "GLIBC_2.34"], "libz.so.1": ["ZLIB_1.2.9"]},
    )
    elf = Elf.parse(data, "an image")
    assert (elf.bits, elf.big_endian, elf.machine) == (bits, big_endian, machine)
    assert elf.interpreter == GNU_LOADER
    assert elf.needed == ("libz.so.1", "libc.so.6")
    assert (elf.rpath, elf.runpath) == (("$ORIGIN/../lib", "/opt/lib"), ("$ORIGIN",))
    assert elf.versions == {
        "libc.so.6": frozenset({"GLIBC_2.17", "GLIBC_2.34"}),
        "libz.so.1": frozenset({"ZLIB_1.2.9"}),
    }
    assert elf.glibc == (2, 34)


def test_the_glibc_floor_is_a_number_and_not_a_string() -> None:
    data = elf_image(versions={"libc.so.6": ["GLIBC_2.4", "GLIBC_2.2.5"], "libm.so.6": ["GLIBC_2.29"]})
    assert Elf.parse(data, "an image").glibc == (2, 29)


def test_a_version_that_can_be_missing_does_not_raise_the_floor() -> None:
    data = elf_image(versions={"libc.so.6": ["GLIBC_2.17", "GLIBC_2.38"]}, weak=["GLIBC_2.38"])
    assert Elf.parse(data, "an image").glibc == (2, 17)


def test_packed_relative_relocations_need_the_loader_that_knows_them() -> None:
    data = elf_image(versions={"libc.so.6": ["GLIBC_2.17", "GLIBC_ABI_DT_RELR"]})
    assert Elf.parse(data, "an image").glibc == (2, 36)


def test_a_file_without_versions_has_no_floor() -> None:
    assert Elf.parse(elf_image(versions={"libfoo.so": ["FOO_1"]}), "an image").glibc is None


def test_what_is_no_elf_file_is_said_to_be_none() -> None:
    assert not is_elf(b"MZ and more")
    with pytest.raises(ElfError) as caught:
        Elf.parse(b"MZ and more", "python.exe")
    assert str(caught.value) == "error: python.exe is not an ELF file"


def test_a_file_that_ends_early_is_named() -> None:
    data = elf_image(needed=["libc.so.6"])
    with pytest.raises(ElfError) as caught:
        Elf.parse(data[:80], "half.so")
    assert str(caught.value) == (
        "error: half.so is not a valid ELF file\n  its program header lies past the end of the file"
    )


def test_a_version_table_without_end_is_refused() -> None:
    data = elf_image(versions={"liba.so": ["A"] * 40_000, "libb.so": ["B"] * 40_000})
    with pytest.raises(ElfError) as caught:
        Elf.parse(data, "endless.so")
    assert str(caught.value) == ("error: endless.so is not a valid ELF file\n  its version table has no end")


def test_damage_never_gives_anything_but_an_elf_error() -> None:
    image = elf_image(
        needed=["libc.so.6"],
        rpath="/x",
        versions={"libc.so.6": ["GLIBC_2.17", "GLIBC_2.28"], "libm.so.6": ["A"]},
    )
    chance = random.Random(20261021)
    refused = 0
    for _ in range(3000):
        damaged = bytearray(image)
        for _ in range(chance.randint(1, 4)):
            damaged[chance.randrange(4, len(damaged))] = chance.choice((0, 1, 0x7F, 0x80, 0xFF))
        for damage in (bytes(damaged), bytes(damaged[: chance.randrange(len(damaged))])):
            try:
                Elf.parse(damage, "damaged")
                with_search_path(damage, "$ORIGIN/../lib", "damaged")
            except ElfError:
                refused += 1
    assert refused > 1000


@pytest.mark.skipif(sys.platform != "linux", reason="reads the interpreter that runs the tests")
def test_the_interpreter_that_runs_the_tests_agrees_with_what_is_read() -> None:
    program = Path(sys.executable).resolve()
    elf = Elf.parse(program.read_bytes(), str(program))
    assert elf.interpreter is not None
    assert Path(elf.interpreter).exists()
    assert elf.glibc is None or elf.glibc >= (2, 2)
    listed = subprocess.run([elf.interpreter, "--list", program], capture_output=True, text=True, check=True)
    for library in elf.needed:
        assert library in listed.stdout
