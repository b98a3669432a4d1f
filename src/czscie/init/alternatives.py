"""What a directory has to build, for an error about a path that means nothing."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from czscie.czex.inline_metadata import has_metadata

PROJECT_FILE = "pyproject.toml"
SCRIPT_SUFFIXES = (".py", ".pyw")
PEX_SUFFIX = ".pex"
_REQUIREMENTS = "requirements.txt"


@dataclass(frozen=True, slots=True)
class Alternative:
    """A program: its name in its directory, and the arguments that name it on a command line."""

    name: str
    arguments: str


def alternatives(directory: Path) -> list[Alternative]:
    """The programs in `directory`, the most likely first. Scripts without PEP 723 count if there is nothing
    but them and requirements.
    """
    try:
        names = sorted(path.name for path in directory.iterdir() if path.is_file())
    except OSError:
        return []
    found = list(_declared(directory, names)) or [
        _alternative(directory, name) for name in names if name.endswith(SCRIPT_SUFFIXES)
    ]
    if _REQUIREMENTS in names:
        found.append(Alternative(_REQUIREMENTS, requirements_arguments(directory / _REQUIREMENTS)))
    return found


def requirements_arguments(path: Path) -> str:
    """How a command line names a requirements file."""
    return f"-r {shlex.quote(str(path))} -c NAME"


def _declared(directory: Path, names: list[str]) -> Iterator[Alternative]:
    if PROJECT_FILE in names:
        yield Alternative(PROJECT_FILE, shlex.quote(str(directory)))
    yield from (_alternative(directory, name) for name in names if name.endswith(PEX_SUFFIX))
    for name in names:
        if name.endswith(SCRIPT_SUFFIXES) and has_metadata(directory / name):
            yield _alternative(directory, name)


def _alternative(directory: Path, name: str) -> Alternative:
    return Alternative(name, shlex.quote(str(directory / name)))
