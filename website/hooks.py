"""What mkdocs calls while it builds the site: pages that quote czscie itself are filled in here.

A page has a comment such as `<!-- insert: commands -->`, and the text of that name takes its place.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # mkdocs imports this file by its path

from czscie.explain.page import all_pages  # noqa: E402
from website import commands  # noqa: E402

_INSERTION = re.compile(r"<!-- insert: ([\w-]+) -->")


def on_page_markdown(markdown: str, **_: object) -> str:
    """The page with all insertions made. Raises KeyError for one that is unknown."""
    return _INSERTION.sub(lambda match: INSERTIONS[match[1]](), markdown)


def _manifest() -> str:
    text = (ROOT / "lift.toml.example").read_text(encoding="utf-8")
    return f"```toml\n{text}```\n"


def _changes() -> str:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    return text.partition("\n")[2]


def _errors() -> str:
    """The page of each code, as sections of one page."""
    return "\n".join(re.sub(r"(?m)^#", "##", page.markdown) for page in all_pages())


INSERTIONS: dict[str, Callable[[], str]] = {
    "commands": commands.render,
    "errors": _errors,
    "manifest": _manifest,
    "changes": _changes,
}
