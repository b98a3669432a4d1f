from __future__ import annotations

import base64
import hashlib
import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from composition.factories import bill, executable, interpreter, payload
from czscie.composition.executable import executable_composition
from czscie.composition.page import page, visible

HOSTILE = (
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "<!--<script>",
    "\x1b[31mred\u202egnp.exe\u2028",
    "$style ${data} $$",
)


class Elements(HTMLParser):
    """The elements of a page, each with its attributes, and the text in each by its id or its name."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self._inside = dict(attrs).get("id") or tag

    def handle_data(self, data: str) -> None:
        self.texts[self._inside] = self.texts.get(self._inside, "") + data

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    @property
    def data(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.texts["data"])
        return found


@pytest.fixture
def hostile(tmp_path: Path) -> Elements:
    """The page of an executable whose names are attacks."""
    names = {f"{name}/RECORD": b"" for name in HOSTILE}
    components = [{"bom-ref": f"payload/{name}", "name": name, "version": name} for name in HOSTILE]
    path = executable(
        tmp_path / "moo",
        [interpreter(tmp_path), payload(tmp_path, {"evil-1-py3-none-any.whl": names})],
        name=HOSTILE[0],
        description=HOSTILE[1],
        sbom=bill(*components),
    )
    return Elements(page(executable_composition(path)))


def names(node: dict[str, Any]) -> set[str]:
    return {node["name"]}.union(*map(names, node["parts"]))


def test_no_name_becomes_markup(tmp_path: Path, hostile: Elements) -> None:
    harmless = Elements(page(executable_composition(executable(tmp_path / "other"))))
    assert [tag for tag, _ in hostile.found] == [tag for tag, _ in harmless.found]
    assert "<" not in hostile.texts["data"]
    assert hostile.texts["script"] == harmless.texts["script"]
    assert hostile.texts["title"] == hostile.data["name"] == HOSTILE[0]


def test_characters_that_would_not_show_are_escaped(hostile: Elements) -> None:
    found = names(hostile.data["root"])
    assert r"\x1b[31mred\u202egnp.exe\u2028" in found
    assert all(each.isprintable() for each in found)
    assert visible("\udc80") == r"\udc80"
    assert visible("צפרדע.py") == "צפרדע.py"


def test_the_page_loads_nothing_and_runs_no_script_but_its_own(tmp_path: Path) -> None:
    found = Elements(page(executable_composition(executable(tmp_path / "moo"))))
    [policy] = [each["content"] for _, each in found.found if "http-equiv" in each]
    assert policy is not None
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for element in ("script", "style"):
        digest = base64.b64encode(hashlib.sha256(found.texts[element].encode()).digest()).decode()
        assert f"; {element}-src 'sha256-{digest}'; " in policy
    addresses = {value for _, each in found.found for name, value in each.items() if name in ("src", "href")}
    assert addresses == {"data:,"}
    assert "http" not in found.texts["style"] + found.texts["script"]


def test_the_page_has_what_the_composition_has(tmp_path: Path) -> None:
    composition = executable_composition(executable(tmp_path / "moo", description="Says moo"))
    data = Elements(page(composition)).data
    assert data["was"] is None
    assert data["root"]["packed"] == composition.path.stat().st_size
    assert data["eyebrow"] == "Executable for linux-x86_64"
    assert ["C library", "glibc >= 2.17"] in data["host"]
    assert ["Description", "Says moo"] in data["contents"]
    assert ["Cow", "1.0", "MIT"] in data["licences"]
    assert ["Cow", 2, 1, "cow/looks.py uses __file__"] in data["modules"]
    assert ["moo", hashlib.sha256(composition.path.read_bytes()).hexdigest()] in data["digests"]


def test_a_comparison_has_both_sizes_of_each_piece(tmp_path: Path) -> None:
    new = executable_composition(executable(tmp_path / "new"))
    old = executable_composition(executable(tmp_path / "old", [interpreter(tmp_path)]))
    grown = Elements(page(new, old)).data["root"]
    assert (grown["packed"], grown["was"]["packed"]) == (new.whole.packed, old.whole.packed)
    [cow] = [each for each in grown["parts"] if each["name"] == "Cow"]
    assert cow["there"] and cow["was"] == {"packed": 0, "installed": 0, "there": False}
    shrunk = Elements(page(old, new)).data["root"]
    [cow] = [each for each in shrunk["parts"] if each["name"] == "Cow"]
    assert not cow["there"] and cow["packed"] == 0 < cow["was"]["packed"]
