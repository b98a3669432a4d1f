"""A vendor directory, as a build reads it, and the list of what it holds.

The list is `SHA256SUMS`, as sha256sum writes and checks it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from czscie.container.paths import path_fault
from czscie.documents import read_document
from czscie.errors import Code, CzscieError
from czscie.filesystem import did_you_mean, open_regular, path_digest, write_atomically

NAME = "SHA256SUMS"
#: The directories whose files a build looks up by their names.
KINDS = ("archives", "wheels", "files", "debian", "launchers")

_LINE = re.compile(r"([0-9a-f]{64})  ([^\0\\]+)")


def open_vendor(directory: Path) -> tuple[Path, ...]:
    """The directories to look into for what a build would download: its files are compared with the lock.

    Raises CzscieError when `directory` is no vendor directory.
    """
    read_checksums(directory)
    return tuple(directory.absolute() / kind for kind in KINDS)


def read_checksums(directory: Path) -> dict[str, str]:
    """The digests of the files in `directory`, by path. Raises CzscieError when it has no such list."""
    if not directory.exists():
        raise CzscieError(
            f"there is no directory {directory}",
            code=Code.VENDOR_UNUSABLE,
            hint=did_you_mean(directory) or f"czscie vendor {directory}",
        )
    path = directory / NAME
    try:
        open_regular(path).close()
        text = read_document(path).decode("utf-8")
    except FileNotFoundError:
        raise CzscieError(
            f"{directory} was not written by czscie vendor",
            code=Code.VENDOR_UNUSABLE,
            why=f"there is no {NAME} in it",
            hint=f"czscie vendor {directory}",
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise CzscieError(f"{path} cannot be read", code=Code.VENDOR_UNUSABLE, why=str(error)) from error
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        match = _LINE.fullmatch(line)
        if match is None or path_fault(match[2], windows=True):
            raise CzscieError(
                f"{path} is not a list of digests",
                code=Code.VENDOR_UNUSABLE,
                why=f"line {number} is {line[:80]!r}",
            )
        found[match[2]] = match[1]
    return found


def write_checksums(directory: Path, digests: Mapping[str, str]) -> None:
    """Writes the list, sorted by path."""
    text = "".join(f"{digest}  {path}\n" for path, digest in sorted(digests.items()))
    write_atomically(directory / NAME, lambda stream: stream.write(text.encode()), mode=0o666)


def files_below(directory: Path) -> list[str]:
    """The paths of all files in `directory` but the list itself, sorted."""
    paths = (path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file())
    return sorted(path for path in paths if path != NAME)


def faults(directory: Path) -> list[str]:
    """A line for each file that is missing, too many or not what the list says. Raises CzscieError."""
    expected = read_checksums(directory)
    there = files_below(directory)
    found = [f"{path} is missing" for path in expected if path not in set(there)]
    for path in there:
        if path not in expected:
            found.append(f"{path} is not listed")
        elif path_digest(directory / path) != expected[path]:
            found.append(f"{path} differs from {NAME}")
    return found
