"""The documentation as people read it: in Chromium, on a phone and on a desk, on light and on dark pages."""

from __future__ import annotations

import functools
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import SimpleHTTPRequestHandler
from pathlib import Path

import pytest

from integration.chromium import Browser, browser
from network.server import QuietServer

__all__ = ("browser",)

#: CSS pixels: a phone.
NARROW = 390

#: Where the links of a page lead, and where links to it may lead.
LINKS = "[...document.querySelectorAll('a[href]')].map((each) => each.href)"
ANCHORS = "[...document.querySelectorAll('[id]')].map((each) => each.id)"
#: The beginnings of elements that are wider than the page, if that makes it scroll sideways.
OVERFLOW = """\
document.documentElement.scrollWidth <= document.documentElement.clientWidth ? [] :
    [...document.body.querySelectorAll('*')]
        .filter((each) => each.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
        .map((each) => each.outerHTML.slice(0, 120))
"""
#: Types a word into the search, and resolves to where the results lead.
SEARCH = """\
new Promise((found) => {{
    const field = document.querySelector('.md-search__input');
    const results = () => [...document.querySelectorAll('.md-search-result__link')].map((each) => each.href);
    new MutationObserver(() => results().length && found(results()))
        .observe(document.querySelector('.md-search-result__list'), {{ childList: true }});
    field.focus();
    field.value = {};
    field.dispatchEvent(new Event('keyup'));
}})
"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What Chromium found on a page that a phone shows."""

    links: tuple[str, ...]
    anchors: frozenset[str]
    requests: tuple[str, ...]
    overflow: tuple[str, ...]
    violations: tuple[object, ...]


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    with QuietServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(site))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def readings(site: Path, address: str, browser: Browser) -> dict[str, Reading]:
    """Every page, read once: by its address."""
    found = {}
    for page in sorted(site.rglob("index.html")):
        place = f"{address}/{page.parent.relative_to(site).as_posix()}/".replace("/./", "/")
        tab = browser.open(place, NARROW)
        found[place] = Reading(
            links=tuple(tab.evaluate(LINKS)),
            anchors=frozenset(tab.evaluate(ANCHORS)),
            overflow=tuple(tab.evaluate(OVERFLOW)),
            violations=tuple(tab.violations("color-contrast")),
            requests=tuple(tab.requests),
        )
        tab.close()
    return found


def test_no_page_scrolls_sideways_on_a_phone(readings: dict[str, Reading]) -> None:
    assert len(readings) > 40
    assert {place: reading.overflow for place, reading in readings.items() if reading.overflow} == {}


def test_contrasts_of_every_page_pass_axe(readings: dict[str, Reading]) -> None:
    assert {place: reading.violations for place, reading in readings.items() if reading.violations} == {}


@pytest.mark.parametrize("page", ["", "how-to/django/", "reference/api/", "comparison/"])
def test_contrasts_pass_axe_on_dark_pages(page: str, address: str, browser: Browser) -> None:
    tab = browser.open(f"{address}/{page}")
    tab.evaluate("document.querySelector('input[data-md-color-scheme=slate]').click()")
    assert tab.evaluate("document.body.dataset.mdColorScheme") == "slate"
    assert tab.violations("color-contrast") == []
    tab.close()


def test_every_link_and_every_anchor_leads_somewhere(readings: dict[str, Reading], address: str) -> None:
    broken = []
    for place, reading in readings.items():
        for link in reading.links:
            target, _, anchor = link.partition("#")
            if not target.startswith(address):
                assert re.match("https?://", link), f"{place}: {link}"
            elif target not in readings or (anchor and anchor not in readings[target].anchors):
                broken.append(f"{place}: {link}")
    assert broken == []


def test_pages_load_nothing_from_elsewhere(readings: dict[str, Reading], address: str) -> None:
    for place, reading in readings.items():
        assert reading.requests
        elsewhere = [each for each in reading.requests if not each.startswith((address, "data:"))]
        assert elsewhere == [], place


def test_the_search_finds_a_recipe(address: str, browser: Browser) -> None:
    tab = browser.open(f"{address}/")
    results = tab.evaluate(SEARCH.format("'wheelhouse'"))
    assert any("/how-to/wheelhouse/" in result for result in results)
    tab.close()
