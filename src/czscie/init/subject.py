"""What a first manifest is written for."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from czscie.czex import info as pex_info
from czscie.errors import CzscieError
from czscie.platforms import Platform

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

PROJECT_FILE = "pyproject.toml"
_SCRIPT_SUFFIXES = (".py", ".pyw")


@dataclass(frozen=True, slots=True)
class Subject:
    """A project, a PEX or a script, as `czscie init` sees it.

    `source` is the payload's key in a manifest (`project`, `pex`, `script`) and `path` what that key names.
    `entry_point` is what starts, None where that is not known or needs no word; `others` are more that could.
    `starts` is whether anything does. `asks` is what it wants of a Python, in words, empty for nothing.
    `obstacles` are why it cannot run with a CPython of a whole version on a platform, as far as that is known
    without trying: a line each, none where it can.
    """

    source: str
    path: Path
    name: str
    description: str | None
    entry_point: str | None
    others: tuple[str, ...]
    starts: bool
    asks: str
    obstacles: Callable[[Platform, str], tuple[str, ...]]


def read_subject(path: Path) -> Subject:
    """What `path` is: a directory with a pyproject.toml or that file, a PEX of any layout, or a script.

    Raises CzscieError when it is none of them or makes no sense.
    """
    from czscie.init.pex import read_pex
    from czscie.init.project import read_project
    from czscie.init.script import read_script

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
    if zipfile.is_zipfile(path):
        return read_pex(path)
    if path.suffix in _SCRIPT_SUFFIXES:
        return read_script(path)
    raise _nothing(path, f"it is neither a zip nor called *{' or *'.join(_SCRIPT_SUFFIXES)}")


def requires_python(versions: SpecifierSet) -> str:
    """What a project or a script asks for, in its own words; empty when it asks for nothing."""
    return f'requires-python = "{versions}"' if str(versions) else ""


def _nothing(path: Path, why: str) -> CzscieError:
    return CzscieError(
        f"{path} is nothing that a first manifest can be written for",
        why=why,
        mend="name a directory with a pyproject.toml, a PEX or a script: czscie init app.pex",
    )
