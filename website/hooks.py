"""What mkdocs calls while it builds the site.

A page that quotes czscie itself has a comment such as `<!-- insert: commands -->`, and the text of that name
takes its place. Links to files at the root of the repository lead to the pages that have their text. The
schema of manifests is a file of the site.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # mkdocs imports this file by its path

from czscie.explain.page import all_pages  # noqa: E402
from czscie.schema.schema import toml_schema  # noqa: E402
from website import commands  # noqa: E402

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.pages import Page

_INSERTION = re.compile(r"<!-- insert: ([\w-]+) -->")
_LINK_TO_ROOT = re.compile(r"\]\((?:\.\./)+([\w.-]+)\)")

#: Files at the root of the repository, and the pages that have their text.
_PAGES = {
    "README.md": "index.md",
    "lift.toml.example": "reference/manifest.md",
    "CHANGELOG.md": "changelog.md",
}


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """The page with all insertions made. Raises KeyError for one that is unknown."""
    directory = Path(page.file.src_uri).parent

    def link(match: re.Match[str]) -> str:
        target = _PAGES.get(match[1])
        return match[0] if target is None else f"]({Path(os.path.relpath(target, directory)).as_posix()})"

    return _INSERTION.sub(lambda match: INSERTIONS[match[1]](), _LINK_TO_ROOT.sub(link, markdown))


def on_post_build(config: MkDocsConfig, **_: object) -> None:
    """Writes `lift.schema.json`, to which the first line of a manifest may lead an editor."""
    text = json.dumps(toml_schema(), indent=2)
    Path(config.site_dir, "lift.schema.json").write_text(f"{text}\n", encoding="utf-8")


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


INSERTIONS: dict[str, Callable[[], str]] = {
    "commands": commands.render,
    "errors": _errors,
    "manifest": _manifest,
    "changes": _changes,
}
