from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from czex.factories import CPYTHON_313, metadata, write_zip
from czscie.czex.convert import Conversion, Converted, convert
from czscie.czex.info import PexInfo
from czscie.czex.write import InstalledInterpreter
from czscie.errors import CzscieError
from czscie.platforms import ANY_GLIBC, GlibcVersion, find_platform
from elf_image import elf_image

GNU = InstalledInterpreter("ab" * 32, CPYTHON_313, find_platform("linux-x86_64"))
MUSL = InstalledInterpreter("ab" * 32, CPYTHON_313, find_platform("musl-linux-x86_64"))
MOO = "moo-1.0-py3-none-any.whl"
EXTENSION = "ext-1.0-cp313-cp313-manylinux_2_17_x86_64.musllinux_1_2_x86_64.whl"


def wheel_file(name: str, members: Mapping[str, bytes] | None = None, **fields: Any) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for path, data in {**metadata(name, **fields), **(members or {})}.items():
            archive.writestr(path, data)
    return stream.getvalue()


def make(
    directory: Path,
    wheels: Mapping[str, bytes],
    sources: Mapping[str, bytes] | None = None,
    **info: object,
) -> Path:
    """A PEX whose dependencies are wheel files."""
    document = {
        "deps_are_wheel_files": True,
        "distributions": dict.fromkeys(wheels, "00" * 32),
        "requirements": [name.partition("-")[0] for name in wheels],
        "entry_point": "moo:main",
        **info,
    }
    entries = {"PEX-INFO": json.dumps(document).encode(), "__main__.py": b""}
    entries |= {f".deps/{name}": data for name, data in wheels.items()}
    return write_zip(directory / "moo.pex", {**entries, **(sources or {})}, b"#!/usr/bin/env python3\n")


def converted(
    pex: Path,
    entry_point: str | None = None,
    interpreter: InstalledInterpreter = GNU,
    glibc: GlibcVersion = ANY_GLIBC,
) -> Converted:
    return convert(pex, pex.parent / "out" / "moo.czex", Conversion(interpreter, 3, glibc, entry_point))


def test_a_pex_becomes_a_czex(tmp_path: Path) -> None:
    made = converted(make(tmp_path, {MOO: wheel_file("moo", {"moo.py": b""})}, {"herd.py": b""}))
    with zipfile.ZipFile(tmp_path / "out" / "moo.czex") as archive:
        assert f".deps/{MOO}" in archive.namelist()
        assert PexInfo.parse(archive.read("PEX-INFO"), "moo") == made.info
    assert made.info.entry_point == "moo:main"
    assert made.description == "1 wheel, 1 source file"
    assert made.warnings == ()
    assert made.glibc is None
    paths = {file.path for file in made.plan.files}
    assert {"lib/python3.13/site-packages/moo.py", "lib/python3.13/site-packages/herd.py"} <= paths


def test_the_description_counts_what_was_left_out(tmp_path: Path) -> None:
    wheels = {
        MOO: wheel_file("moo", {"moo.py": b""}),
        "cow-1.0-py3-none-any.whl": wheel_file("cow"),
        "cow-1.0-cp39-cp39-win_amd64.whl": wheel_file("cow"),
    }
    pex = make(tmp_path, wheels, {"a.py": b"", "b.py": b""}, requirements=["moo", "cow"])
    assert converted(pex).description == "2 wheels, 2 source files, 1 wheel left out"


def test_the_entry_point_can_be_replaced(tmp_path: Path) -> None:
    pex = make(tmp_path, {MOO: wheel_file("moo", {"moo.py": b""})})
    assert converted(pex, "moo:other").info.entry_point == "moo:other"


def test_two_files_of_one_name_are_warned_about(tmp_path: Path) -> None:
    wheels = {
        MOO: wheel_file("moo", {"same.py": b"1"}),
        "cow-1.0-py3-none-any.whl": wheel_file("cow", {"same.py": b"2"}),
    }
    assert converted(make(tmp_path, wheels)).warnings == (
        "lib/python3.13/site-packages/same.py of cow-1.0-py3-none-any.whl is left out: "
        f"{MOO} has another file of that name",
    )


def test_what_the_pex_may_lack_is_warned_about(tmp_path: Path) -> None:
    wheels = {MOO: wheel_file("moo", requires=["cow>=2"])}
    pex = make(tmp_path, wheels, ignore_errors=True)
    assert converted(pex).warnings == ("cow>=2 is missing, and the PEX ignores missing requirements",)


@pytest.mark.parametrize("field", [{"pex_paths": ["/other.pex"]}, {"pex_path": "/other.pex"}])
def test_a_pex_that_wants_others_is_refused(tmp_path: Path, field: dict[str, Any]) -> None:
    with pytest.raises(CzscieError) as caught:
        converted(make(tmp_path, {MOO: wheel_file("moo")}, **field))
    assert str(caught.value) == (
        "error: moo.pex merges other PEXes at run time\n"
        "  its PEX-INFO names /other.pex\n"
        "hint: build one PEX from them: pex --requirements-pex OTHER.pex …"
    )


def test_the_glibc_of_extension_modules_is_found(tmp_path: Path) -> None:
    versions = {"libc.so.6": ["GLIBC_2.2.5", "GLIBC_2.14"], "libm.so.6": ["GLIBC_2.29"]}
    image = elf_image(needed=("libc.so.6", "libm.so.6"), versions=versions)
    ext = wheel_file("ext", {"ext.cpython-313-x86_64-linux-gnu.so": image}, purelib=False)
    pex = make(tmp_path, {EXTENSION: ext})
    assert converted(pex).glibc == (2, 29)
    assert converted(pex, interpreter=MUSL).glibc is None, "musl's loader asks for no glibc"


def test_data_that_looks_like_an_extension_is_no_obstacle(tmp_path: Path) -> None:
    ext = wheel_file("ext", {"ext/broken.so": b"\x7fELF" + bytes(100), "ext/text.so": b"INPUT(-lc)"})
    assert converted(make(tmp_path, {EXTENSION: ext})).glibc is None


def test_wheels_that_ask_for_a_newer_glibc_than_wanted_are_not_taken(tmp_path: Path) -> None:
    pex = make(tmp_path, {EXTENSION: wheel_file("ext")})
    assert converted(pex, glibc=(2, 17)).description == "1 wheel"
    with pytest.raises(CzscieError, match=r"moo\.pex"):
        converted(pex, glibc=(2, 16))


@pytest.mark.parametrize(
    "break_it",
    [
        lambda pex: pex.write_bytes(b"no zip"),
        lambda pex: pex.write_bytes(pex.read_bytes()[:-30]),
        lambda pex: pex.write_bytes(pex.read_bytes().replace(b"HERD", b"DREH")),
        lambda pex: pex.unlink(),
    ],
    ids=["no zip", "cut short", "altered", "missing"],
)
def test_a_broken_pex_is_an_error_and_no_czex(tmp_path: Path, break_it: Any) -> None:
    path = tmp_path / "moo.pex"
    info = json.dumps({"distributions": {}, "entry_point": "herd:main"}).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("PEX-INFO", info)
        archive.writestr("herd.py", b"HERD = 1\n" * 10)
    assert converted(path).description == "0 wheels, 1 source file"
    (tmp_path / "out" / "moo.czex").unlink()
    break_it(path)
    with pytest.raises(CzscieError, match=r"moo\.pex"):
        converted(path)
    assert list((tmp_path / "out").iterdir()) == []
