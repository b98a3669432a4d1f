"""Tells a manifest from a program: what a command line means by a path, or by none."""

from __future__ import annotations

import zipfile
from pathlib import Path

from czscie.errors import Code, CzscieError
from czscie.filesystem import open_regular
from czscie.init.alternatives import PEX_SUFFIX, PROJECT_FILE, SCRIPT_SUFFIXES, alternatives
from czscie.init.detect import REQUIREMENTS_SUFFIXES

MANIFEST = "lift.toml"
_MANIFEST_SUFFIXES = (".toml", ".json")


def find_manifest(path: Path | None) -> Path | None:
    """The manifest that `path` means; None when it means a program.

    A directory means its lift.toml, if it has one. None is the working directory's manifest: raises
    CzscieError when there is none, which says what the directory has instead.
    """
    if path is None:
        if not Path(MANIFEST).exists():
            raise _no_manifest()
        return Path(MANIFEST)
    if path.is_dir():
        return path / MANIFEST if (path / MANIFEST).is_file() else None
    if path.name == PROJECT_FILE:
        return None
    if not path.exists():
        return path if path.suffix in _MANIFEST_SUFFIXES else None
    of_programs = (*SCRIPT_SUFFIXES, PEX_SUFFIX, *REQUIREMENTS_SUFFIXES)
    return None if path.suffix in of_programs or _is_zip(path) else path


def _is_zip(path: Path) -> bool:
    """Whether the file is a zip; one that cannot be read is for a manifest's reader to explain."""
    try:
        with open_regular(path) as file:
            return zipfile.is_zipfile(file)
    except OSError:
        return False
    except zipfile.BadZipFile:  # it is one, of a kind that zipfile does not read
        return True


def _no_manifest() -> CzscieError:
    here = alternatives(Path())
    return CzscieError(
        f"there is no {MANIFEST} in this directory",
        code=Code.MANIFEST_MISSING,
        why=f"it has {', '.join(each.name for each in here)}" if here else (),
        hint=f"czscie build {here[0].arguments if here else 'app.pex, or a directory with a pyproject.toml'}",
    )
