"""Reads the lift manifest, which says what to build.

It is a superset of the manifest that science 0.18 of the a-scie project reads (and of what pex writes for
newer ones): everything lives under `[lift]`. lift.toml.example shows every key.
"""

from __future__ import annotations

from pathlib import Path

from czscie.documents import DocumentError, parse_toml, read_document
from czscie.errors import CzscieError
from czscie.lift.checks import check
from czscie.lift.lift import Lift
from czscie.lift.problem import Problems
from czscie.lift.table import Table


def read_manifest(path: Path) -> Lift:
    """The manifest `path`, validated.

    Raises one CzscieError with all its problems, in the order of the file. Files that the manifest names are
    not looked for: they may be made later.
    """
    return parse_manifest(_read(path), path)


def parse_manifest(text: str, path: Path) -> Lift:
    """The manifest whose text is `text`, as if it stood at `path`. Raises CzscieError as `read_manifest`."""
    try:
        document = parse_toml(text)
    except DocumentError as error:
        raise CzscieError(f"{path} is not valid TOML", why=str(error)) from None
    problems = Problems(document)
    root = Table(document, (), problems)
    table = root.table("lift")
    lift = Lift.read(table, path)
    check(lift, table)
    root.finish(*(f"lift.{key}" for key in table.known))
    problems.raise_any(path)
    return lift


def _read(path: Path) -> str:
    try:
        return read_document(path).decode("utf-8-sig")
    except FileNotFoundError:
        raise CzscieError(
            f"there is no manifest {path}", hint="name it: czscie build path/to/lift.toml"
        ) from None
    except OSError as error:
        raise CzscieError(f"the manifest {path} cannot be read", why=error.strerror or str(error)) from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        byte = error.object[error.start]
        raise CzscieError(
            f"{path} is not valid TOML", why=f"Byte 0x{byte:02x} is not UTF-8 (at line {line})"
        ) from None
