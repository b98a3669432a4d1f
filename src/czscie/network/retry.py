"""Retries, deadlines and stops."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from czscie.errors import Code, CzscieError
from czscie.network.clock import Clock
from czscie.network.network import DEADLINE, Patience
from czscie.progress import Progress

_Result = TypeVar("_Result")


class Transient(Exception):
    """An error that a retry may fix. `wait` is the server's Retry-After in seconds, None without one."""

    def __init__(self, cause: str, wait: float | None = None) -> None:
        super().__init__(cause)
        self.cause = cause
        self.wait = wait


class Unreachable(CzscieError):
    """No attempt succeeded, or none was allowed: another place may have the file."""


class Late(Exception):
    """The deadline has passed."""


class Stopped(Exception):
    """The work was cancelled: by Ctrl-C, or because another file failed."""


class Watch:
    """The time limit of some work: `seconds` on `clock`, or until `stop` is set."""

    def __init__(
        self, seconds: float, stop: threading.Event | None = None, clock: Clock | None = None
    ) -> None:
        self.seconds = seconds
        self._clock = clock or Clock()
        self._end = self._clock.now() + seconds
        self._stop = stop or threading.Event()

    @classmethod
    def of(cls, patience: Patience, stop: threading.Event | None = None) -> Watch:
        """The limit for one file."""
        return cls(patience.deadline, stop, patience.clock)

    def check(self) -> None:
        """Raises Late or Stopped when the limit is reached."""
        if self._stop.is_set():
            raise Stopped
        if self._clock.now() >= self._end:
            raise Late

    def within(self, seconds: float) -> float:
        """`seconds`, or the remaining time if that is less. Raises Late or Stopped."""
        self.check()
        return max(0.001, min(seconds, self._end - self._clock.now()))

    def pause(self, seconds: float) -> None:
        """Sleep so long, or until the limit. Raises Late or Stopped."""
        self._clock.wait(self._stop, self.within(seconds))
        self.check()


@dataclass(frozen=True, slots=True)
class Failure:
    """What to say when no attempt succeeds: the sentence and the hint of Unreachable."""

    what: str
    hint: str | None = None


def persevere(
    attempt: Callable[[], _Result],
    failure: Failure,
    tried: Sequence[str],
    patience: Patience,
    watch: Watch,
    progress: Progress,
) -> _Result:
    """Call `attempt` until it raises no Transient, with growing waits in between.

    Raises Unreachable with `what`, `hint` and `tried` (where `attempt` records a line for each place it
    tried) after `patience.attempts` or when the wait is too long; CzscieError at the deadline of `watch`,
    Stopped when that was stopped.
    """
    pause = patience.first_wait
    try:
        for number in range(1, patience.attempts + 1):
            try:
                return attempt()
            except Transient as problem:
                wait = max(pause, problem.wait or 0)
                if number == patience.attempts:
                    ending = f"gave up after attempt {number}"
                elif wait > patience.longest_wait:
                    ending = f"the server asks to retry in {wait:g} s"
                else:
                    progress.retry(problem.cause, wait)
                    watch.pause(wait)
                    pause = min(2 * pause, patience.longest_wait)
                    continue
                raise Unreachable(
                    failure.what, code=Code.UNREACHABLE, why=(*tried, ending), hint=failure.hint
                ) from problem
    except Late as late:
        ending = f"it did not finish within {watch.seconds:g} s"
        raise CzscieError(
            failure.what, code=Code.UNREACHABLE, why=(*tried, ending), hint=f"raise {DEADLINE} (seconds)"
        ) from late
    raise AssertionError("patience.attempts is at least 1")
