"""The pages of docs: what names one names one that is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

#: Pages of other projects.
FOREIGN = {"docs/packaging.md"}


def sources() -> list[Path]:
    """The text files that name pages as they are now."""
    suffixes = {".py", ".toml", ".md", ".example", ".txt"}
    directories = ("src", "native", "tests", "integration", "e2e", "bench", "examples", "docs")
    below = (path for name in directories for path in (ROOT / name).rglob("*"))
    found = [path for path in (*ROOT.iterdir(), *below) if path.suffix in suffixes and path.is_file()]
    return [path for path in found if path.name != "CHANGELOG.md"]


def test_every_page_that_is_named_exists() -> None:
    named = set()
    for path in sources():
        text = path.read_text(encoding="utf-8", errors="replace")
        pages = re.findall(r"(?<![\w/])docs/[\w/-]+\.md", text)
        named |= {(page, path.relative_to(ROOT)) for page in pages}
    assert len(named) > 50
    missing = [(page, path) for page, path in named if page not in FOREIGN and not (ROOT / page).is_file()]
    assert missing == []


@pytest.mark.parametrize("name", ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"])
def test_links_of_pages_at_the_root_lead_somewhere(name: str) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", (ROOT / name).read_text(encoding="utf-8"))
    assert [link for link in links if not (ROOT / link).exists()] == []
