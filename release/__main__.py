"""Makes the files of a release: `python -m release -o dist` (docs/contributing/release.md)."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from czscie.errors import Code, CzscieError
from czscie.filesystem import path_digest
from release.distributions import build_distributions, compile_programs
from release.executables import build_executables

CHECKOUT = Path(__file__).resolve().parent.parent


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m release", description="Make the files of a release.")
    parser.add_argument(
        "-o", "--output", type=Path, default=Path("dist"), help="The directory to write to. Default: dist."
    )
    parser.add_argument(
        "--allow-dirty", action="store_true", help="Release files that are not committed, too."
    )
    parser.add_argument(
        "--platform",
        action="append",
        default=[],
        help="Build the executable for this platform only. Repeatable.",
    )
    options = parser.parse_args(arguments)
    try:
        if not options.allow_dirty:
            check_committed(CHECKOUT)
        made = build_distributions(CHECKOUT, compile_programs(), options.output)
        platforms = [f"--platform={platform}" for platform in options.platform]
        executables = build_executables(CHECKOUT / "lift.toml", made.wheel, ["--release", *platforms])
    except CzscieError as error:
        print(error, file=sys.stderr)
        return 1
    for path in (made.sdist, made.wheel, *executables):
        print(f"{path}  {path_digest(path)}")
    return 0


def check_committed(checkout: Path) -> None:
    """Raises CzscieError when the checkout differs from its commit: nobody else could make the same bytes."""
    done = subprocess.run(["git", "status", "--porcelain"], cwd=checkout, capture_output=True, text=True)
    if done.returncode:
        raise CzscieError(
            f"cannot tell whether {checkout} is committed",
            code=Code.PROGRAM_FAILED,
            why=done.stderr.splitlines(),
            hint="--allow-dirty releases it as it is",
        )
    if done.stdout:
        raise CzscieError(
            f"{checkout} has changes that are not committed",
            code=Code.PROGRAM_FAILED,
            why=done.stdout.splitlines()[:10],
            hint="commit them, or release them with --allow-dirty",
        )


if __name__ == "__main__":
    sys.exit(main())
