"""`python -m tests.fuzz [--seed N] SECONDS [GROUP or TARGET …]`: all targets when none is named."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))


def main() -> int:
    from fuzz.targets import GROUPS, TARGETS

    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("seconds", type=float)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("what", nargs="*", choices=[*GROUPS, *(target.name for target in TARGETS), []])
    arguments = parser.parse_args()
    names = [
        target.name
        for target in TARGETS
        if not arguments.what or target.name in arguments.what or target.group in arguments.what
    ]
    from fuzz.running import fuzz

    return fuzz(names, arguments.seconds, arguments.seed)


if __name__ == "__main__":
    sys.exit(main())
