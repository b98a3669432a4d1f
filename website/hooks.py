"""What mkdocs calls while it builds the site.

Insertions are made. Links to files at the root of the repository lead to the pages that have their text. The
schema of manifests is a file of the site.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # mkdocs imports this file by its path

from czscie.schema.schema import toml_schema
from website.insertions import inserted

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.pages import Page

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

    return inserted(_LINK_TO_ROOT.sub(link, markdown))


def on_post_build(config: MkDocsConfig, **_: object) -> None:
    """Writes `lift.schema.json`, to which the first line of a manifest may lead an editor."""
    text = json.dumps(toml_schema(), indent=2)
    Path(config.site_dir, "lift.schema.json").write_text(f"{text}\n", encoding="utf-8")
