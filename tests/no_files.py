"""What stands in place of a file and is none."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path


def pipe(path: Path) -> None:
    """Its writer never comes."""
    path.unlink()
    os.mkfifo(path)


def device(path: Path) -> None:
    """It never ends."""
    path.unlink()
    path.symlink_to("/dev/zero")


def directory(path: Path) -> None:
    """It is not empty."""
    path.unlink()
    (path / "a").mkdir(parents=True)


#: Each takes the place of a file at the path that it is given.
KINDS: tuple[Callable[[Path], None], ...] = (pipe, device, directory)
