"""The boot commands of a scie: the payload's own, and those that the lift manifest names."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from czscie.container.manifest import FILES, PAYLOAD, Boot, Command
from czscie.czex.info import PexInfo
from czscie.czex.start import HERMETIC_REMOVED
from czscie.czex.write import InstalledInterpreter
from czscie.errors import CzscieError
from czscie.lift.command import Command as LiftCommand
from czscie.lift.lift import Lift
from czscie.pbs.prune import TERMINFO
from czscie.scie.expansion import Expansion, named_files

#: What the launcher can tell (native/src/command.zig); `scie.env.` takes a name and a default.
_LAUNCHERS = {"scie", "scie.argv0", "scie.base"}
_ENVIRONMENT = "scie.env."
#: A brace that is meant as such; a whole placeholder; the beginning of one with a default or another inside.
_PLACEHOLDER = re.compile(r"\{\{|\{(?P<whole>[^{}=]*)\}|\{(?P<begun>[^{}=]*)")
_BY_FILE = "scie.files."

#: The directories in which ncurses looks by itself, as Debian and python-build-standalone build it.
_TERMINFO = ("/etc/terminfo", "/lib/terminfo", "/usr/share/terminfo")
_OF_TERMINFO_DIRS = {"TERMINFO_DIRS", "=TERMINFO_DIRS"}


def boot(
    lift: Lift,
    info: PexInfo | None,
    interpreters: Mapping[str, InstalledInterpreter],
    with_terminfo: Collection[str] = (),
) -> Boot:
    """The commands of `lift`. `info` is that of its payload; `interpreters` go by their ids.

    `with_terminfo` are the ids of those that bring descriptions of terminals along. Raises CzscieError for a
    placeholder that the launcher would not know.
    """
    commands: dict[str, Command] = {}
    expansion = Expansion(
        {identifier: named_files(each) for identifier, each in interpreters.items()}, lift.interpreter_groups
    )
    terminals = {
        identifier: _terminal_environment(identifier, interpreters[identifier])
        for identifier in with_terminfo
    }
    if info is not None and lift.payload is not None:
        identifier = lift.payload.interpreter
        environment = terminals.get(identifier, {})
        commands[""] = _payload_command(info, interpreters[identifier], environment, lift)
    for command in lift.commands:
        translation = _Translation(command.key, lift, terminals)
        commands[command.name] = translation.command(expansion.command(command))
    return Boot(commands)


def check_commands(lift: Lift) -> None:
    """Raises CzscieError for what `boot` would refuse of the commands of `lift`, before anything is made."""
    files = {each.id: {name: name for name in each.FILES} for each in lift.interpreters}
    expansion = Expansion(files, lift.interpreter_groups)
    for command in lift.commands:
        _Translation(command.key, lift, {}).command(expansion.command(command))


def _terminal_environment(identifier: str, interpreter: InstalledInterpreter) -> dict[str, str | None]:
    """Lets ncurses find the interpreter's descriptions of terminals behind the system's own."""
    own = f"{{{identifier}}}/{interpreter.layout.below_root(TERMINFO)}"
    return {"TERMINFO_DIRS": ":".join((*_TERMINFO, own))}


def _payload_command(
    info: PexInfo, interpreter: InstalledInterpreter, environment: Mapping[str, str | None], lift: Lift
) -> Command:
    """Starts the virtual environment's Python, without the user's site directory, on its `__main__.py`."""
    root = f"{{{PAYLOAD}}}"
    removed = {f"={name}": None for name in HERMETIC_REMOVED}
    python = interpreter.windowed_python if lift.windowed else interpreter.python
    return Command(
        exe=f"{root}/{python}",
        args=("-s", *map(_literal, info.inject_python_args), f"{root}/__main__.py"),
        env={**removed, **environment, "=VIRTUAL_ENV": root, "=PEX": "{scie}"},
        description=lift.description,
    )


def _literal(text: str) -> str:
    return text.replace("{", "{{")


@dataclass(frozen=True, slots=True)
class _Translation:
    """A command of the manifest, called `key`, in terms of what the launcher knows.

    `terminals` are the variables that interpreters with descriptions of terminals need, by their ids.
    """

    key: str
    lift: Lift
    terminals: Mapping[str, Mapping[str, str | None]]

    def command(self, command: LiftCommand) -> Command:
        exe = self.text(command.exe, "exe")
        environment: dict[str, str | None] = {f"={name}": None for name in command.env.remove_exact}
        for name, value in command.env.default.items():
            environment[name] = self.text(value, f"env.default.{name}")
        for name, value in command.env.replace.items():
            environment[f"={name}"] = self.text(value, f"env.replace.{name}")
        for identifier, variables in self.terminals.items():
            if exe.startswith(f"{{{identifier}}}/") and not environment.keys() & _OF_TERMINFO_DIRS:
                environment |= variables
        args = (self.text(argument, f"args[{index}]") for index, argument in enumerate(command.args))
        return Command(exe=exe, args=tuple(args), env=environment, description=command.description)

    def text(self, text: str, where: str) -> str:
        """`text` with the placeholders of the launcher checked."""
        text = _PLACEHOLDER.sub(lambda match: self._placeholder(match, where), text)
        if not _ends(text):
            raise CzscieError(
                f"{self.key}.{where}: a placeholder does not end",
                why=text,
                hint="write {{ for a brace that is meant as such",
            )
        return text

    def _placeholder(self, match: re.Match[str], where: str) -> str:
        name = match["whole"] if match["begun"] is None else match["begun"]
        if name is None or name.startswith(_ENVIRONMENT) or (match["whole"] and name in _LAUNCHERS):
            return match[0]
        if match["whole"]:
            part = name.removeprefix(_BY_FILE)
            for file in self.lift.files:
                if part in (file.name, file.key):
                    return f"{{{FILES}}}/{file.name}"
            if part in (each.id for each in self.lift.interpreters) or (
                part == PAYLOAD and self.lift.payload is not None
            ):
                return match[0]
        raise CzscieError(
            f"{self.key}.{where}: the launcher does not know the placeholder {{{name}}}",
            why="it knows {scie}, {scie.argv0}, {scie.base}, {scie.env.NAME=DEFAULT}, {payload} "
            "and the ids of interpreters and files",
            hint="write {{ for a brace that is meant as such",
        )


def _ends(text: str) -> bool:
    """Whether every placeholder is closed, braces counted as native/src/placeholders.zig counts them."""
    depth = 0
    for part in re.findall(r"\{\{|.", text, re.DOTALL):
        if part == "{{":
            depth += 2 if depth else 0
        elif part == "{":
            depth += 1
        elif part == "}":
            depth -= 1 if depth else 0
    return depth == 0
