"""czscie itself as executables and as a container image, which czscie builds."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from czscie.errors import Code, CzscieError

#: The archive with the image for all Linux platforms.
IMAGE = "czscie-image.tar"


def copy_manifest(manifest: Path, out: Path) -> None:
    """Copies the manifest and its lock, if it has one, beside the wheel in `out`.

    With the wheel, they give the same executables again.
    """
    for path in (manifest, manifest.with_name("lift.lock")):
        if path.exists():
            shutil.copyfile(path, out / path.name)


def build_executables(out: Path, options: Sequence[str] = ()) -> list[Path]:
    """Builds the executables of the manifest in `out` from the wheel in it. `options` are those of
    `czscie build`.

    Raises CzscieError.
    """
    printed = _czscie(out, "build", "lift.toml", "--output", ".", *options)
    return [out / line.rpartition("  ")[0] for line in printed.splitlines()]


def build_image(out: Path, options: Sequence[str] = ()) -> Path:
    """Builds the container image in the same way. Raises CzscieError."""
    return out / _czscie(out, "image", "lift.toml", "--output", IMAGE, *options).rstrip("\n")


def _czscie(out: Path, *arguments: str) -> str:
    """What czscie prints to standard output; its messages go to standard error."""
    done = subprocess.run(
        [sys.executable, "-m", "czscie", *arguments],
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
    return done.stdout


def _with(directory: Path, others: str | None) -> str:
    return " ".join(filter(None, (directory.absolute().as_uri(), others)))
