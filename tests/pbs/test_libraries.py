from __future__ import annotations

from pathlib import Path

import pytest

from czscie.elf import Elf
from czscie.pbs.libraries import Libraries, is_of_libc
from elf_image import AARCH64, elf_image

OF_LIBC = {
    "glibc": "libc.so.6 libm.so.6 libmvec.so.1 libdl.so.2 libpthread.so.0 librt.so.1 libutil.so.1",
    "more of it": "libresolv.so.2 libnsl.so.1 libnss_files.so.2 libanl.so.1",
    "its loaders": "ld-linux-x86-64.so.2 ld-linux-aarch64.so.1 ld-linux-armhf.so.3 ld64.so.2 ld64.so.1",
    "musl": "libc.so libc.musl-x86_64.so.1 ld-musl-x86_64.so.1",
}
OTHERS = "libcrypt.so.1 libcrypto.so.3 libnsl.so.2 libz.so.1 libgcc_s.so.1 libcurses.so.6 libmagic.so.1"


@pytest.mark.parametrize("names", OF_LIBC.values(), ids=OF_LIBC)
def test_the_c_librarys_own_files_stay_the_hosts(names: str) -> None:
    assert [name for name in names.split() if not is_of_libc(name)] == []


def test_everything_else_travels() -> None:
    assert [name for name in OTHERS.split() if is_of_libc(name)] == []


def put(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def libraries(executable: Path, ld_library_path: str = "") -> Libraries:
    return Libraries(executable, {"LD_LIBRARY_PATH": ld_library_path})


def test_libraries_of_libraries_are_found_where_each_looks_for_them(tmp_path: Path) -> None:
    program = put(
        tmp_path / "bin/python", elf_image(needed=["libx-one.so", "libc.so.6"], runpath="$ORIGIN/../lib")
    )
    one = put(tmp_path / "lib/libx-one.so", elf_image(needed=["libx-two.so"], runpath="${ORIGIN}/deep"))
    two = put(tmp_path / "lib/deep/libx-two.so", elf_image(needed=["libx-one.so", "libx-nowhere.so"]))
    assert libraries(program).needed_by({}) == {"libx-one.so": one, "libx-two.so": two}


def test_the_search_path_of_the_program_serves_its_extension_modules(tmp_path: Path) -> None:
    program = put(tmp_path / "bin/python", elf_image(rpath="$ORIGIN/../lib"))
    library = put(tmp_path / "lib/libx-one.so", elf_image())
    extension = put(tmp_path / "ext/x.so", elf_image(needed=["libx-one.so"]))
    assert libraries(program).needed_by({extension: extension.read_bytes()}) == {"libx-one.so": library}


def test_an_rpath_comes_before_the_environment_and_a_runpath_after(tmp_path: Path) -> None:
    for directory in ("own", "environment"):
        put(tmp_path / directory / "libx-one.so", elf_image())
    program = put(tmp_path / "bin/python", elf_image())
    for kind, directory in (("rpath", "own"), ("runpath", "environment")):
        extension = put(
            tmp_path / "x.so",
            elf_image(needed=["libx-one.so"], **{kind: f"{tmp_path}/own"}),  # type: ignore[arg-type]
        )
        elf = Elf.parse(extension.read_bytes(), "x.so")
        found = libraries(program, f"{tmp_path}/environment").find("libx-one.so", extension, elf)
        assert found == tmp_path / directory / "libx-one.so"


def test_a_runpath_makes_the_rpath_count_for_nothing(tmp_path: Path) -> None:
    for directory in ("rpath", "runpath"):
        put(tmp_path / directory / "libx-one.so", elf_image())
    both = elf_image(needed=["libx-one.so"], rpath=f"{tmp_path}/rpath", runpath=f"{tmp_path}/runpath")
    program = put(tmp_path / "bin/python", both)
    assert libraries(program).needed_by({}) == {"libx-one.so": tmp_path / "runpath/libx-one.so"}


def test_a_library_for_another_machine_is_passed_over(tmp_path: Path) -> None:
    program = put(tmp_path / "bin/python", elf_image(needed=["libx-one.so"]))
    put(tmp_path / "a/libx-one.so", elf_image(machine=AARCH64))
    put(tmp_path / "b/libx-one.so", elf_image(bits=32))
    put(tmp_path / "c/libx-one.so", b"/* GNU ld script */ GROUP (x)")
    right = put(tmp_path / "d/libx-one.so", elf_image())
    path = ":".join(str(tmp_path / directory) for directory in "abcd")
    assert libraries(program, path).needed_by({}) == {"libx-one.so": right}


def test_a_link_is_followed_to_the_library_itself(tmp_path: Path) -> None:
    program = put(tmp_path / "bin/python", elf_image(needed=["libx.so.1"], rpath=str(tmp_path / "lib")))
    real = put(tmp_path / "lib/libx.so.1.2.3", elf_image())
    (tmp_path / "lib/libx.so.1").symlink_to("libx.so.1.2.3")
    assert libraries(program).needed_by({}) == {"libx.so.1": real}
