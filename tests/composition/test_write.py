from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from composition.factories import executable
from czscie.cli import app
from czscie.composition.write import write_page
from czscie.errors import CzscieError


@pytest.fixture
def moo(tmp_path: Path) -> Path:
    return executable(tmp_path / "moo")


def test_the_page_is_written_as_a_whole(moo: Path) -> None:
    page = moo.parent / "pages" / "moo.html"
    write_page(moo, page)
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert [path.name for path in page.parent.iterdir()] == ["moo.html"]
    made = page.with_name("made")
    made.touch()
    assert page.stat().st_mode == made.stat().st_mode


def test_what_is_no_file_of_czscies_is_told_and_nothing_is_written(moo: Path) -> None:
    page = moo.parent / "moo.html"
    for other in (moo.with_suffix(".launcher"), moo.parent / "missing", moo.parent):
        for path, older in ((other, None), (moo, other)):
            with pytest.raises(CzscieError, match=re.escape(other.name)):
                write_page(path, page, older)
    assert not page.exists()


def test_a_page_that_cannot_be_written_is_told(moo: Path) -> None:
    with pytest.raises(CzscieError, match="it is a directory"):
        write_page(moo, moo.parent)
    with pytest.raises(CzscieError, match="cannot write"):
        write_page(moo, moo / "page.html")


def test_a_file_is_not_replaced_by_its_page(moo: Path) -> None:
    before = moo.read_bytes()
    older = executable(moo.parent / "older")
    for path in (moo, older):
        with pytest.raises(CzscieError, match="it is the file to read"):
            write_page(path, moo, moo)
    assert moo.read_bytes() == before


def test_the_command_writes_the_page(moo: Path) -> None:
    page = moo.parent / "moo.html"
    result = CliRunner().invoke(app, ["inspect", str(moo), "--html", str(page), "--compare", str(moo)])
    assert (result.exit_code, result.output) == (0, f"{page}\n")
    assert page.is_file()


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (["--compare", "old"], "--compare needs --html"),
        (["--html", "page", "--json"], "--json cannot be used with --html"),
    ],
)
def test_options_that_do_not_go_together_are_refused(moo: Path, options: list[str], error: str) -> None:
    result = CliRunner().invoke(app, ["inspect", str(moo), *options])
    assert result.exit_code == 2
    assert error in result.output
