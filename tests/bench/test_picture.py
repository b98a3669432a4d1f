"""The picture and the table of the figures are those of the recorded run."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.picture import PICTURE, Recorded

DOCS = Path(__file__).parents[2] / "docs"

RUN = """\
recorded = 2026-01-01
machine = "one <core>"
python = "CPython 3.13"
command = "python -m bench"
[[contestants]]
name = "moo"
cowsay = { size = 1.0, cold = 30, warm = 20 }
numpy-pandas = { size = 2.5, cold = 100, warm = 50 }
[[contestants]]
name = "`calf`"
needs_python = true
cowsay = { size = 0.5, warm = 4 }
"""


@pytest.fixture
def recorded(tmp_path: Path) -> Recorded:
    (tmp_path / "recorded.toml").write_text(RUN)
    return Recorded.read(tmp_path / "recorded.toml")


def test_a_contestant_is_a_row_with_what_was_measured(recorded: Recorded) -> None:
    assert recorded.table() == [
        "| moo | 1 | 30 | 20 | 2.5 | 100 | 50 |",
        "| `calf` | 0.5 and a CPython | | 4 | | | |",
    ]


def test_the_longest_start_is_the_longest_bar_and_who_was_not_measured_has_none(recorded: Recorded) -> None:
    picture = recorded.draw()
    assert 'width="460.0"' in picture and 'width="230.0"' in picture
    assert "calf" not in picture
    assert "one &lt;core&gt;" in picture


def test_the_picture_is_that_of_the_recorded_run() -> None:
    assert PICTURE.read_text(encoding="utf-8") == Recorded.read().draw()


def test_the_table_is_that_of_the_recorded_run() -> None:
    page = (DOCS / "comparison.md").read_text(encoding="utf-8")
    assert "\n".join(Recorded.read().table()) in page
