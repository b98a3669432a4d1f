"""The documentation as a site: it is complete, and nothing in it comes from the network."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from mkdocs.config import load_config
from mkdocs.exceptions import Abort

from czscie.cli import app
from czscie.errors import Code
from website.__main__ import CONFIGURATION, build

#: Attributes whose addresses a browser reads by itself.
LOADED = {
    "script": "src",
    "img": "src",
    "link": "href",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "object": "data",
}
#: Keys of science that czscie reads and does not use.
IGNORED = {"ptex", "scie_jump"}
#: Relations of a `link` that loads nothing.
NAMED = {"canonical", "next", "prev"}


class Loads(HTMLParser):
    """Collects what a page loads."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag == "link" and attributes.get("rel") in NAMED:
            return
        if tag in LOADED and (address := attributes.get(LOADED[tag])):
            self.found.append(address)


def loads(page: Path) -> list[str]:
    parser = Loads()
    parser.feed(page.read_text(encoding="utf-8"))
    return parser.found


def test_no_page_loads_anything_from_the_network(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 25
    for page in pages:
        addresses = loads(page)
        assert addresses
        assert [address for address in addresses if re.match(r"(\w+:)?//", address)] == [], page
    for style in site.rglob("*.css"):
        assert not re.search(r"url\(\s*[\"']?(https?:)?//", style.read_text(encoding="utf-8")), style


def test_every_command_is_on_the_page_of_commands(site: Path) -> None:
    page = (site / "reference/commands/index.html").read_text(encoding="utf-8")
    names = {command.callback.__name__ for command in app.registered_commands if command.callback}
    assert {"build", "lock", "verify"} <= names
    for name in names:
        assert f'id="czscie-{name}"' in page
    assert 'id="czscie-cache-prune"' in page


def test_every_code_of_errors_is_on_its_page(site: Path) -> None:
    page = (site / "reference/errors/index.html").read_text(encoding="utf-8")
    for code in Code:
        assert re.search(rf'<h2 id="{code.value.lower()}-', page)
    assert "<strong>How to fix it</strong>" in page


def test_every_key_of_the_manifest_is_on_its_page(site: Path) -> None:
    page = (site / "reference/manifest/index.html").read_text(encoding="utf-8")
    schema = json.loads((site / "lift.schema.json").read_text(encoding="utf-8"))
    keys = schema["properties"]["lift"]["properties"].keys() - IGNORED
    assert len(keys) > 10
    assert [key for key in keys if key not in page] == []


def test_every_insertion_is_made(site: Path) -> None:
    for page in site.rglob("*.html"):
        assert "<!-- insert" not in page.read_text(encoding="utf-8"), page


@pytest.mark.parametrize("link", ["missing.md", "index.md#no-such-section", "/absolute", "../pyproject.toml"])
def test_a_broken_link_fails_the_build(link: str, tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "index.md").write_text(f"# Moo\n\n[cow]({link})\n")
    config = load_config(
        str(CONFIGURATION), strict=True, docs_dir=str(docs), site_dir=str(tmp_path / "site"), nav=["index.md"]
    )
    with pytest.raises(Abort, match="1 warnings in strict mode"):
        build(config)
