"""`python -m e2e.mirror OUT`: write the mirror into a directory that does not exist yet."""

from __future__ import annotations

import sys
from pathlib import Path

from e2e.mirror.apt import AptError
from e2e.mirror.elf import SurgeryError
from e2e.mirror.release import write_mirror

if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m e2e.mirror OUT")
    try:
        write_mirror(Path(sys.argv[1]), lambda line: print(line, file=sys.stderr, flush=True))
    except (AptError, SurgeryError) as error:
        sys.exit(f"error: {error}")
