from __future__ import annotations

import shutil
import struct
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from czscie.container.plan import PlannedCopy, PlannedText
from czscie.elf import PT_DYNAMIC, PT_INTERP, PT_LOAD, Elf, ElfError
from czscie.libc.own_loader import Patch, own_loader
from elf_image import S390X, X86_64, elf_image

BASE, ROOT = "/base", "/base/interpreters/d"
LOADER, LIBRARIES = "{base}/libcs/l/lib/ld.so", "{base}/libcs/l/lib"


def apply(data: bytes, patches: Iterable[Patch], base: str, root: str) -> bytes:
    """The file `data` of the installation `root` in `base`, with `patches` written over it as the launcher
    does.

    Raises ValueError when a path is too long for the room that there is.
    """
    patched = bytearray(data)
    for patch in patches:
        if isinstance(patch, PlannedText):
            text = patch.template.replace("{base}", base).replace("{root}", root).encode()
            if len(text) >= patch.size:
                raise ValueError(f"{base} is too long")
            content = text.ljust(patch.size, b"\0")
        elif isinstance(patch, PlannedCopy):
            content = bytes(patched[patch.source : patch.source + patch.size])
        else:
            content = patch.data
        patched.extend(bytes(max(0, patch.offset - len(patched))))
        patched[patch.offset : patch.offset + len(content)] = content
    return bytes(patched)


def patched(data: bytes, *needed: str, base: str = BASE, root: str = ROOT) -> bytes:
    return apply(data, own_loader(data, "bin/python3.13", LOADER, LIBRARIES, needed), base, root)


@pytest.mark.parametrize(
    ("bits", "big_endian", "machine"), [(64, False, X86_64), (64, True, S390X), (32, False, 40)]
)
@pytest.mark.parametrize(
    ("before", "own"),
    [
        ({}, ()),
        ({"rpath": "$ORIGIN/../lib"}, (f"{ROOT}/lib",)),
        ({"runpath": "${ORIGIN}:/opt/lib"}, (f"{ROOT}/bin", "/opt/lib")),
    ],
)
def test_the_loader_and_the_search_path_are_those_of_the_installation(
    bits: int, big_endian: bool, machine: int, before: dict[str, str], own: tuple[str, ...]
) -> None:
    data = elf_image(
        bits=bits,
        big_endian=big_endian,
        machine=machine,
        needed=["libm.so.6", "libc.so.6"],
        versions={"libc.so.6": ["GLIBC_2.17"]},
        **before,  # type: ignore[arg-type]
    )
    old, new = Elf.parse(data, "before"), Elf.parse(patched(data, "libgcc_s.so.1", "libm.so.6"), "after")
    assert new.interpreter == "/base/libcs/l/lib/ld.so"
    assert (new.rpath, new.runpath) == ((*own, "/base/libcs/l/lib"), ())
    assert new.needed == ("libm.so.6", "libc.so.6", "libgcc_s.so.1")
    assert new.versions == old.versions


def test_everything_new_lies_in_one_segment_behind_all_others() -> None:
    data = elf_image(needed=["libc.so.6"])
    changed = patched(data)
    elf = Elf.parse(changed, "after")
    first, last = (segment for segment in elf.segments if segment.type == PT_LOAD)
    assert elf.segments[-1] == last and elf.program_headers == last.offset
    assert last.address - last.offset == first.address - first.offset
    assert last.address >= first.address + first.memory_size and last.offset >= len(data)
    assert last.address % last.align == last.offset % last.align
    assert last.offset + last.file_size == len(changed)
    for segment in elf.segments:
        if segment.type in (PT_INTERP, PT_DYNAMIC):
            assert segment.address - segment.offset == last.address - last.offset
            assert last.offset <= segment.offset < len(changed)


def test_of_what_was_there_only_the_header_changes() -> None:
    data = elf_image(needed=["libc.so.6"])
    changed = patched(data)
    assert changed[64 : len(data)] == data[64:]
    assert changed[:32] == data[:32]


def test_a_program_without_a_loader_is_refused() -> None:
    with pytest.raises(ElfError, match="is not linked dynamically"):
        patched(elf_image(interpreter=None))


def test_nothing_in_the_file_has_to_be_spare() -> None:
    elf = Elf.parse(patched(elf_image(note=False, spare_slots=0), "libm.so.6"), "x")
    assert (elf.interpreter, elf.needed) == ("/base/libcs/l/lib/ld.so", ("libm.so.6",))


def test_a_path_that_is_too_long_is_refused() -> None:
    data = elf_image(needed=["libc.so.6"])
    assert patched(data, base="/" + "b" * 4000)
    with pytest.raises(ValueError, match="too long"):
        patched(data, base="/" + "b" * 4096)


def test_patches_have_room_for_any_path() -> None:
    patches = own_loader(elf_image(), "bin/python3.13", LOADER, LIBRARIES)
    texts = [patch for patch in patches if isinstance(patch, PlannedText)]
    assert [(text.size, text.template) for text in texts] == [(4096, LOADER), (8192, LIBRARIES)]


needs_compiler = pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("cc") is None, reason="needs a C compiler on Linux"
)


def host_loader() -> str:
    loader = Elf.parse(Path("/bin/sh").read_bytes(), "/bin/sh").interpreter
    assert loader is not None
    return loader


@needs_compiler
@pytest.mark.parametrize("options", [["-no-pie"], ["-pie", "-fPIE"], ["-Wl,-z,noseparate-code"]])
def test_a_real_program_starts_through_another_loader_with_other_libraries(
    tmp_path: Path, options: list[str]
) -> None:
    """The loader is a copy of the host's; a library of ours is found by the new search path alone."""
    (tmp_path / "lib").mkdir()
    (tmp_path / "answer.c").write_text("int answer(void) { return 42; }")
    (tmp_path / "main.c").write_text(
        "int many[5000]; int answer(void); int main(void) { return answer() + many[7]; }"
    )
    library = tmp_path / "lib/libanswer.so"
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-Wl,-soname,libanswer.so", "-o", library, tmp_path / "answer.c"],
        check=True,
    )
    program = tmp_path / "program"
    subprocess.run(["cc", *options, "-o", program, tmp_path / "main.c", library], check=True)
    shutil.copy(host_loader(), tmp_path / "lib/ld.so")
    data = program.read_bytes()
    patches = own_loader(data, "program", "{base}/lib/ld.so", "{base}/lib", ["libm.so.6"])
    program.write_bytes(apply(data, patches, str(tmp_path), str(tmp_path)))
    done = subprocess.run([program], env={"LD_TRACE_LOADED_OBJECTS": "1"}, capture_output=True, text=True)
    assert f"libanswer.so => {library}" in done.stdout and "libm.so.6" in done.stdout
    assert subprocess.run([program], env={}).returncode == 42


@needs_compiler
@pytest.mark.skipif(shutil.which("readelf") is None, reason="needs readelf")
def test_tools_read_a_patched_program_without_complaint(tmp_path: Path) -> None:
    program = tmp_path / "program"
    (tmp_path / "main.c").write_text("int main(void) { return 0; }")
    subprocess.run(["cc", "-o", program, tmp_path / "main.c"], check=True)
    program.write_bytes(patched(program.read_bytes(), "libgcc_s.so.1"))
    done = subprocess.run(["readelf", "-W", "-a", program], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert "Library rpath: [/base/libcs/l/lib]" in done.stdout
    assert "Shared library: [libgcc_s.so.1]" in done.stdout
    assert "[Requesting program interpreter: /base/libcs/l/lib/ld.so]" in done.stdout


def test_no_prefix_of_a_program_is_more_than_an_error() -> None:
    data = elf_image(needed=["libc.so.6"])
    for length in range(0, len(data), 3):
        try:
            patched(data[:length])
        except (ElfError, struct.error) as error:
            assert isinstance(error, ElfError)
