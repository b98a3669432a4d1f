"""Lifts that pex generates, with their PEX as the payload in place of the bindings that install it.

pex 2.105 (`pex/scie/science.py`) writes a lift whose first start runs the PEX once, in the binding
`configure`: that installs the PEX and says where. The launcher installs a payload itself, so all that the
binding would say is known when the file is built.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from czscie.czex.entry_override import scripts_of
from czscie.czex.pex import Pex
from czscie.czex.start import HERMETIC_REMOVED
from czscie.lift.command import Command, Environment
from czscie.lift.interpreter import PythonBuildStandalone
from czscie.lift.lift import Lift
from czscie.lift.payload import Payload
from czscie.platforms import Platform
from czscie.scie.template import escaped

_PEX = "{pex}"
_CONFIGURE = "{configure-binding.py}"
_RESOURCES = "{resource-binding.py}"
_DESKTOP_FILE = ".desktop"
_BOUND = re.compile(r"\{scie\.bindings\.configure:(PYTHON|PEX|VIRTUAL_ENV|VENV_BIN_DIR_PLUS_SEP)\}")
_SCRIPT = re.compile(r"\{scie\.bindings\.configure:VENV_BIN_DIR_PLUS_SEP\}([^/\\{}]+)")
_START = "{scie.bindings.configure:PEX}"
_PYTHON = "{scie.bindings.configure:PYTHON}"
#: What only the PEX's own start reads.
_OF_PEX = ("__PEX_EXE__", "__PEX_ENTRY_POINT__")


def with_payload(lift: Lift) -> Lift | None:
    """`lift` with its PEX as the payload; None when pex did not generate it, or it needs a binding.

    Raises CzscieError when its PEX cannot be read.
    """
    pex = _pex(lift)
    systems = {platform.os == "windows" for platform in lift.platforms}
    if pex is None or len(systems) != 1 or not _has_bindings_of_pex(lift):
        return None
    environment = _Environment.of(lift.platforms[0], pex)
    commands = tuple(map(environment.command, lift.commands))
    if any("{scie.bindings" in text for command in commands for text in command.texts()):
        return None
    return replace(
        lift,
        files=(),
        bindings=(),
        commands=commands,
        payload=Payload(
            pex=pex,
            requirements=None,
            project=None,
            script=None,
            lock=None,
            entry_point=None,
            glibc=None,
            interpreter=lift.interpreters[0].id,
            scripts=(),
        ),
    )


def with_desktop_entry(lift: Lift, directory: Path) -> Lift:
    """`lift` with a desktop entry of pex's that starts the executable: a copy of the file in `directory`.

    pex's own starts scie-jump with its lift (`--launch`), without the executable.
    """
    entry = next((file.path for file in lift.files if file.id == _DESKTOP_FILE), None)
    is_made = any(
        binding.args[:2] == (_PEX, _CONFIGURE) and "--desktop-file" in binding.args
        for binding in lift.bindings
    )
    if entry is None or not is_made or not entry.is_file():
        return lift
    copy = directory / "entry.desktop"
    copy.write_bytes(entry.read_bytes().replace(b"{default_exec}", b'"{exe}"'))
    return lift.with_files({_DESKTOP_FILE: copy})


def _pex(lift: Lift) -> Path | None:
    """The lift's PEX, if all its files and interpreters are those that pex names."""
    known = {_PEX, _CONFIGURE, _RESOURCES}
    files = {f"{{{file.id}}}": file for file in lift.files}
    if _PEX not in files or not files.keys() <= known or lift.payload is not None:
        return None
    cpython = len(lift.interpreters) == 1 and lift.interpreters[0].PROVIDER == PythonBuildStandalone.PROVIDER
    return files[_PEX].path if cpython and not lift.interpreter_groups else None


def _has_bindings_of_pex(lift: Lift) -> bool:
    bindings = {binding.name: binding for binding in lift.bindings}
    if "configure" not in bindings or not bindings.keys() <= {"configure", "resources"}:
        return False
    python = f"#{{{lift.interpreters[0].id}:python}}"
    # A desktop entry is made by the binding.
    return all(
        binding.exe == python
        and binding.args[:2] in ((_PEX, _CONFIGURE), (_PEX, _RESOURCES))
        and "--desktop-file" not in binding.args
        for binding in bindings.values()
    )


def _runs_next(words: Sequence[str]) -> bool:
    """Whether a command that begins with `words` runs the next one: there are none, or Python and options."""
    if not words:
        return True
    options = all(word.startswith("-") or before in ("-W", "-X") for before, word in pairwise(words))
    return words[0] == _PYTHON and options and not {"-c", "-m"} & {*words}


@dataclass(frozen=True, slots=True)
class _Environment:
    """The installed payload, as a command sees it: what `configure` would bind, and the scripts by name.

    `python_args` are the arguments of Python with which the PEX starts itself again.
    """

    bound: Mapping[str, str]
    scripts: Mapping[str, str]
    python_args: tuple[str, ...]

    @classmethod
    def of(cls, platform: Platform, pex: Path) -> _Environment:
        windows = platform.os == "windows"
        directory = "{payload}\\Scripts\\" if windows else "{payload}/bin/"
        python = f"{directory}python{platform.executable_suffix}"
        bound = {
            "PYTHON": python,
            "PEX": "{payload}",
            "VIRTUAL_ENV": "{payload}",
            "VENV_BIN_DIR_PLUS_SEP": directory,
        }
        with Pex.open(pex) as opened:
            return cls(bound, scripts_of(opened.wheels), opened.info.inject_python_args)

    def command(self, command: Command) -> Command:
        """`command` without placeholders of `configure`; a start of the PEX or a script is the payload's."""
        words = (command.exe, *command.args)
        for index, word in enumerate(words):
            script = self._script(word)
            is_start = script is not None or (word == _START and index > 0)
            if is_start and _runs_next(words[:index]):
                return self._start(command, words[1:index], script, words[index + 1 :])
        return replace(
            command,
            exe=self._text(command.exe),
            args=tuple(map(self._text, command.args)),
            env=replace(
                command.env,
                default={name: self._text(value) for name, value in command.env.default.items()},
                replace={name: self._text(value) for name, value in command.env.replace.items()},
            ),
        )

    def _script(self, word: str) -> str | None:
        match = _SCRIPT.fullmatch(word)
        name = match[1].removesuffix(".exe") if match is not None else ""
        return name if name in self.scripts else None

    def _start(
        self, command: Command, before: Sequence[str], script: str | None, after: Sequence[str]
    ) -> Command:
        """A start of the payload's `__main__.py`, with the arguments of Python `before` it."""
        options = [self._text(word) for word in before]
        if script is None and tuple(before) != self.python_args:
            options += map(escaped, self.python_args)
        changed = {
            name: self._text(value) for name, value in command.env.replace.items() if name not in _OF_PEX
        }
        changed |= {"VIRTUAL_ENV": "{payload}", "PEX": "{scie}"}
        if script is not None:
            changed["__CZSCIE_SCRIPT__"] = f"{script}={self.scripts[script]}"
        return replace(
            command,
            exe=self.bound["PYTHON"],
            args=("-s", *options, "{payload}/__main__.py", *map(self._text, after)),
            env=Environment(
                default={name: self._text(value) for name, value in command.env.default.items()},
                replace=changed,
                remove_exact=tuple(dict.fromkeys((*command.env.remove_exact, *HERMETIC_REMOVED))),
                remove_re=command.env.remove_re,
            ),
        )

    def _text(self, text: str) -> str:
        return _BOUND.sub(lambda match: self.bound[match[1]], text)
