from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from composition.test_executable import check_sums, find
from czscie import api
from czscie.composition.czex import czex_composition, is_czex
from czscie.composition.write import composition
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
