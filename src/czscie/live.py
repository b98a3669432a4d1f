"""Rows that show what runs: drawn at the bottom of a terminal, elsewhere told as a line every ten seconds.

It imports little: the first row is there before the rest of czscie is imported.
"""

from __future__ import annotations

import os
import re
import sys
import threading
import time
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

#: In place of a noun, for counts of bytes.
BYTES = "B"

#: Control characters but line feeds and tabs (ECMA-48): escape sequences begin with them.
_STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_ASCII_FRAMES = "|/-\\"
#: Seconds between two pictures on a terminal, and between two lines elsewhere.
_INTERVAL = 0.1
WAITING = 10.0
#: Columns of a bar, and of the text of a row that is always shown.
_BAR = 20
_NARROW_BAR = 10
_TEXT = 16
_CYAN, _DIM, _RESET = "\x1b[36m", "\x1b[2m", "\x1b[0m"


class Row:
    """One thing that runs: what it does, and how much of `total` (None if unknown) is done, in `unit`."""

    __slots__ = ("done", "has_bar", "started", "text", "total", "unit")

    def __init__(self, text: str, started: float, *, has_bar: bool = False) -> None:
        self.text = text
        self.started = started
        self.has_bar = has_bar
        self.done = 0
        self.total: int | None = None
        self.unit = ""

    def count(self, done: int, total: int | None, unit: str) -> None:
        self.done, self.total, self.unit = done, total, unit

    @property
    def amount(self) -> str:
        """`312/534 modules`, `12.3/30.1 MB`; empty when nothing is counted."""
        if not self.unit:
            return ""
        if self.unit == BYTES:
            total = "" if self.total is None else f"/{self.total / 1e6:.1f}"
            return f"{self.done / 1e6:.1f}{total} MB"
        total = "" if self.total is None else f"/{self.total:,}"
        return f"{self.done:,}{total} {self.unit}"

    def elapsed(self, now: float) -> str:
        """`0.4 s`, `12 s`, `1:05`."""
        seconds = max(0.0, now - self.started)
        if seconds < 60:
            return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"
        return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


class Live:
    """Rows at the bottom of the terminal `stream`, which a thread redraws.

    `clock` gives seconds, `size` the columns and lines of the terminal. With `ticks` false nothing but `draw`
    draws. Safe for several threads.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        colour: bool = True,
        clock: Callable[[], float] = time.monotonic,
        size: Callable[[], tuple[int, int]] | None = None,
        ticks: bool = True,
    ) -> None:
        self._stream = stream
        self._colour = colour
        self._clock = clock
        self._size = size or (lambda: terminal_size(stream))
        self._frames = _FRAMES if _is_unicode(stream) else _ASCII_FRAMES
        self._ticker = Ticker(self.draw, _INTERVAL) if ticks else None
        self._rows: list[Row] = []
        self._base: Row | None = None
        self._drawn = 0
        self._lock = threading.RLock()

    def open(self, text: str) -> None:
        """Shows `text` while there is no other row, until `close`."""
        with self._lock:
            self._base = Row(text, self._clock())
            self.draw()
            if self._ticker is not None:
                self._ticker.start()

    def close(self) -> None:
        with self._lock:
            self._base = None
            self.draw()
        if self._ticker is not None:
            self._ticker.stop()

    def add(self, text: str, *, has_bar: bool = False) -> Row:
        row = Row(text, self._clock(), has_bar=has_bar)
        with self._lock:
            self._rows.append(row)
            self.draw()
            if self._ticker is not None:
                self._ticker.start()
        return row

    def remove(self, row: Row) -> None:
        with self._lock:
            self._rows.remove(row)
            self.draw()

    def print(self, write: Callable[[], object]) -> None:
        """Calls `write`, which writes whole lines to the stream, above the rows."""
        with self._lock:
            self._write(self._cleared())
            write()
            self.draw()

    def draw(self) -> None:
        """Draws the rows as they are now."""
        with self._lock:
            if not self._drawn and not self._rows and self._base is None:
                return
            lines = self._lines()
            start = self._start()
            self._write(start + "\n".join(f"{line}\x1b[K" for line in lines) + "\x1b[J")
            self._drawn = len(lines)

    def _lines(self) -> list[str]:
        columns, height = self._size()
        rows = self._rows or ([] if self._base is None else [self._base])
        most = max(1, height - 1)
        shown = rows if len(rows) <= most else rows[: most - 1]
        now = self._clock()
        lines = [self._line(row, columns - 1, now) for row in shown]
        if len(shown) < len(rows):
            lines.append(f"  … {len(rows) - len(shown)} more"[: columns - 1])
        return lines

    def _line(self, row: Row, columns: int, now: float) -> str:
        """The row in so many columns: its text at the left, its figures always in the same place."""
        figures = f"{row.elapsed(now):>6}"
        bar = ""
        if row.has_bar:
            bar = self._bar(row, _BAR if columns >= 70 else _NARROW_BAR)
        for more in (f"{row.amount:>16}", bar):
            if more.strip() and len(more) + 1 + len(figures) + _TEXT <= columns:
                figures = f"{more} {figures}"
        left = fitted(" ".join(printable(row.text).split()), max(0, columns - len(figures) - 3))
        frame = self._frames[int(now / _INTERVAL) % len(self._frames)]
        if not self._colour:
            return f"{frame} {left} {figures}"
        return f"{_CYAN}{frame}{_RESET} {left} {_DIM}{figures}{_RESET}"

    def _bar(self, row: Row, width: int) -> str:
        filled = "━" if self._frames is _FRAMES else "#"
        if not row.total:
            return " " * width
        return (filled * min(width, row.done * width // row.total)).ljust(
            width, "·" if filled == "━" else "."
        )

    def _start(self) -> str:
        """Moves the cursor to the first row."""
        return "\r" + (f"\x1b[{self._drawn - 1}A" if self._drawn > 1 else "")

    def _cleared(self) -> str:
        text = f"{self._start()}\x1b[J" if self._drawn else ""
        self._drawn = 0
        return text

    def _write(self, text: str) -> None:
        with suppress(OSError, ValueError):  # the terminal is gone, or the stream is closed
            self._stream.write(text)
            self._stream.flush()


class Log:
    """The same without a terminal: `tell` gets a line about the last row whenever 10 s passed in silence."""

    def __init__(
        self,
        tell: Callable[[str], object],
        *,
        clock: Callable[[], float] = time.monotonic,
        ticks: bool = True,
    ) -> None:
        self._tell = tell
        self._clock = clock
        self._rows: list[Row] = []
        self._told = clock()
        self._ticker = Ticker(self.tick, _INTERVAL) if ticks else None
        self._lock = threading.RLock()

    def open(self, text: str) -> None:
        """Says nothing: a phase will."""

    def close(self) -> None:
        if self._ticker is not None:
            self._ticker.stop()

    def add(self, text: str, *, has_bar: bool = False) -> Row:
        row = Row(text, self._clock(), has_bar=has_bar)
        with self._lock:
            if not self._rows:
                self._told = self._clock()
            self._rows.append(row)
            if self._ticker is not None:
                self._ticker.start()
        return row

    def remove(self, row: Row) -> None:
        with self._lock:
            self._rows.remove(row)

    def print(self, write: Callable[[], object]) -> None:
        with self._lock:
            write()
            self._told = self._clock()

    def tick(self) -> None:
        """Says what runs, if it is time."""
        with self._lock:
            now = self._clock()
            if self._rows and now - self._told >= WAITING:
                self._told = now
                row = self._rows[-1]
                self._tell(", ".join(filter(None, (f"{row.text}: {row.elapsed(now)}", row.amount))))


class Ticker:
    """Calls `tick` every `interval` seconds in a thread, from `start` to `stop`."""

    def __init__(self, tick: Callable[[], object], interval: float) -> None:
        self._tick = tick
        self._interval = interval
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        if self._thread is None:
            self._stopped.clear()
            self._thread = threading.Thread(target=self._run, name="czscie-live", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        if self._thread is not None:
            self._stopped.set()
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        while not self._stopped.wait(self._interval):
            self._tick()


def is_terminal(stream: TextIO | None) -> bool:
    """Whether `stream` is a terminal on which the cursor can be moved."""
    try:
        watched = stream is not None and stream.isatty()
    except ValueError:  # it is closed
        return False
    return watched and os.environ.get("TERM", "").lower() not in ("dumb", "unknown") and _moves_cursor()


def has_colours(stream: TextIO | None) -> bool:
    """Whether to write colours (https://no-color.org, https://force-color.org)."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or is_terminal(stream)


def _moves_cursor() -> bool:
    """Whether escape sequences move the cursor. Enables them in consoles of Windows that support them."""
    if sys.platform != "win32":
        return True
    import ctypes
    import msvcrt

    handle = msvcrt.get_osfhandle(2)
    mode = ctypes.c_ulong()
    kernel32 = ctypes.windll.kernel32
    return bool(kernel32.GetConsoleMode(handle, ctypes.byref(mode))) and bool(
        kernel32.SetConsoleMode(handle, mode.value | 0x0004)  # ENABLE_VIRTUAL_TERMINAL_PROCESSING
    )


def terminal_size(stream: TextIO) -> tuple[int, int]:
    """Columns and lines; 80 and 24 where the terminal says none."""
    try:
        columns, lines = os.get_terminal_size(stream.fileno())
    except (OSError, ValueError):
        return 80, 24
    return columns or 80, lines or 24


def printable(text: str) -> str:
    """`text` with its control characters escaped: names in untrusted files must not steer the terminal."""
    return _STEERING.sub(lambda match: f"\\x{ord(match[0]):02x}", text)


def fitted(text: str, columns: int) -> str:
    """`text` in exactly so many columns: filled with spaces, or cut with an ellipsis."""
    width = sum(map(_width, text))
    if width <= columns:
        return text + " " * (columns - width)
    kept, width = "", 0
    for character in text:
        if width + _width(character) >= columns:
            break
        kept, width = kept + character, width + _width(character)
    return (kept + "…" if columns else "") + " " * max(0, columns - width - 1)


def _width(character: str) -> int:
    if character < "\u0300":
        return 1
    import unicodedata

    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _is_unicode(stream: TextIO) -> bool:
    return (getattr(stream, "encoding", None) or "").lower().replace("-", "") == "utf8"


def _early_text(arguments: list[str]) -> str:
    """What to show before the command line is read; empty for commands that print something at once."""
    named = [each for each in arguments if not each.startswith("-")]
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    quiet = any(each in ("-q", "--quiet", "-h", "--help") for each in options)
    return f"czscie {named[0]}" if named and named[0] in _WATCHED and not quiet else ""


#: The commands that work for more than a moment.
_WATCHED = ("build", "image", "init", "inject", "lock", "plan", "run", "vendor", "verify")


def early(arguments: list[str]) -> Callable[[], None]:
    """Shows that the command of these arguments begins, on a terminal; the result ends that."""
    text = _early_text(arguments)
    if not text or not is_terminal(sys.stderr):
        return lambda: None
    live = Live(sys.stderr, colour=has_colours(sys.stderr))
    live.open(text)
    return live.close
