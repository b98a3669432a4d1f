"""A clock that stands still unless it is moved: no test of a deadline depends on how fast a machine is."""

from __future__ import annotations

import threading

from czscie.network.clock import Clock


class HandClock(Clock):
    """Waits cost no time but its own. It moves by `step` seconds whenever it is looked at.

    `waited` are the waits so far, in seconds.
    """

    def __init__(self, step: float = 0) -> None:
        self._now = 0.0
        self._step = step
        self.waited: list[float] = []

    def now(self) -> float:
        self._now += self._step
        return self._now

    def wait(self, stop: threading.Event, seconds: float) -> None:
        self.waited.append(seconds)
        self._now += seconds
