"""czscie itself as executables, which czscie builds."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from czscie.errors import Code, CzscieError


def build_executables(manifest: Path, wheel: Path, options: Sequence[str] = ()) -> list[Path]:
    """Builds the executables of `manifest` from `wheel` of czscie, beside it.

    The manifest and its lock are copied there, too: with the wheel, they give the same executables again.
    `options` are those of `czscie build`. Raises CzscieError.
    """
    out = wheel.parent
    for path in (manifest, manifest.with_name("lift.lock")):
        if path.exists():
            shutil.copyfile(path, out / path.name)
    done = subprocess.run(
        [sys.executable, "-m", "czscie", "build", "lift.toml", "--output", ".", *options],
        cwd=out,
        env={**os.environ, "PIP_FIND_LINKS": _with(out, os.environ.get("PIP_FIND_LINKS"))},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    if done.returncode:
        raise CzscieError(
            "czscie cannot build itself", code=Code.PROGRAM_FAILED, why="its messages are above"
        )
    return [out / line.rpartition("  ")[0] for line in done.stdout.splitlines()]


def _with(directory: Path, others: str | None) -> str:
    return " ".join(filter(None, (directory.absolute().as_uri(), others)))
