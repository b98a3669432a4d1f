"""Reads the lift manifest, which says what to build.

It is a superset of the manifest that science 0.18 of the a-scie project reads (and of what pex writes for
newer ones): everything lives under `[lift]`. lift.toml.example shows every key. Two other forms are read,
too: the JSON that science makes of a manifest for its launcher, and `[science]` of the time before 0.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from czscie.documents import DocumentError, parse_json, parse_toml, read_document
from czscie.errors import Code, CzscieError
from czscie.filesystem import did_you_mean
from czscie.lift.checks import check, check_files
from czscie.lift.json_lift import read_json_lift
from czscie.lift.lift import Lift
from czscie.lift.old_names import modernized
from czscie.lift.problem import Problems, nearest
from czscie.lift.table import Table


def read_manifest(path: Path) -> Lift:
    """The manifest `path`, validated.

    Raises one CzscieError with all its problems, in the order of the file. Files that the manifest names are
    not looked for: they may be made later.
    """
    return parse_manifest(_read(path), path)


def parse_manifest(text: str | bytes, path: Path) -> Lift:
    """The manifest whose text is `text`, as if it stood at `path`. Raises CzscieError as `read_manifest`."""
    if isinstance(text, bytes):
        text = _decoded(text, path)
    if text.lstrip().startswith("{"):
        return _parse_json(text, path)
    try:
        document = parse_toml(text)
    except DocumentError as error:
        raise CzscieError(
            f"{path} is not valid TOML", code=Code.MANIFEST_SYNTAX, why=str(error), hint=_write_one(path)
        ) from None
    name = "science" if "science" in document and "lift" not in document else "lift"
    document = modernized(document, name)
    problems = Problems(document)
    root = Table(document, (), problems)
    table = root.table(name)
    lift = Lift.read(table, path)
    check(lift, table)
    _check_others(root, name, table.known)
    problems.raise_any(path)
    return lift


def _parse_json(text: str, path: Path) -> Lift:
    try:
        document = parse_json(text)
    except DocumentError as error:
        raise CzscieError(f"{path} is not valid JSON", code=Code.MANIFEST_SYNTAX, why=str(error)) from None
    problems = Problems(document)
    root = Table(document, (), problems)
    urls = root.text_table("ptex") if root.is_table("ptex") else {}
    lift, table = read_json_lift(root.table("scie"), urls, path)
    check_files(lift, table)
    problems.raise_any(path)
    return lift


def _check_others(root: Table, lift: str, known: Sequence[str]) -> None:
    """Record what stands beside the table `lift` and was meant to be it, or one of the keys `known` in it.

    Other tables are those of others.
    """
    inside = [f"{lift}.{each}" for each in known]
    for key in root.others():
        if nearest(key, (lift, *inside)) is not None or not root.is_table(key):
            root.reject_key(key, [lift], inside)


def _decoded(data: bytes, path: Path) -> str:
    """UTF-8, with or without a byte order mark."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise CzscieError(
            f"{path} is not valid TOML",
            code=Code.MANIFEST_SYNTAX,
            why=f"Byte 0x{data[error.start]:02x} is not UTF-8 (at line {line})",
            hint=_write_one(path),
        ) from None


def _read(path: Path) -> bytes:
    try:
        return read_document(path)
    except FileNotFoundError:
        raise CzscieError(
            f"there is no manifest {path}",
            code=Code.MANIFEST_MISSING,
            hint=did_you_mean(path) or "czscie init writes one; or pass the path of another",
        ) from None
    except IsADirectoryError:
        raise CzscieError(
            f"{path} is a directory, not a manifest",
            code=Code.MANIFEST_MISSING,
            hint=f"name one in it, such as {path / 'lift.toml'}",
        ) from None
    except OSError as error:
        raise CzscieError(
            f"the manifest {path} cannot be read", code=Code.FILE_UNREADABLE, why=error.strerror or str(error)
        ) from None


def _write_one(path: Path) -> str | None:
    """How to get a manifest for `path`, if its name is that of a program; None for another."""
    if path.suffix in (".py", ".pyw", ".pex"):
        return f"write a manifest for it: czscie init {path}"
    if path.suffix in (".txt", ".in"):
        return f"write a manifest for it: czscie init -r {path}"
    return None
