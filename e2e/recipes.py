"""Recipes of docs, read from their pages, and run as one shell script each.

The fenced blocks of a page are its steps. A block whose title is the name of a file (`title="lift.toml"`)
becomes that file. A block `console` has commands, which follow `$` and must succeed. Below a command is what
it prints: `…` stands for anything in a line, and alone on a line for any number of lines. Commands of a block
`bat` follow `>` and run on Windows, those of a block `console` on the system that its title names, as in
`on aarch64`. A block whose title says `not run` is not run.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

PAGES = Path(__file__).parents[1] / "docs"

#: Precedes the output of each command.
_MARK = "=-=-= recipe =-=-="
_TIMEOUT = 300

_BLOCK = re.compile(
    r'^```(?P<language>[\w-]*)(?: title="(?P<title>[^"]*)")?\n(?P<text>.*?)^```$', re.MULTILINE | re.DOTALL
)
_CONTINUATION = re.compile(r"\\\n *")

#: Makes a command of this host's shell of one for another system.
Emulation = Callable[[str], str]


class RecipeFailed(Exception):
    """The text has the command, and what it printed."""


@dataclass(frozen=True, slots=True)
class NewFile:
    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Command:
    """`shown` is what the page says it prints, None if it says nothing. `system` is `Windows`, `aarch64`
    or, for this host, empty.
    """

    text: str
    shown: str | None
    system: str = ""

    def prints(self, output: str) -> bool:
        """Whether `output` is what the page shows."""
        if self.shown is None:
            return True
        lines = (
            r"(?:.*\n)*?" if line == "…" else ".*".join(map(re.escape, line.split("…"))) + r" *\n"
            for line in self.shown.splitlines()
        )
        printed = output.strip("\n")
        return re.fullmatch("".join(lines), f"{printed}\n" if printed else "") is not None


Step = NewFile | Command


def names() -> list[str]:
    """The recipes: `wheelhouse` for docs/how-to/wheelhouse.md."""
    return sorted(path.stem for path in (PAGES / "how-to").glob("*.md") if path.stem != "index")


def read_steps(page: str) -> Iterator[Step]:
    """The steps of the page's Markdown."""
    for block in _BLOCK.finditer(page):
        language, title, text = block["language"], block["title"] or "", block["text"]
        if "not run" in title:
            continue
        if language in ("console", "bat"):
            prompt = "$ " if language == "console" else "> "
            yield from _commands(text, prompt, title.removeprefix("on "))
        elif title:
            yield NewFile(title, text)


def _commands(text: str, prompt: str, system: str) -> Iterator[Command]:
    for part in re.split(rf"(?m)^{re.escape(prompt)}", _CONTINUATION.sub("", text))[1:]:
        command, _, shown = part.partition("\n")
        yield Command(command, shown or None, system)


@dataclass(frozen=True, slots=True)
class Kitchen:
    """Where recipes are run. `replaced` has names in pages and what takes their place, `pantry` the files
    that a reader brings along, and `emulations` one for each system of commands.
    """

    environment: Mapping[str, str]
    replaced: Mapping[str, str] = field(default_factory=dict)
    pantry: Path | None = None
    emulations: Mapping[str, Emulation] = field(default_factory=dict)

    def run(self, page: str, directory: Path) -> list[Command]:
        """Runs all steps of a page in the new `directory`, and returns the commands. Raises RecipeFailed."""
        for name, replacement in self.replaced.items():
            page = page.replace(name, replacement)
        steps = list(read_steps(page))
        commands = [step for step in steps if isinstance(step, Command)]
        if self.pantry is None:
            directory.mkdir()
        else:
            shutil.copytree(self.pantry, directory)
        done = subprocess.run(
            ["bash", "-eu", "-c", "".join(map(self._line, steps))],
            cwd=directory,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_TIMEOUT,
        )
        outputs = done.stdout.split(f"{_MARK}\n")[1:]
        for command, output in zip(commands, outputs, strict=False):
            if not command.prints(output):
                raise RecipeFailed(f"$ {command.text}\nshown:\n{command.shown}\nprinted:\n{output}")
        if done.returncode != 0:
            reached = commands[len(outputs) - 1].text if outputs else "(no command)"
            raise RecipeFailed(f"$ {reached}\nended with {done.returncode}:\n{done.stdout}")
        return commands

    def _line(self, step: Step) -> str:
        """What the shell runs. What a command leaves in the background ends with the shell."""
        if isinstance(step, NewFile):
            # Unquoted, as the path may begin with ~.
            return f"mkdir -p $(dirname {step.path})\nprintf %s {shlex.quote(step.text)} > {step.path}\n"
        text = self.emulations[step.system](step.text) if step.system else step.text
        return f"trap 'kill $(jobs -p) 2>/dev/null || true' EXIT\necho {shlex.quote(_MARK)}\n{text}\n"
