"""Wheels that a payload gets besides its own, read from their files."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

from czscie.container.content import OnDisk
from czscie.czex.tree import Shelf, files_in_zip
from czscie.czex.wheel import Wheel


def read_provisions(paths: Sequence[Path], label: str = "what lift.bare adds") -> tuple[Wheel, ...]:
    """The wheels that are the files at `paths`; errors call them `label`.

    Raises CzscieError when one is damaged or no wheel.
    """
    shelf = Shelf()
    return tuple(_read(path, shelf, label) for path in paths)


def _read(path: Path, shelf: Shelf, label: str) -> Wheel:
    archive = OnDisk(path)
    members = files_in_zip(functools.partial(shelf.open, archive, path.name), path.name)
    return Wheel.read(path.name, members, spread=False, label=label, archive=archive)
