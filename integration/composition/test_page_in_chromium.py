"""The page in a real browser: with a mouse, with a keyboard, on a phone, and for a screen reader."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.chromium import Browser, Tab
from integration.composition.screenshot import main

DOCUMENTED = Path(__file__).parents[2] / "docs" / "assets" / "inspect.png"

PAGES = ("new.html", "grown.html", "hostile.html")

#: What a screen reader reads, without the marks around names.
_PLAIN = r"?.replace(/[\u2068\u2069]/g, '')"
#: The labels of the cells, in the order of the document.
CELLS = f"[...document.querySelectorAll('#map button')].map((cell) => cell.ariaLabel{_PLAIN})"
FOCUSED = f"document.activeElement.ariaLabel{_PLAIN}"
STATUS = f"document.getElementById('status').textContent{_PLAIN}"
TRAIL = "document.getElementById('trail').innerText.split('\\n').filter(Boolean)"
ROWS = (
    "[...document.querySelectorAll('#parts tbody tr')]"
    ".map((row) => [...row.cells].map((cell) => cell.innerText))"
)
#: Resolves when the address has changed.
CHANGED = "new Promise((done) => {{ addEventListener('hashchange', done, {{ once: true }}); {}; }})"


@pytest.fixture
def tab(browser: Browser, pages: Path) -> Iterator[Tab]:
    """The page of an executable. Whatever a test does, nothing is asked for and nothing complains."""
    opened = browser.open(pages / "new.html")
    yield opened
    assert opened.requests == [(pages / "new.html").as_uri()]
    assert opened.complaints == []
    opened.close()


def cell(name: str) -> str:
    return f"[...document.querySelectorAll('#map button')].find((cell) => cell.ariaLabel.includes({name!r}))"


def test_a_wheel_is_opened_by_a_click_and_left_by_the_keyboard(tab: Tab) -> None:
    names = [each.partition(" ")[0] for each in tab.evaluate(CELLS)]
    assert names[0] == "herd" and {"Cow", "Standard", "Launcher"} <= set(names)
    tab.click(cell("herd"))
    assert tab.evaluate(TRAIL) == ["moo", "herd"]
    assert tab.evaluate(FOCUSED).startswith("herd:")
    tab.press("Enter")
    assert tab.evaluate(TRAIL) == ["moo", "herd", "herd"]
    assert "big.so" in tab.evaluate(CELLS)[0]
    assert tab.evaluate(STATUS).startswith("herd: 4")
    tab.press("Escape", "Escape")
    assert tab.evaluate(TRAIL) == ["moo"]
    assert tab.evaluate(FOCUSED).startswith("herd 2.0:")
    tab.press("Escape")
    assert tab.evaluate(TRAIL) == ["moo"]


def test_arrow_keys_reach_every_cell(tab: Tab) -> None:
    """Each cell is reached from another one by a key that leads there."""
    tab.evaluate("document.querySelector('#map button').focus()")
    reached = {tab.evaluate(FOCUSED)}
    for key in (
        "ArrowRight",
        "ArrowDown",
        "ArrowLeft",
        "ArrowDown",
        "ArrowRight",
        "ArrowUp",
        "ArrowLeft",
    ) * 4:
        tab.press(key)
        reached.add(tab.evaluate(FOCUSED))
    assert len(reached) > 3
    assert tab.evaluate("document.querySelectorAll('#map button[tabindex=\"0\"]').length") == 1


def test_a_file_is_told_with_what_it_is(tab: Tab) -> None:
    tab.click(cell("Cow"))
    tab.click(cell("cow"))
    tab.click(cell("looks.py"))
    assert tab.evaluate(STATUS).endswith("Stays a file: cow/looks.py uses __file__")
    assert tab.evaluate("document.getElementById('status').getAttribute('role')") == "status"


def test_the_table_has_the_same_numbers(tab: Tab) -> None:
    cells, rows = tab.evaluate(CELLS), tab.evaluate(ROWS)
    labels = [label for label in cells if ": " in label]
    packed = {label.split(" ")[0].strip(":"): label.split(": ")[1].split(" packed")[0] for label in labels}
    assert len(packed) > 3
    for name, *numbers in rows:
        if (key := name.split("\n")[0].split(" ")[0]) in packed:
            assert packed[key] == numbers[0]
    assert rows[0][0].startswith("herd")
    tab.click("[...document.querySelectorAll('#parts .open')].find((name) => name.innerText == 'herd')")
    tab.click("[...document.querySelectorAll('#parts .open')].find((name) => name.innerText == 'herd')")
    assert tab.evaluate(TRAIL) == ["moo", "herd", "herd"]
    assert tab.evaluate("document.activeElement.id") == "caption"
    assert len(tab.evaluate(ROWS)) == 12
    tab.click("document.getElementById('more')")
    assert len(tab.evaluate(ROWS)) == 201


def test_sizes_are_switched_by_the_keyboard(tab: Tab) -> None:
    launcher = "Launcher 0.0"
    assert any(name.startswith(launcher) for name in tab.evaluate(CELLS))
    tab.evaluate("document.querySelector('input[name=unit]').focus()")
    tab.press("ArrowRight")
    assert tab.evaluate("document.querySelector('input[name=unit]:checked').value") == "installed"
    assert not any(name.startswith(launcher) for name in tab.evaluate(CELLS))


def test_an_address_leads_to_a_piece_and_back(tab: Tab) -> None:
    tab.click(cell("herd"))
    tab.evaluate(CHANGED.format("history.back()"))
    assert tab.evaluate(TRAIL) == ["moo"]
    tab.evaluate(CHANGED.format("location.hash = '99/x/0'"))
    assert tab.evaluate(TRAIL) == ["moo"]


def test_a_comparison_shows_what_grew(browser: Browser, pages: Path) -> None:
    tab = browser.open(pages / "grown.html")
    assert tab.evaluate("document.getElementById('pieces').innerText") == "What changed"
    rows = {row[0].split("\n")[0]: row for row in tab.evaluate(ROWS)}
    assert rows["herd"][0].split("\n")[1] == "added · 2.0"
    assert rows["herd"][1] == "\u2013" and rows["herd"][3].startswith("+")
    assert "Cow" not in rows
    tab.click(cell("herd"))
    tab.press("Enter")
    assert tab.evaluate(TRAIL) == ["moo", "herd", "herd"]
    assert tab.evaluate(ROWS)[0][0].startswith("big.so")
    assert tab.complaints == []
    tab.close()


def test_names_of_an_attacker_stay_text(browser: Browser, pages: Path) -> None:
    tab = browser.open(pages / "hostile.html")
    tab.click(cell("evil"))
    assert len(tab.evaluate(CELLS)) == 5
    tab.press("Enter")
    assert "attacked" not in tab.evaluate("document.title.replace(/<.*>/, '')")
    assert tab.evaluate("document.querySelectorAll('img, main script').length") == 0
    assert tab.evaluate("document.getElementById('name').innerText").startswith("</script>")
    assert tab.requests == [(pages / "hostile.html").as_uri()]
    assert tab.complaints == []
    tab.close()


@pytest.mark.parametrize("name", PAGES)
def test_a_phone_scrolls_down_only(browser: Browser, pages: Path, name: str) -> None:
    tab = browser.open(pages / name, 390, 844)
    for _ in range(3):
        assert tab.evaluate("document.documentElement.scrollWidth") == 390
        overflowing = tab.evaluate(
            "[...document.querySelectorAll('main *')].filter((each) => !each.closest('.unseen, #map')"
            " && each.getBoundingClientRect().right > 390.5).map((each) => each.outerHTML)"
        )
        assert overflowing == []
        tab.click("document.querySelector('#map button')")
    tab.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(browser: Browser, pages: Path, name: str, scheme: str) -> None:
    """Contrast, roles, names, headings: https://github.com/dequelabs/axe-core."""
    pytest.importorskip("axe_core_python")
    tab = browser.open(pages / name, scheme=scheme)
    for _ in range(2):
        found = tab.violations()
        assert found == [], json.dumps(found, indent=1)
        tab.click("document.querySelector('#map button')")
    tab.close()


def test_the_picture_of_the_documentation_is_small(browser: Browser, pages: Path, tmp_path: Path) -> None:
    main(pages / "new", tmp_path / "page.png")
    for picture in (tmp_path / "page.png", DOCUMENTED):
        data = picture.read_bytes()
        assert data.startswith(b"\x89PNG")
        assert len(data) < 150_000
