"""Builds the documentation: `python -m website` writes it to `site`; `python -m website DIR` to DIR.

Every warning is an error: a broken link, a link to a section that does not exist, a page that is not in the
navigation.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

# The theme prints a note on the future of mkdocs (docs/contributing/dependencies.md) unless this is set.
os.environ.setdefault("NO_MKDOCS_2_WARNING", "1")

from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.exceptions import Abort

CONFIGURATION = Path(__file__).resolve().parents[1] / "mkdocs.yml"


def main(arguments: list[str]) -> int:
    directory = {"site_dir": str(Path(arguments[0]).resolve())} if arguments else {}
    config = load_config(str(CONFIGURATION), strict=True, **directory)
    try:
        build(config)
    except Abort as error:
        print(f"error: {error.message}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
