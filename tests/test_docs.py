"""The pages of docs: what names one names one that is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from website.insertions import kept_pages

ROOT = Path(__file__).parents[1]

#: Pages of other projects.
FOREIGN = {"docs/packaging.md"}

#: Variables that czscie sets for a process of its own.
INTERNAL = {"CZSCIE_GUARD"}


def sources() -> list[Path]:
    """The text files that may name pages."""
    suffixes = {".py", ".zig", ".toml", ".md", ".example", ".txt"}
    directories = ("src", "native", "tests", "integration", "e2e", "bench", "examples", "docs")
    below = (path for name in directories for path in (ROOT / name).rglob("*"))
    return [path for path in (*ROOT.iterdir(), *below) if path.suffix in suffixes and path.is_file()]


def test_every_page_that_is_named_exists() -> None:
    named = set()
    for path in sources():
        text = path.read_text(encoding="utf-8", errors="replace")
        pages = re.findall(r"(?<![\w/])docs/[\w/-]+\.md", text)
        named |= {(page, path.relative_to(ROOT)) for page in pages}
    assert len(named) > 50
    missing = [(page, path) for page, path in named if page not in FOREIGN and not (ROOT / page).is_file()]
    assert missing == []


@pytest.mark.parametrize(
    "name", ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"]
)
def test_links_of_pages_at_the_root_lead_somewhere(name: str) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", (ROOT / name).read_text(encoding="utf-8"))
    assert [link for link in links if not (ROOT / link).exists()] == []


def variables(*texts: str) -> set[str]:
    """The environment variables of czscie and of executables that the texts name."""
    return {name for text in texts for name in re.findall(r"\b(?:CZ)?SCIE_[A-Z0-9_]*[A-Z0-9]", text)}


def test_the_page_of_environment_variables_has_all_of_them() -> None:
    paths = [path for name in ("src", "native/src") for path in (ROOT / name).rglob("*")]
    paths = [path for path in paths if path.suffix in {".py", ".zig"}] + [ROOT / "hatch_build.py"]
    found = variables(*(path.read_text(encoding="utf-8") for path in paths)) - INTERNAL
    page = (ROOT / "docs/reference/environment.md").read_text(encoding="utf-8")
    named = variables(page)
    assert sorted(found - named) == []
    assert sorted(name for name in named - found if not name.startswith("CZSCIE_AUTH")) == []


def test_every_recipe_is_in_the_list_of_recipes() -> None:
    recipes = {path.name for path in (ROOT / "docs/how-to").glob("*.md")} - {"index.md"}
    page = (ROOT / "docs/how-to/index.md").read_text(encoding="utf-8")
    assert len(recipes) >= 15
    assert recipes == set(re.findall(r"\]\(([\w-]+\.md)\)", page))


def test_pages_that_quote_czscie_are_up_to_date() -> None:
    pages = list(kept_pages())
    assert [path.name for path, _ in pages] == ["commands.md", "errors.md", "manifest.md"]
    stale = [path.name for path, text in pages if path.read_text(encoding="utf-8") != text]
    assert stale == [], "run: python -m website --write"
