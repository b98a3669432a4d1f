"""Builds the documentation: `python -m website` writes it to `site`, `python -m website DIR` to DIR.

`python -m website --write` writes what pages quote of czscie itself into the files of `docs`, and builds
nothing.

Every warning is an error: a broken link, a link to a section that does not exist, a page that is not in the
navigation.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

# The theme prints a note on the future of mkdocs (docs/contributing/dependencies.md) unless this is set.
os.environ.setdefault("NO_MKDOCS_2_WARNING", "1")

from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.exceptions import Abort

from website.insertions import kept_pages

CONFIGURATION = Path(__file__).resolve().parents[1] / "mkdocs.yml"


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m website", description="Build the documentation as a site."
    )
    parser.add_argument("directory", nargs="?", default="site", help="the directory to write; default: site")
    parser.add_argument(
        "--write", action="store_true", help="bring the commands, keys and errors in docs up to date instead"
    )
    options = parser.parse_args(arguments)
    if options.write:
        for path, text in kept_pages():
            path.write_text(text, encoding="utf-8", newline="\n")
        return 0
    config = load_config(str(CONFIGURATION), strict=True, site_dir=str(Path(options.directory).resolve()))
    try:
        build(config)
    except Abort as error:
        print(f"error: {error.message}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
