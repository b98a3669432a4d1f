"""Detects the kind of program at a path."""

from __future__ import annotations

import zipfile
from pathlib import Path

from czscie.czex import info as pex_info
from czscie.errors import Code, CzscieError
from czscie.filesystem import did_you_mean, open_regular
from czscie.init.alternatives import (
    PEX_SUFFIX,
    PROJECT_FILE,
    SCRIPT_SUFFIXES,
    alternatives,
    requirements_arguments,
)
from czscie.init.pex import read_pex
from czscie.init.project import read_project
from czscie.init.script import read_script
from czscie.init.source import ProgramSource

#: pip's own, and pip-tools' for the files that it compiles.
REQUIREMENTS_SUFFIXES = (".txt", ".in")


def read_subject(path: Path, command: str = "build") -> ProgramSource:
    """The program at `path`: a directory with a pyproject.toml or that file, a PEX of any layout, or a
    script.

    Raises CzscieError when it is none of them or is invalid; `command` is the one that its hint names.
    """
    if path.name == PROJECT_FILE and path.is_file():
        return read_project(path)
    if path.is_dir():
        if (path / PROJECT_FILE).is_file():
            return read_project(path / PROJECT_FILE)
        if (path / pex_info.PATH).is_file():
            return read_pex(path)
        raise _no_program_in(path, command)
    if not path.exists():
        raise _nothing(path, "there is no such file or directory", hint=did_you_mean(path))
    if _is_zip(path) or path.suffix == PEX_SUFFIX:  # a damaged one is no zip
        return read_pex(path)
    if path.suffix in SCRIPT_SUFFIXES:
        return read_script(path)
    if path.suffix in REQUIREMENTS_SUFFIXES:
        raise _nothing(
            path,
            "a requirements file follows -r",
            hint=f"czscie {command} {requirements_arguments(path)}",
        )
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


def _no_program_in(directory: Path, command: str) -> CzscieError:
    here = alternatives(directory)
    why = [f"the directory has neither a {PROJECT_FILE} nor a {pex_info.PATH}"]
    if not here:
        return _nothing(directory, *why)
    why.append(f"it has {', '.join(each.name for each in here)}")
    return _nothing(directory, *why, hint=f"czscie {command} {here[0].arguments}")


def _nothing(path: Path, *why: str, hint: str | None = None) -> CzscieError:
    return CzscieError(
        f"{path} is not a project, a PEX or a script",
        code=Code.PROGRAM_UNKNOWN,
        why=why,
        hint=hint or "name a directory with a pyproject.toml, a PEX or a script",
    )
