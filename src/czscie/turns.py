"""Several things made at once by threads, whose messages and results come in order."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from czscie.console import Console
from czscie.errors import CzscieError, raise_all
from czscie.live import Live, Log

Made = TypeVar("Made")

#: What is made at once is in memory: an interpreter takes some hundred megabytes.
_MOST = 4
#: Seconds between two looks at whether another failed. Ctrl-C does not end a longer wait on Windows.
_GLANCE = 0.2


class Stopped(BaseException):
    """Ends a thread because another failed, or because of Ctrl-C."""


def in_turns(console: Console, makers: Sequence[Callable[[Console], Made]]) -> Generator[Made, None, None]:
    """What `makers` make, in their order; as many as there are cores, but at most four, run at once.

    Each gets a console, whose lines are printed after those of the makers before it. If one fails, or the
    iterator is closed, the others end at the next thing that they count. Raises all their errors as one.
    """
    jobs = min(len(makers), os.cpu_count() or 1, _MOST)
    if jobs <= 1:
        yield from (make(console) for make in makers)
        return
    stop = threading.Event()
    turns = [_Turn(console, stop) for _ in makers]

    def run(make: Callable[[Console], Made], turn: _Turn) -> Made:
        try:
            turn.check()
            return make(turn)
        except BaseException:
            stop.set()
            raise

    with ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(run, make, turn) for make, turn in zip(makers, turns, strict=True)]
        try:
            for turn, future in zip(turns, futures, strict=True):
                turn.begin()
                while not future.done() and not stop.is_set():
                    wait([future], _GLANCE)
                if stop.is_set():
                    break
                yield future.result()
        finally:
            if not all(future.done() for future in futures):
                stop.set()
            pool.shutdown(cancel_futures=True)
    _raise_any(futures)


def _raise_any(futures: Sequence[Future[Made]]) -> None:
    """Raises the errors of those that failed as one; anything else but an error before them."""
    found = [error for future in futures if (error := _error_of(future)) is not None]
    for error in found:
        if not isinstance(error, CzscieError):
            raise error
    raise_all([error for error in found if isinstance(error, CzscieError)])


def _error_of(future: Future[Made]) -> BaseException | None:
    try:
        error = future.exception()
    except CancelledError:
        return None
    return None if isinstance(error, Stopped) else error


class _Turn(Console):
    """Shows its rows on `console` at once, and prints its lines there from `begin` on."""

    def __init__(self, console: Console, stop: threading.Event) -> None:
        super().__init__(detail=console.detail, clock=console._clock)
        self._console = console
        self._stop = stop
        self._kept: list[tuple[Callable[[str], None], str]] | None = []
        self._lock = threading.RLock()

    def begin(self) -> None:
        with self._lock:
            for say, text in self._kept or ():
                say(text)
            self._kept = None

    def line(self, text: str) -> None:
        self._say(self._console.line, text)

    def warn(self, text: str) -> None:
        self._say(self._console.warn, text)

    def check(self) -> None:
        if self._stop.is_set():
            raise Stopped

    def _say(self, say: Callable[[str], None], text: str) -> None:
        with self._lock:
            if self._kept is None:
                say(text)
            else:
                self._kept.append((say, text))

    def _shown(self) -> Live | Log | None:
        return self._console._shown()
