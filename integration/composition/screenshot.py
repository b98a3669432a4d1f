"""Takes the picture of the documentation: `python -m integration.composition.screenshot EXECUTABLE PNG`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from czscie.composition.write import write_page
from integration.chromium import chromium

#: CSS pixels: the head of the page, the map and what it says.
_WIDTH, _HEIGHT = 1100, 900


def main(executable: Path, picture: Path) -> None:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        page = Path(directory, "page.html")
        write_page(executable, page)
        with chromium(Path(directory, "profile")) as browser:
            picture.write_bytes(browser.open(page, _WIDTH, _HEIGHT).screenshot())


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
