"""Detects the kind of program at a path."""

from __future__ import annotations

import zipfile
from pathlib import Path

from czscie.czex import info as pex_info
from czscie.errors import Code, CzscieError
from czscie.filesystem import open_regular
from czscie.init.pex import read_pex
from czscie.init.project import read_project
from czscie.init.script import read_script
from czscie.init.source import ProgramSource

PROJECT_FILE = "pyproject.toml"
SCRIPT_SUFFIXES = (".py", ".pyw")


def read_subject(path: Path) -> ProgramSource:
    """The program at `path`: a directory with a pyproject.toml or that file, a PEX of any layout, or a
    script.

    Raises CzscieError when it is none of them or is invalid.
    """
    if path.name == PROJECT_FILE and path.is_file():
        return read_project(path)
    if path.is_dir():
        if (path / PROJECT_FILE).is_file():
            return read_project(path / PROJECT_FILE)
        if (path / pex_info.PATH).is_file():
            return read_pex(path)
        raise _nothing(path, f"the directory has neither a {PROJECT_FILE} nor a {pex_info.PATH}")
    if not path.exists():
        raise _nothing(path, "there is no such file or directory")
    if _is_zip(path):
        return read_pex(path)
    if path.suffix in SCRIPT_SUFFIXES:
        return read_script(path)
    raise _nothing(path, f"it is neither a zip nor named *{' or *'.join(SCRIPT_SUFFIXES)}")


def _is_zip(path: Path) -> bool:
    try:
        with open_regular(path) as file:
            return zipfile.is_zipfile(file)
    except OSError as error:
        raise CzscieError(
            f"cannot read {path}", code=Code.FILE_UNREADABLE, why=error.strerror or str(error)
        ) from error
    except zipfile.BadZipFile:  # it is one, of a kind that zipfile does not read
        return True


def _nothing(path: Path, why: str) -> CzscieError:
    return CzscieError(
        f"{path} is not a project, a PEX or a script",
        code=Code.PROGRAM_UNKNOWN,
        why=why,
        hint="name a directory with a pyproject.toml, a PEX, or a script: app.pex",
    )
