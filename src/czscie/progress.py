"""Progress reports of downloads, to a console, or discarded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from threading import Lock
from typing import TYPE_CHECKING

from czscie.live import BYTES

if TYPE_CHECKING:
    from czscie.console import Console


#: Takes the bytes that are there and how many there will be, None if unknown.
Show = Callable[[int, "int | None"], None]
#: Begins to show one file by its name and its size in bytes, None if unknown; done with the context.
Begin = Callable[[str, "int | None"], AbstractContextManager[Show]]


#: Takes how much of a total is done (None if unknown), and its unit (czscie.console.Phase.count).
Count = Callable[[int, "int | None", str], object]
#: Takes how much more is done.
Step = Callable[[int], object]


class Steps:
    """How much of `total` is done, in `unit`, counted from several threads."""

    def __init__(self, count: Count, total: int, unit: str) -> None:
        self._count, self._total, self._unit = count, total, unit
        self._done = 0
        self._lock = Lock()
        count(0, total, unit)

    def add(self, number: int) -> None:
        with self._lock:
            self._done += number
            self._count(self._done, self._total, self._unit)


def no_count(done: int, total: int | None, unit: str) -> None:
    """Counts nothing."""


def no_step(number: int) -> None:
    """Counts nothing."""


class Progress:
    """Reports through `console`; with None it prints nothing."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console

    def check(self) -> None:
        """Raises an exception when what runs is to end (czscie.console.Console.check)."""
        if self._console is not None:
            self._console.check()

    def line(self, text: str) -> None:
        """Say `text`."""
        if self._console is not None:
            self._console.line(text)

    def warn(self, text: str) -> None:
        if self._console is not None:
            self._console.warn(text)

    def retry(self, cause: str, wait: float) -> None:
        """Say that something is tried again in `wait` seconds because of `cause`."""
        if self._console is not None:
            self._console.retry(cause, wait)

    @contextmanager
    def transfers(
        self, files: Sequence[tuple[str, int | None]], *, are_local: bool = False
    ) -> Iterator[Begin]:
        """Show downloads, from several threads: a bar for all together, and one for each that is on its way.

        `files` are their names and sizes in bytes, None if unknown. If they `are_local`, they are copied.
        """
        if self._console is None:
            yield lambda name, size: nullcontext(_nothing)
            return
        console = self._console
        what = files[0][0] if len(files) == 1 else f"{len(files)} files"
        sizes = [size for _, size in files]
        total = None if None in sizes else sum(size for size in sizes if size is not None)
        received = 0
        lock = Lock()
        doing, did = ("Copying", "Copied") if are_local else ("Downloading", "Downloaded")
        with console.phase(f"{doing} {what}", f"{did} {what}", has_bar=True) as phase:
            phase.count(0, total, BYTES)

            @contextmanager
            def begin(name: str, size: int | None) -> Iterator[Show]:
                before = 0

                def show(done: int, size: int | None) -> None:
                    nonlocal before, received
                    with lock:
                        received += done - before
                        before = done
                        phase.count(received, size if len(files) == 1 else total, BYTES)
                    if row is not None:
                        row.count(done, size, BYTES)

                with nullcontext() if len(files) == 1 else console.row(name) as row:
                    show(0, size)
                    yield show

            yield begin
            phase.become(f"{did} {what} ({received / 1e6:.1f} MB)")


def _nothing(done: int, total: int | None) -> None:
    """Reports nothing."""
