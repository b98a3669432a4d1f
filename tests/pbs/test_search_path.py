from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from czscie.elf import Elf, ElfError
from czscie.pbs.search_path import with_search_path
from elf_image import S390X, X86_64, elf_image

LIB = "$ORIGIN/../lib"


@pytest.mark.parametrize(
    ("bits", "big_endian", "machine"), [(64, False, X86_64), (64, True, S390X), (32, False, 40)]
)
@pytest.mark.parametrize(
    "before", [{}, {"rpath": "/a:/b"}, {"runpath": "/a"}, {"rpath": "/a", "runpath": "/b"}]
)
def test_the_search_path_is_the_only_one(
    bits: int, big_endian: bool, machine: int, before: dict[str, str]
) -> None:
    data = elf_image(
        bits=bits,
        big_endian=big_endian,
        machine=machine,
        needed=["libz.so.1"],
        versions={"libc.so.6": ["GLIBC_2.17"]},
        **before,  # type: ignore[arg-type]
    )
    old, new = Elf.parse(data, "before"), Elf.parse(with_search_path(data, LIB, "x"), "after")
    assert (new.rpath, new.runpath) == ((LIB,), ())
    assert (new.needed, new.versions, new.interpreter) == (old.needed, old.versions, old.interpreter)


def test_the_new_segment_comes_after_all_others_in_memory_and_on_disk() -> None:
    data = elf_image(needed=["libz.so.1"])
    loads = [
        segment for segment in Elf.parse(with_search_path(data, LIB, "x"), "x").segments if segment.type == 1
    ]
    assert len(loads) == 2
    assert loads[1].address >= loads[0].address + loads[0].memory_size
    assert loads[1].offset >= len(data)
    assert loads[1].address % loads[1].align == loads[1].offset % loads[1].align


def test_a_path_that_is_there_already_changes_nothing() -> None:
    data = elf_image(rpath=LIB)
    assert with_search_path(data, LIB, "x") is data


def test_a_string_that_is_there_already_costs_no_segment() -> None:
    data = elf_image(runpath=LIB, note=False)
    patched = with_search_path(data, LIB, "x")
    assert len(patched) == len(data)
    assert Elf.parse(patched, "x").rpath == (LIB,)


def test_a_file_with_no_spare_segment_is_refused() -> None:
    with pytest.raises(ElfError) as caught:
        with_search_path(elf_image(note=False), LIB, "lib/tight.so")
    assert str(caught.value) == (
        "error: lib/tight.so has no room for a library search path\n  none of its segments can be spared"
    )


def test_a_file_with_a_full_dynamic_section_is_refused() -> None:
    with pytest.raises(ElfError) as caught:
        with_search_path(elf_image(spare_slots=0), LIB, "lib/full.so")
    assert str(caught.value) == (
        "error: lib/full.so has no room for a library search path\n  its dynamic section is full"
    )


def test_a_full_dynamic_section_with_a_search_path_has_room_for_another() -> None:
    patched = with_search_path(elf_image(spare_slots=0, runpath="/opt"), LIB, "x")
    assert Elf.parse(patched, "x").rpath == (LIB,)


needs_compiler = pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("cc") is None, reason="needs a C compiler on Linux"
)


def compile_library(path: Path, answer: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    source = path.with_suffix(".c")
    source.write_text(f"int answer(void) {{ return {answer}; }}")
    subprocess.run(["cc", "-shared", "-fPIC", f"-Wl,-soname,{path.name}", "-o", path, source], check=True)


def compile_program(root: Path, *options: str) -> Path:
    """A patched `bin/program` whose exit status is what `lib/libanswer.so` answers."""
    compile_library(root / "lib/libanswer.so", 42)
    source, program = root / "main.c", root / "bin/program"
    source.write_text("int answer(void); int main(void) { return answer(); }")
    program.parent.mkdir()
    subprocess.run(["cc", *options, "-o", program, source, root / "lib/libanswer.so"], check=True)
    program.write_bytes(with_search_path(program.read_bytes(), LIB, "program"))
    return program


@needs_compiler
@pytest.mark.parametrize(
    "options", [["-no-pie"], ["-pie", "-fPIE"], ["-Wl,-z,noseparate-code"], ["-Wl,--build-id=none"]]
)
def test_a_patched_program_finds_its_library_wherever_both_are_moved(
    tmp_path: Path, options: list[str]
) -> None:
    compile_program(tmp_path / "built", *options)
    (tmp_path / "built").rename(tmp_path / "moved")
    assert subprocess.run([tmp_path / "moved/bin/program"], env={}, check=False).returncode == 42


@needs_compiler
def test_a_library_of_the_host_does_not_take_the_place_of_ours(tmp_path: Path) -> None:
    program = compile_program(tmp_path / "ours")
    compile_library(tmp_path / "hosts/libanswer.so", 13)
    environment = {"LD_LIBRARY_PATH": str(tmp_path / "hosts")}
    assert subprocess.run([program], env=environment, check=False).returncode == 42


@needs_compiler
def test_a_patched_library_still_works(tmp_path: Path) -> None:
    source, library = tmp_path / "x.c", tmp_path / "x.so"
    source.write_text(
        'static __thread int calls; static int many[4096]; const char *texts[] = {"a", "b"};\n'
        "int add(int number) { calls++; many[7] += number; return many[7] + calls + *texts[1] - 'a'; }\n"
    )
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    library.write_bytes(with_search_path(library.read_bytes(), "$ORIGIN", "x.so"))
    assert ctypes.CDLL(os.fspath(library)).add(5) == 5 + 1 + 1


@needs_compiler
@pytest.mark.skipif(shutil.which("readelf") is None, reason="needs readelf")
def test_tools_read_a_patched_program_without_complaint(tmp_path: Path) -> None:
    program = tmp_path / "program"
    (tmp_path / "main.c").write_text("int main(void) { return 0; }")
    subprocess.run(["cc", "-o", program, tmp_path / "main.c"], check=True)
    program.write_bytes(with_search_path(program.read_bytes(), LIB, "program"))
    done = subprocess.run(["readelf", "-W", "-a", program], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert f"Library rpath: [{LIB}]" in done.stdout
