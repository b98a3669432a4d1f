"""Lifts in JSON, the form of science's launcher: what a manifest means for one platform.

The keys are those of scie-jump's `lift.json` (github.com/a-scie/jump, `docs/packaging.md`). Interpreters are
files there: the archives as they are published, which the launcher unpacks.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from czscie.czex.write import InstalledInterpreter
from czscie.errors import Code, CzscieError
from czscie.filesystem import write_atomically
from czscie.interpreters import traits_of
from czscie.lift.command import Command
from czscie.lift.embedded_file import EmbeddedFile
from czscie.lift.interpreter import Interpreter
from czscie.lift.lift import Lift
from czscie.network.fetch import fetch
from czscie.pbs.provider import Source
from czscie.platforms import Platform
from czscie.scie.expansion import Expansion, named_files
from czscie.scie.files import local_path
from czscie.session import Session

_FILE_NAME = "lift.json"

#: What of a lift has no place in science's form, and changes what an executable is or does.
_OWN = ("tools", "windowed", "libc", "bare", "macos", "windows")


def export_lifts(lift: Lift, directory: Path, suffix: bool, session: Session) -> list[Path]:
    """Writes the JSON of `lift` for each of its platforms, and returns the paths.

    They are `lift.json` in `directory` or, with `suffix`, in a directory of the platform's name there. Raises
    CzscieError for a lift that needs czscie's launcher, and for an interpreter that is not published.
    """
    if lift.payload is not None:
        raise CzscieError(
            f"{lift.path} has a payload, which a lift of science's launcher cannot hold",
            code=Code.UNSUPPORTED,
            why="such a lift starts commands with files; czscie installs a payload itself",
            hint="build it with czscie, or name a PEX in lift.files",
        )
    if own := _own_settings(lift):
        session.console.warn(f"not exported, as only czscie knows it: {', '.join(own)}")
    for key in lift.lazy_keys():
        session.console.warn(f"{key}: it is exported as a file to embed")
    paths = []
    for platform in lift.platforms:
        text = json.dumps(_document(lift, platform, session), indent=2, sort_keys=True)
        path = (directory / platform.name if suffix else directory) / _FILE_NAME
        _write(path, text)
        paths.append(path)
    return paths


def _write(path: Path, text: str) -> None:
    write_atomically(path, lambda stream: stream.write(text.encode()), mode=0o666)


def _own_settings(lift: Lift) -> list[str]:
    plain = Lift(path=lift.path, name=lift.name, platforms=lift.platforms)
    return [f"{lift.key}.{name}" for name in _OWN if getattr(lift, name) != getattr(plain, name)]


def _document(lift: Lift, platform: Platform, session: Session) -> dict[str, Any]:
    archives = [_Archive.of(each, platform, session) for each in lift.interpreters]
    places = {each.identifier: each.places for each in archives}
    expansion = Expansion(places, lift.interpreter_groups)
    content: dict[str, Any] = {
        "name": lift.name,
        "description": lift.description,
        "load_dotenv": lift.load_dotenv,
        "files": [*(each.file for each in archives), *map(_file, lift.files)],
        "boot": {
            "commands": _commands(lift.commands, expansion),
            "bindings": _commands(lift.bindings, expansion),
        },
    }
    if lift.base is not None:
        content["base"] = lift.base
    return {"scie": {"lift": content, **_jump(lift)}}


def _jump(lift: Lift) -> dict[str, Any]:
    """The launcher that the manifest pins; science's own tools take theirs where none is."""
    jump = lift.scie_jump
    if jump is None or jump.version is None or jump.digest is None or jump.digest.size is None:
        return {}
    pinned: dict[str, Any] = {"version": jump.version, "size": jump.digest.size}
    if jump.digest.fingerprint is not None:
        pinned["hash"] = jump.digest.fingerprint
    return {"jump": pinned}


@dataclass(frozen=True, slots=True)
class _Archive:
    """The archive of an interpreter: its entry in `files`, and where it has what placeholders name."""

    identifier: str
    file: dict[str, Any]
    places: dict[str, str]

    @classmethod
    def of(cls, interpreter: Interpreter, platform: Platform, session: Session) -> _Archive:
        source = session.provider.resolve(interpreter, platform)
        if source.remote is None:
            raise CzscieError(
                f"the interpreter {interpreter.id} is of this machine, and cannot be exported",
                code=Code.UNSUPPORTED,
                why=f"{interpreter.PROVIDER} is a provider of czscie",
                hint='provider = "PythonBuildStandalone"',
            )
        [path] = fetch([source.remote], session.network, session.console)
        # science's own name for the type, which is the ending of the archive's name.
        kind = next(kind for kind in ("tar.gz", "tar.zst", "tar.bz2", "zip") if path.name.endswith(kind))
        file = {
            "name": source.remote.name,
            "key": interpreter.id,
            "type": kind,
            "size": path.stat().st_size,
            "hash": source.remote.sha256,
        }
        return cls(interpreter.id, file, _places(source, platform))


def _places(source: Source, platform: Platform) -> dict[str, str]:
    """Where the archive has what placeholders can name: a full one has the interpreter one level deeper."""
    layout = traits_of(source, platform).layout
    full = (source.pin.flavor or "").endswith("full")
    root = f"{source.root}/install" if full else source.root
    inside = dataclasses.replace(layout, python=f"{root}/{layout.python}")
    return named_files(InstalledInterpreter(source.digest, inside, platform))


def _file(file: EmbeddedFile) -> dict[str, Any]:
    made: dict[str, Any] = {"name": file.name, "type": file.kind}
    if file.key is not None:
        made["key"] = file.key
    if file.digest is not None:
        made |= {"size": file.digest.size, "hash": file.digest.fingerprint}
    if file.binding is not None:
        made["source"] = file.binding
    starts = file.starts(local_path(file)) if file.source is None else bool(file.is_executable)
    if starts and file.kind == "blob":
        made["executable"] = True
    if file.eager_extract:
        made["eager_extract"] = True
    return {key: value for key, value in made.items() if value is not None}


def _commands(commands: Sequence[Command], expansion: Expansion) -> dict[str, Any]:
    return {command.name: _command(expansion.command(command)) for command in commands}


def _command(command: Command) -> dict[str, Any]:
    env: dict[str, str | None] = {
        **command.env.default,
        **{f"={name}": value for name, value in command.env.replace.items()},
        **{f"={name}": None for name in command.env.remove_exact},
        **dict.fromkeys(command.env.remove_re),
    }
    made = {
        "exe": command.exe,
        "args": list(command.args),
        "env": env,
        "description": command.description,
    }
    return {key: value for key, value in made.items() if value}
