"""The README says of every platform how far it is proven."""

from __future__ import annotations

import re
from pathlib import Path

from czscie.platforms import platform_names

README = Path(__file__).parents[1] / "README.md"


def test_each_platform_has_a_place_in_the_table_of_what_is_proven() -> None:
    text = README.read_text(encoding="utf-8")
    section = text.partition("## Where it is proven to run\n")[2].partition("\n## ")[0]
    rows = [line.split("|")[1:-1] for line in section.splitlines() if line.startswith("|")]
    assert {len(row) for row in rows} == {5}
    named = [name for row in rows for name in re.findall(r"`([^`]+)`", row[0])]
    assert sorted(named) == sorted(platform_names())
