from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from composition.test_executable import check_sums, find
from czex.factories import metadata, write_zip
from czscie import api
from czscie.composition.czex import czex_composition, is_czex
from czscie.composition.write import composition
from czscie.czex.inject import Compression, inject
from czscie.errors import CzscieError

#: What `czscie inject` wrote, kept for the fuzzer.
CORPUS = Path(__file__).parents[1] / "fuzz" / "corpus" / "czex"
FILES = sorted(CORPUS.glob("seed-*.czex"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_pieces_add_up_to_the_file(path: Path) -> None:
    found = czex_composition(path)
    check_sums(found.whole)
    assert found.whole.packed == path.stat().st_size
    assert found.form == "CZEX"
    assert found.whole.installed > 0


def test_wheels_sources_and_launchers_are_pieces() -> None:
    found = composition(CORPUS / "seed-wheels.czex")
    kinds = {piece.kind for piece in found.whole.parts}
    assert {"wheel", "launcher", "container"} <= kinds
    assert find(found, "container", "Catalogue").packed > 0
    assert [fact.name for fact in found.needs] == ["Python", "Platform"]
    assert found.licences


def test_wheels_of_one_project_are_told_apart_by_their_tags(tmp_path: Path) -> None:
    tags = ("cp313-cp313-manylinux_2_17_x86_64", "cp313-cp313-musllinux_1_2_x86_64")
    names = [f"cow-1.0-{each}.whl" for each in tags]
    info = {
        "requirements": ["cow"],
        "distributions": dict.fromkeys(names, "0"),
        "deps_are_wheel_files": True,
        "entry_point": "cow:main",
    }
    entries = {"PEX-INFO": json.dumps(info).encode()}
    for name in names:
        wheel = write_zip(tmp_path / name, {**metadata("cow", purelib=False), "cow.py": name.encode()})
        entries[f".deps/{name}"] = wheel.read_bytes()
    launcher = tmp_path / "launcher"
    launcher.write_bytes(b"launcher")
    path = tmp_path / "cow.czex"
    inject(write_zip(tmp_path / "cow.pex", entries), path, (), lambda name: launcher, Compression(3))
    found = czex_composition(path)
    check_sums(found.whole)
    assert found.whole.packed == path.stat().st_size
    wheels = {piece.key: piece.detail for piece in found.whole.parts if piece.kind == "wheel"}
    assert wheels == {f"wheel:cow:{each}": f"1.0 {each}" for each in tags}
    assert found.notes[0].startswith("Installed sizes count every wheel.")


def test_inspect_without_a_page_names_the_command() -> None:
    with pytest.raises(CzscieError, match=r"seed-wheels.czex is a CZEX(.|\n)*--html seed-wheels.html"):
        api.inspect(CORPUS / "seed-wheels.czex")


def test_an_executable_is_no_czex(tmp_path: Path) -> None:
    path = tmp_path / "other"
    path.write_bytes(b"other")
    assert not is_czex(path)
    with pytest.raises(CzscieError, match="cannot read"):
        is_czex(tmp_path / "missing")


def test_a_damaged_czex_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "app.czex"
    shutil.copy(CORPUS / "seed-wheels.czex", path)
    data = bytearray(path.read_bytes())
    for position in range(1000, len(data) // 2):
        data[position] ^= 0x55
    path.write_bytes(data)
    with pytest.raises(CzscieError):
        czex_composition(path)
