"""Reads a lift in JSON, the form that science's launcher takes: `lift.json`, or what it prints of a scie.

Its keys are those of scie-jump: below `scie.lift` an unknown key is an error. Beside `scie` anything may
stand, because science and other tools keep data there. There are no interpreters: those are files.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from czscie.lift.command import Command, Environment
from czscie.lift.embedded_file import (
    KEY,
    KINDS,
    NAME,
    SHA256,
    Digest,
    EmbeddedFile,
    FromBinding,
    file_kind,
    file_places,
)
from czscie.lift.lift import BASE, Lift
from czscie.lift.peer_tools import ScieJump
from czscie.lift.table import FILE_NAME, SOMETHING, Shape, Table
from czscie.platforms import current_platform

_TYPE = Shape.among(
    "blob, directory, zip, tar, tar.bz2, tbz2, tar.gz, tgz, tar.xz, tar.lzma, tlz, tar.Z, tar.zst or tzst",
    KINDS,
)
_VARIABLE = Shape.of("a variable's name, with = before it to replace the value", r"=?[^\0=]+")


def read_json_lift(scie: Table, urls: Mapping[str, str], path: Path) -> tuple[Lift, Table]:
    """The lift in the object `scie` of the manifest `path`, and the table of the lift itself.

    `urls` are those of files by their names, which the manifest has for ptex beside `scie`.
    """
    directory = path.parent.absolute()
    jump = scie.optional_table("jump")
    table = scie.table("lift")
    scie.finish()
    boot = table.table("boot")
    commands = boot.named_tables("commands", may_be_empty=False)
    bindings = boot.named_tables("bindings")
    boot.require("commands", "an object of commands")
    lift = Lift(
        path=path,
        key=table.key,
        name=table.text("name", FILE_NAME),
        description=table.optional_text("description") or None,
        base=table.optional_text("base", BASE),
        load_dotenv=table.flag("load_dotenv"),
        platforms=(current_platform(),),
        is_for_any_platform=True,
        urls=urls,
        scie_jump=None if jump is None else _read_jump(jump),
        files=_without_tote(tuple(_read_file(file, directory) for file in table.tables("files"))),
        commands=tuple(_read_command(name, command) for name, command in commands.items()),
        bindings=tuple(_read_command(name, binding) for name, binding in bindings.items()),
    )
    boot.finish()
    table.finish()
    return lift, table


def _read_jump(table: Table) -> ScieJump:
    size = table.optional_integer("size", 0)
    version = table.optional_text("version")
    fingerprint = table.optional_text("hash", SHA256)
    table.finish()
    return ScieJump(version, Digest(size, fingerprint), None)


def _read_file(table: Table, directory: Path) -> EmbeddedFile:
    """A size of 0 is none: in a packed scie it marks what lies in the zip of all files."""
    name = table.text("name", NAME)
    size = table.optional_integer("size", 0) or None
    fingerprint = table.optional_text("hash", SHA256)
    kind = table.optional_text("type", _TYPE)
    source = table.optional_text("source", SOMETHING)
    file = EmbeddedFile(
        name=name,
        key=table.optional_text("key", KEY),
        places=file_places(directory, name),
        digest=Digest(size, fingerprint and fingerprint.lower()) if size or fingerprint else None,
        type=None if kind is None else file_kind(kind),
        is_executable=table.optional_flag("executable"),
        eager_extract=table.flag("eager_extract"),
        source=None if source is None else FromBinding(source),
    )
    if source is not None and (size is None or fingerprint is None):
        table.reject("source", allowed="a size and a hash, because the file has a source")
    table.finish()
    return file


def _without_tote(files: tuple[EmbeddedFile, ...]) -> tuple[EmbeddedFile, ...]:
    """`files` without the zip that scie-jump adds to them. It contains the files that then have a hash and no
    size; where science has no file, it is empty. A scie lists this zip, but it does not exist as a file.
    """
    if not files or files[-1].path.exists():
        return files
    *others, last = files
    in_tote = any(each.digest is not None and each.digest.size is None for each in others)
    is_tote = last.name == "scie-tote" and in_tote
    return tuple(others) if is_tote or (last.name == "empty-scie-tote" and not others) else files


def _read_command(name: str, table: Table) -> Command:
    exe = table.text("exe", SOMETHING)
    args = table.texts("args")
    env = table.text_or_null_table("env", _VARIABLE)
    description = table.optional_text("description") or None
    table.finish()
    return Command(name, description, exe, args, _environment(env), table.key)


def _environment(env: dict[str, str | None]) -> Environment:
    """What `NAME` (a default), `=NAME` (a replacement) and nulls (removals, by pattern without =) mean."""
    texts = {name: value for name, value in env.items() if value is not None}
    nulls = [name for name, value in env.items() if value is None]
    return Environment(
        default={name: value for name, value in texts.items() if not name.startswith("=")},
        replace={name[1:]: value for name, value in texts.items() if name.startswith("=")},
        remove_exact=tuple(name[1:] for name in nulls if name.startswith("=")),
        remove_re=tuple(name for name in nulls if not name.startswith("=")),
    )
