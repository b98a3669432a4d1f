"""Each code has a page with its sections, and the examples of pages are messages that are really printed."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from czscie.cli import app
from czscie.errors import RETIRED, Code, CzscieError
from czscie.explain.page import SECTIONS, Page, all_pages, find_code
from explain.examples import EXAMPLES

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "src" / "czscie" / "explain" / "pages"
MISTAKES = ROOT / "integration" / "mistakes"

#: Every code that was ever given out, by its meaning. A line is added for a new code, and none is changed.
GIVEN_OUT = Path(__file__).with_name("codes.txt")


def example(page: Page) -> str:
    """The message that a page shows, "" if it shows none."""
    match = re.search(r"(?ms)^```text\n(.*?)\n```$", page.markdown)
    return "" if match is None else match[1]


def messages_of_mistakes() -> Iterator[str]:
    for path in MISTAKES.glob("*/expected.txt"):
        yield path.read_text(encoding="utf-8").partition("\n")[2].rstrip("\n")


def test_each_code_has_a_page_and_each_page_a_code() -> None:
    assert {path.stem for path in PAGES.iterdir()} == {code.value for code in Code}


@pytest.mark.parametrize("page", list(all_pages()), ids=lambda page: page.code.value)
def test_a_page_has_its_sections_and_says_something_in_each(page: Page) -> None:
    first, *rest = page.markdown.split("\n## ")
    assert first.splitlines()[0] == f"# {page.code.value}: {page.title}"
    assert not page.title.endswith(".")
    sections = [section.partition("\n") for section in rest]
    assert tuple(name for name, _, _ in sections) == SECTIONS
    assert all(text.strip().endswith((".", ")", "`")) for _, _, text in sections)
    assert not example(page) or example(page).startswith(f"error[{page.code.value}]: ")


@pytest.mark.parametrize("page", list(all_pages()), ids=lambda page: page.code.value)
def test_links_of_a_page_lead_to_pages_of_the_documentation(page: Page) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.markdown)
    assert [link for link in links if not (ROOT / "docs" / "reference" / link).is_file()] == []


@pytest.mark.skipif(sys.platform != "linux", reason="the texts are those of Linux")
@pytest.mark.parametrize("code", EXAMPLES, ids=lambda code: code.value)
def test_the_example_of_a_page_is_what_is_printed(
    code: Code, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CzscieError) as caught:
        EXAMPLES[code]()
    assert caught.value.code is code
    assert example(Page.of(code)) == caught.value.shown


@pytest.mark.parametrize("page", list(all_pages()), ids=lambda page: page.code.value)
def test_each_other_example_is_one_of_the_mistakes(page: Page) -> None:
    if page.code not in EXAMPLES and example(page):
        assert example(page) in set(messages_of_mistakes())


def test_most_pages_have_an_example() -> None:
    assert len([page for page in all_pages() if example(page)]) >= 45


def test_codes_keep_their_meaning() -> None:
    given_out = [line.split() for line in GIVEN_OUT.read_text().splitlines()]
    meanings = {line[0]: line[1] for line in given_out}
    assert len(meanings) == len(given_out), "a code stands twice"
    assert {code.value: code.name for code in Code} == {
        code: meaning for code, meaning in meanings.items() if code not in RETIRED
    }
    assert set(RETIRED) <= set(meanings)


def test_each_error_in_the_source_has_a_code_and_each_code_an_error() -> None:
    classes = {"CzscieError"} | {each.__name__ for each in CzscieError.__subclasses__()}
    without, used = [], set()
    for path in sorted((ROOT / "src" / "czscie").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if "Error" not in text and "Code." not in text:
            continue
        used |= set(re.findall(r"\bCode\.([A-Z_]+)", text))
        for node in ast.walk(ast.parse(text)):
            raises = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
            if raises and node.func.id in classes and "code" not in {each.arg for each in node.keywords}:
                without.append(f"{path}:{node.lineno}")
    assert without == []
    assert used == {code.name for code in Code}


@pytest.mark.parametrize("page", list(all_pages()), ids=lambda page: page.code.value)
def test_a_page_is_printed_with_its_example_and_without_links(page: Page) -> None:
    assert example(page) in page.text
    assert "](" not in page.text.rpartition("```")[2]


def test_explain_prints_a_page_without_links() -> None:
    printed = CliRunner().invoke(app, ["explain", "cz301"])
    assert printed.exit_code == 0
    assert printed.stdout.startswith("# CZ301: There is no lock\n")
    assert "(docs/reference/lock.md)" in printed.stdout
    assert max(map(len, printed.stdout.partition("## ")[2].splitlines())) <= 88


@pytest.mark.parametrize(
    "text", ["CZ002", "cz2", "2", "002", "error[CZ002]", "error[CZ002]: lift.toml: 1 problem", "[CZ002]"]
)
def test_a_code_is_found_in_what_is_pasted(text: str) -> None:
    assert find_code(text) is Code.MANIFEST_INVALID


def test_explain_alone_lists_all_codes() -> None:
    lines = CliRunner().invoke(app, ["explain"]).stdout.splitlines()
    assert lines == [f"{page.code.value}  {page.title}" for page in all_pages()]


def test_a_code_that_is_none_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CzscieError, match="there is no error code CZ999"):
        find_code("CZ999")
    with pytest.raises(CzscieError, match="there is no error code moo"):
        find_code("moo")
    monkeypatch.setattr("czscie.explain.page.RETIRED", {"CZ000": "CZ301 is for that."})
    with pytest.raises(CzscieError, match="CZ000 is no longer used") as caught:
        find_code("cz000")
    assert caught.value.why == ("CZ301 is for that.",)
