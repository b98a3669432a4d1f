"""science's build-time placeholders replaced by those of the launcher.

`#{id}` is where an interpreter is installed, `#{id:name}` a file in it. Of a group the launcher chooses a
member at each start: a variable for each member says where the member has the file, and the group's selector,
which yields the id of one, is part of the variable's name (`InterpreterGroup` of github.com/a-scie/lift).
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from czscie.czex.write import InstalledInterpreter
from czscie.errors import Code, CzscieError
from czscie.implementation import PYPY
from czscie.lift.command import Command, Environment
from czscie.lift.interpreter import InterpreterGroup
from czscie.lift.placeholders import Placeholder, references


def named_files(interpreter: InstalledInterpreter) -> dict[str, str]:
    """Where in its installation an interpreter has what placeholders can name."""
    layout = interpreter.layout
    files = {"python": layout.python}
    if layout.implementation.name == PYPY:
        files["pypy"] = layout.python
    elif interpreter.platform.os != "windows":
        directory = posixpath.dirname(layout.python)
        files["pip"] = f"{directory}/pip{layout.implementation.minor_version}"
    return files


@dataclass(frozen=True, slots=True)
class Expansion:
    """`interpreters` are the paths of their files by the names of these, by the interpreters' ids."""

    interpreters: Mapping[str, Mapping[str, str]]
    groups: Sequence[InterpreterGroup] = ()

    def command(self, command: Command) -> Command:
        """`command` without placeholders of the build. Raises CzscieError for one that names no file."""
        chosen: dict[str, str] = {}

        def expand(text: str, where: str) -> str:
            for reference in references(text):
                expanded, variables = self._expanded(reference, f"{command.key}.{where}")
                chosen.update(variables)
                text = text.replace(reference.text, expanded)
            return text

        exe = expand(command.exe, "exe")
        args = tuple(expand(argument, f"args[{index}]") for index, argument in enumerate(command.args))
        env = command.env
        default = {name: expand(value, f"env.default.{name}") for name, value in env.default.items()}
        replaced = {name: expand(value, f"env.replace.{name}") for name, value in env.replace.items()}
        environment = Environment(default, chosen | replaced, env.remove_exact, env.remove_re)
        return replace(command, exe=exe, args=args, env=environment)

    def _expanded(self, reference: Placeholder, where: str) -> tuple[str, dict[str, str]]:
        """What stands for `reference`, and the variables that it needs."""
        if reference.id in self.interpreters:
            inside = "" if reference.name is None else f"/{self._file(reference.id, reference, where)}"
            return f"{{{reference.id}}}{inside}", {}
        group = next((group for group in self.groups if group.id == reference.id), None)
        if group is None:  # an ordinary # before what the launcher knows
            return reference.text, {}
        if reference.name is None:
            return group.selector, {}
        prefix = f"_SCIENCE_IG_{group.id}_{reference.name}_"
        variables = {f"{prefix}{member}": self._file(member, reference, where) for member in group.members}
        return f"{{scie.files.{group.selector}}}/{{scie.env.{prefix}{group.selector}}}", variables

    def _file(self, interpreter: str, reference: Placeholder, where: str) -> str:
        files = self.interpreters[interpreter]
        found = files.get(reference.name or "")
        if found is None:
            raise CzscieError(
                f"{where}: {reference.text} cannot be built",
                code=Code.PLACEHOLDER,
                why=f"{interpreter} has on this platform: {', '.join(files)}",
            )
        return found
