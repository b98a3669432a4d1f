"""What pages quote of czscie itself.

A page has a comment such as `<!-- insert: commands -->`, and the text of that name takes its place on the
site. If a second comment ends the insertion, the text is also in the file, between the two, for those who
read it in a checkout: `python -m website --write` brings it up to date.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from czscie.explain.page import all_pages
from website import commands

ROOT = Path(__file__).resolve().parents[1]

_END = "<!-- end of insertion -->"
_ANY = re.compile(rf"<!-- insert: ([\w-]+) -->(?:.*?{_END})?", re.DOTALL)
_KEPT = re.compile(rf"<!-- insert: ([\w-]+) -->.*?{_END}", re.DOTALL)


def inserted(markdown: str) -> str:
    """The page as the site shows it. Raises KeyError for an insertion that is unknown."""
    return _ANY.sub(lambda match: _TEXTS[match[1]](), markdown)


def kept_pages() -> Iterator[tuple[Path, str]]:
    """The files of pages that have their insertions, with what belongs into them."""
    for path in sorted((ROOT / "docs").rglob("*.md")):
        text = path.read_text(encoding="utf-8")
        if _KEPT.search(text):
            yield path, _KEPT.sub(lambda match: _with_comments(match[1]), text)


def _with_comments(name: str) -> str:
    return f"<!-- insert: {name} -->\n\n{_TEXTS[name]()}\n{_END}"


def _manifest() -> str:
    text = (ROOT / "lift.toml.example").read_text(encoding="utf-8")
    return f"```toml\n{text}```\n"


def _changes() -> str:
    """The change log below its heading. Pages are named there as files of the repository."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").partition("\n")[2]
    return text.replace("](docs/", "](")


def _errors() -> str:
    """The page of each code, as a section of one page. Its parts have no links of their own."""
    return "\n".join(
        re.sub(r"(?m)^# ", "## ", re.sub(r"(?m)^## (.*)$", r"**\1**", page.markdown)) for page in all_pages()
    )


_TEXTS: dict[str, Callable[[], str]] = {
    "commands": commands.render,
    "errors": _errors,
    "manifest": _manifest,
    "changes": _changes,
}
