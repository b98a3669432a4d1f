"""The boot commands of a scie: the payload's own, and those that the lift manifest names."""

from __future__ import annotations

import re
from collections.abc import Mapping

from czscie.czex.info import PexInfo
from czscie.czex.start import HERMETIC_REMOVED
from czscie.czex.write import Interpreter
from czscie.errors import CzscieError
from czscie.lift.command import Command as LiftCommand
from czscie.lift.lift import Lift
from czscie.lift.placeholders import references
from czscie.scie.manifest import PAYLOAD, Boot, Command

#: What the launcher can tell (native/src/command.zig); `scie.env.` takes a name and a default.
_LAUNCHERS = {"scie", "scie.argv0", "scie.base"}
_ENVIRONMENT = "scie.env."
_PLACEHOLDER = re.compile(r"\{\{|\{([^{}=]*)")


def boot(lift: Lift, info: PexInfo | None, interpreters: Mapping[str, Interpreter]) -> Boot:
    """The commands of `lift`. `info` is that of its payload; `interpreters` go by their ids.

    Raises CzscieError for a placeholder that the launcher would not know.
    """
    commands: dict[str, Command] = {}
    if info is not None and lift.payload is not None:
        commands[""] = _payload_command(info, interpreters[lift.payload.interpreter], lift.description)
    for index, command in enumerate(lift.commands):
        commands[command.name] = _command(command, f"lift.commands[{index}]", interpreters)
    return Boot(commands)


def _payload_command(info: PexInfo, interpreter: Interpreter, description: str | None) -> Command:
    """Starts the virtual environment's Python, without the user's site directory, on its `__main__.py`."""
    root = f"{{{PAYLOAD}}}"
    environment: dict[str, str | None] = {f"={name}": None for name in HERMETIC_REMOVED}
    environment |= {"=VIRTUAL_ENV": root, "=PEX": "{scie}"}
    return Command(
        exe=f"{root}/{interpreter.python}",
        args=("-s", *map(_literal, info.inject_python_args), f"{root}/__main__.py"),
        env=environment,
        description=description,
    )


def _literal(text: str) -> str:
    return text.replace("{", "{{")


def _command(command: LiftCommand, key: str, interpreters: Mapping[str, Interpreter]) -> Command:
    def translate(text: str, where: str) -> str:
        for reference in references(text):
            interpreter = interpreters[reference.id]
            inside = {None: "", "python": f"/{interpreter.layout.python}"}.get(reference.name)
            if inside is None:
                raise CzscieError(
                    f"{key}.{where}: {reference.text} cannot be built",
                    why=f"of an interpreter only #{{{reference.id}:python}} is known",
                )
            text = text.replace(reference.text, f"{{{reference.id}}}{inside}")
        _check(text, f"{key}.{where}", interpreters)
        return text

    environment: dict[str, str | None] = {f"={name}": None for name in command.env.remove_exact}
    environment |= {
        name: translate(value, f"env.default.{name}") for name, value in command.env.default.items()
    }
    environment |= {
        f"={name}": translate(value, f"env.replace.{name}") for name, value in command.env.replace.items()
    }
    return Command(
        exe=translate(command.exe, "exe"),
        args=tuple(translate(argument, f"args[{index}]") for index, argument in enumerate(command.args)),
        env=environment,
        description=command.description,
    )


def _check(text: str, key: str, interpreters: Mapping[str, Interpreter]) -> None:
    for match in _PLACEHOLDER.finditer(text):
        name = match[1]
        if name is None or name.startswith(_ENVIRONMENT):
            continue
        if name.removeprefix("scie.files.") not in {*interpreters, PAYLOAD} and name not in _LAUNCHERS:
            raise CzscieError(
                f"{key}: the launcher does not know the placeholder {{{name}}}",
                why="it knows {scie}, {scie.argv0}, {scie.base}, {scie.env.NAME=default}, "
                f"{{{PAYLOAD}}} and the ids of interpreters",
                mend="write {{ for a brace that is meant as such",
            )
