"""The output of czscie: phases with their times and errors on standard error, results on standard output."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console as RichConsole
from rich.text import Text

from czscie.errors import CzscieError

#: Control characters but line feeds and tabs (ECMA-48): escape sequences begin with them.
_STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Console:
    """One per command. Colours and bars only on a terminal, as rich finds (NO_COLOR, FORCE_COLOR, TERM).

    A `silent` one prints nothing; a subclass that overrides `line` and `warn` gets the lines.
    """

    def __init__(self, *, silent: bool = False) -> None:
        self.errors = _Plain(stderr=True, silent=silent)
        self.results = _Plain(stderr=False, silent=silent)

    @contextmanager
    def phase(self, name: str) -> Iterator[Phase]:
        """Prints a line when a phase is done: what it did, and how long it took."""
        phase = Phase(name)
        started = time.monotonic()
        yield phase
        taken = time.monotonic() - started
        self.line(f"{phase.text} in {_duration(taken)}")

    def line(self, text: str) -> None:
        self.errors.print(text, soft_wrap=True)

    def warn(self, text: str) -> None:
        self.errors.print(f"warning: {text}", soft_wrap=True, style="yellow")

    def fail(self, error: CzscieError) -> None:
        first, *rest = str(error).splitlines()
        self.errors.print(first, soft_wrap=True, style="bold red")
        for line in rest:
            self.errors.print(line, soft_wrap=True, style="green" if line.startswith("hint:") else None)


class _Plain(RichConsole):
    """A console that prints text as it is: paths and names contain brackets and colons.

    Control characters are the exception: names in untrusted files must not steer the terminal.
    """

    def __init__(self, *, stderr: bool, silent: bool) -> None:
        super().__init__(
            stderr=stderr,
            quiet=silent,
            force_terminal=False if silent else None,
            highlight=False,
            markup=False,
            emoji=False,
        )

    def render_str(self, text: str, **options: Any) -> Text:
        return super().render_str(_STEERING.sub(lambda match: f"\\x{ord(match[0]):02x}", text), **options)


class Phase:
    """The text that a phase prints when it is done. The phase may change it while it runs."""

    def __init__(self, text: str) -> None:
        self.text = text

    def become(self, text: str) -> None:
        self.text = text


def write_result(text: str) -> None:
    """Prints a result, which scripts may read."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def write_json(value: Any) -> None:
    write_result(json.dumps(value, indent=2))


def megabytes(size: int) -> str:
    """A size in bytes for people, in decimal megabytes."""
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size / 1e3:.1f} kB"


def _duration(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
