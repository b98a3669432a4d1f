"""The output of czscie: phases with their times and errors on standard error, results on standard output."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from enum import IntEnum
from typing import TYPE_CHECKING, Any, TextIO

from czscie.errors import CzscieError
from czscie.live import Live, Log, Row, has_colours, is_terminal, printable
from czscie.trace import listening

if TYPE_CHECKING:
    from rich.console import Console as RichConsole

#: Select Graphic Rendition (ECMA-48).
_STYLES = {"bold red": "\x1b[1;31m", "yellow": "\x1b[33m", "green": "\x1b[32m", "bold": "\x1b[1m"}
_PLAIN = "\x1b[0m"


class Detail(IntEnum):
    """How much a command says: only errors; phases and a summary; every item; commands, URLs and times."""

    QUIET = -1
    NORMAL = 0
    VERBOSE = 1
    TRACE = 2


class Console:
    """One per command. Colours and rows that move only on a terminal (NO_COLOR, FORCE_COLOR, TERM).

    A `silent` one prints nothing; a subclass that overrides `line` and `warn` gets the lines. `stream` is
    standard error unless a test says otherwise, and `clock` gives seconds.
    """

    def __init__(
        self,
        *,
        silent: bool = False,
        detail: Detail = Detail.NORMAL,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.detail = detail
        self.has_warned = False
        self._silent = silent
        self._given = stream
        self._clock = clock
        self._rows: Live | Log | None = None
        self._retried: set[str] = set()

    # Output.

    def line(self, text: str) -> None:
        if self.detail > Detail.QUIET:
            self._print(text)

    def note(self, text: str) -> None:
        """A line about one item, which only `-v` prints."""
        if self.detail >= Detail.VERBOSE:
            self.line(f"  {text}")

    def trace(self, text: str) -> None:
        """A line about a command or a URL, which only `-vv` prints."""
        if self.detail >= Detail.TRACE:
            self.line(f"  {text}")

    def warn(self, text: str) -> None:
        self.has_warned = True
        if self.detail > Detail.QUIET:
            self._print(f"warning: {text}", "yellow")

    def retry(self, cause: str, wait: float) -> None:
        """Says once why something is tried again, in `wait` seconds."""
        told = cause in self._retried
        self._retried.add(cause)
        (self.note if told else self.line)(f"{cause}: retrying in {wait:g} s")

    def fail(self, error: CzscieError) -> None:
        # Not splitlines: `printable` escapes the other characters that end lines.
        first, *rest = error.shown.split("\n")
        self._print(first, "bold red")
        for line in rest:
            self._print(line, "green" if line.startswith("hint:") else None)

    # What runs.

    def check(self) -> None:
        """Raises an exception when what runs is to end (czscie.turns)."""

    @contextmanager
    def command(self, doing: str) -> Iterator[Callable[[], float]]:
        """Shows `doing` on a terminal while no phase runs; yields what tells the seconds since it began."""
        started = self._clock()
        rows = self._shown()
        if rows is not None:
            rows.open(doing)
        try:
            with listening(self.trace) if self.detail >= Detail.TRACE else nullcontext():
                yield lambda: self._clock() - started
        finally:
            if rows is not None:
                rows.close()

    @contextmanager
    def phase(
        self, doing: str, done: str, *, has_bar: bool = False, detail: Detail = Detail.NORMAL
    ) -> Iterator[Phase]:
        """Shows `doing` while it runs, and then prints a line: what was done, and how long it took.

        The line is for those who want so much `detail`.
        """
        self.check()
        rows = self._shown()
        row = None if rows is None else rows.add(doing, has_bar=has_bar)
        phase = Phase(done, row, self.check)
        started = self._clock()
        try:
            yield phase
        finally:
            if rows is not None and row is not None:
                rows.remove(row)
        if self.detail >= detail:
            self.line(f"{phase.text} in {duration(self._clock() - started)}")

    @contextmanager
    def row(self, text: str) -> Iterator[Row | None]:
        """Shows a bar for one of several things, on a terminal; None elsewhere."""
        rows = self._shown()
        if not isinstance(rows, Live):
            yield None
            return
        row = rows.add(text, has_bar=True)
        try:
            yield row
        finally:
            rows.remove(row)

    # Where it goes.

    @property
    def errors(self) -> RichConsole:
        """Standard error, for tables."""
        return self._rich(stderr=True)

    @property
    def results(self) -> RichConsole:
        """Standard output, for tables."""
        return self._rich(stderr=False)

    def _rich(self, *, stderr: bool) -> RichConsole:
        from czscie.tables import PlainConsole

        return PlainConsole(stderr=stderr, silent=self._silent or (stderr and self.detail < Detail.NORMAL))

    @property
    def _stream(self) -> TextIO:
        return sys.stderr if self._given is None else self._given

    def _shown(self) -> Live | Log | None:
        """Where rows are shown; None for nowhere."""
        if self._silent or self.detail < Detail.NORMAL:
            return None
        if self._rows is None:
            if is_terminal(self._stream):
                self._rows = Live(self._stream, colour=has_colours(self._stream), clock=self._clock)
            else:
                self._rows = Log(self.line, clock=self._clock)
        return self._rows

    def _print(self, text: str, style: str | None = None) -> None:
        if self._silent:
            return
        shown = printable(text)
        if style is not None and has_colours(self._stream):
            shown = f"{_STYLES[style]}{shown}{_PLAIN}"

        def write() -> None:
            stream = self._stream
            encoding = getattr(stream, "encoding", None) or "utf-8"
            stream.write(shown.encode(encoding, "backslashreplace").decode(encoding) + "\n")
            stream.flush()

        if self._rows is None:
            write()
        else:
            self._rows.print(write)


class Phase:
    """The text that a phase prints when it is done, which it may change while it runs."""

    def __init__(self, text: str, row: Row | None, check: Callable[[], None]) -> None:
        self.text = text
        self._row = row
        self._check = check

    def become(self, text: str) -> None:
        self.text = text

    def count(self, done: int, total: int | None, unit: str) -> None:
        """Shows how much of `total` is done, in `unit`: a noun in the plural, or czscie.live.BYTES.

        Raises an exception when the phase is to end (Console.check).
        """
        self._check()
        if self._row is not None:
            self._row.count(done, total, unit)


def write_result(text: str) -> None:
    """Prints a result, which scripts may read."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def write_json(value: Any) -> None:
    write_result(json_text(value))


def json_text(value: Any) -> str:
    return json.dumps(value, indent=2)


def megabytes(size: int) -> str:
    """A size in bytes for people, in decimal megabytes."""
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size / 1e3:.1f} kB"


def duration(seconds: float) -> str:
    """`340 ms`, `2.3 s`, `75 s`."""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
