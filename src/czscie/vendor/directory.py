"""A vendor directory, as a build reads it."""

from __future__ import annotations

from pathlib import Path

from czscie.vendor.checksums import read_checksums

#: The directories whose files a build asks for by their names.
KINDS = ("archives", "wheels", "files", "debian", "launchers")


def open_vendor(directory: Path) -> tuple[Path, ...]:
    """The directories to look into for what a build would download: its files are compared with the lock.

    Raises CzscieError when `directory` is no vendor directory.
    """
    directory = directory.absolute()
    read_checksums(directory)
    return tuple(directory / kind for kind in KINDS)
