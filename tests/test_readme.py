"""The page of platforms says of each how far it is proven, and the README is short."""

from __future__ import annotations

import re
from pathlib import Path

from czscie.platforms import find_platform, platform_names, platform_spellings

ROOT = Path(__file__).parents[1]


def test_each_platform_has_a_place_in_the_table_of_what_is_proven() -> None:
    text = (ROOT / "docs/reference/platforms.md").read_text(encoding="utf-8")
    section = text.partition("## Where it is proven to run\n")[2].partition("\n## ")[0]
    rows = [line.split("|")[1:-1] for line in section.splitlines() if line.startswith("|")]
    assert {len(row) for row in rows} == {5}
    named = [name for row in rows for name in re.findall(r"`([^`]+)`", row[0])]
    assert sorted(named) == sorted(platform_names())


def test_the_page_names_every_spelling_that_is_accepted() -> None:
    text = (ROOT / "docs/reference/platforms.md").read_text(encoding="utf-8")
    section = text.partition("## Names\n")[2].partition("\n## ")[0]
    spellings = re.findall(r"`([^`]+)`", section)
    for row in (line.split("|")[1:-1] for line in section.splitlines() if line.startswith("| `")):
        [name, *others] = [text for cell in row for text in re.findall(r"`([^`]+)`", cell)]
        assert {find_platform(other).name for other in others} == {name}
    assert {*spellings} >= {*platform_spellings()} - {*platform_names()}


def test_the_readme_is_read_in_a_few_minutes() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 120
