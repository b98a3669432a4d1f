"""A vendor directory, as a build reads it."""

from __future__ import annotations

from pathlib import Path

from czscie.errors import CzscieError
from czscie.lock.now import path_digest
from czscie.vendor.checksums import read_checksums

#: The directories whose files a build asks for by their names. Those of the lock it checks against the lock.
KINDS = ("archives", "wheels", "files", "debian", "launchers")
_LAUNCHERS = "launchers/"


def open_vendor(directory: Path) -> tuple[Path, ...]:
    """The directories to look into for what a build would download.

    Launchers, whose digests no lock has, are checked against the list that was written with them. Raises
    CzscieError when `directory` is no vendor directory or one of them is damaged.
    """
    directory = directory.absolute()
    for path, digest in read_checksums(directory).items():
        if path.startswith(_LAUNCHERS) and path_digest(directory / path) != digest:
            raise CzscieError(f"{directory / path} is damaged", mend=f"czscie vendor --verify {directory}")
    return tuple(directory / kind for kind in KINDS)
