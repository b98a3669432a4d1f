"""The page of an error code: its title, an example, what happened, why, and how to fix it."""

from __future__ import annotations

import posixpath
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from czscie.errors import RETIRED, Code, CzscieError

_PAGES = Path(__file__).parent / "pages"
#: Where the pages are shown in the documentation, which their links are relative to.
_SHOWN_IN = "docs/reference"
_LINK = re.compile(r"\[[^]\n]+\]\((?P<target>[^)]+)\)")

_CODE = re.compile(r"\bCZ(?P<number>[0-9]{1,9})\b", re.IGNORECASE)
_NUMBER = re.compile(r"\s*(?P<number>[0-9]{1,9})\s*")

_WIDTH = 88

SECTIONS = ("What happened", "Why", "How to fix it")


@dataclass(frozen=True, slots=True)
class Page:
    """A page as Markdown, whose first line is `# CODE: TITLE`."""

    code: Code
    markdown: str

    @classmethod
    def of(cls, code: Code) -> Page:
        return cls(code, (_PAGES / f"{code.value}.md").read_text(encoding="utf-8"))

    @property
    def title(self) -> str:
        return self.markdown.partition("\n")[0].partition(": ")[2]

    @property
    def text(self) -> str:
        """The page for a terminal: lines of 88 columns, and links are paths in the repository."""
        before, fence, after = self.markdown.rstrip("\n").rpartition("```\n")
        after = _LINK.sub(lambda match: _target(match["target"]), after)
        lines = [line for paragraph in after.split("\n") for line in _wrapped(paragraph)]
        return before + fence + "\n".join(lines)


def all_pages() -> Iterator[Page]:
    """The pages of all codes, in their order."""
    return map(Page.of, Code)


def find_code(text: str) -> Code:
    """The code that `text` has, in any case: `CZ002`, `error[CZ002]: …`, `cz2` or `2`.

    Raises CzscieError for one that is retired or was never used.
    """
    found = _CODE.search(text) or _NUMBER.fullmatch(text)
    wanted = f"CZ{int(found['number']):03}" if found else text
    if wanted in RETIRED:
        raise CzscieError(f"{wanted} is no longer used", code=Code.NAME_UNKNOWN, why=RETIRED[wanted])
    try:
        return Code(wanted)
    except ValueError:
        raise CzscieError(
            f"there is no error code {text}",
            code=Code.NAME_UNKNOWN,
            hint="czscie explain lists all codes",
        ) from None


def _wrapped(paragraph: str) -> list[str]:
    return textwrap.wrap(paragraph, _WIDTH, break_long_words=False, break_on_hyphens=False) or [""]


def _target(link: str) -> str:
    return link if "://" in link else posixpath.normpath(posixpath.join(_SHOWN_IN, link))
