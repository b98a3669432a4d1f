"""The clock of deadlines."""

from __future__ import annotations

import threading
import time


class Clock:
    """Monotonic seconds. Tests have one that they control."""

    def now(self) -> float:
        return time.monotonic()

    def wait(self, stop: threading.Event, seconds: float) -> None:
        """Sleeps for so many seconds, or until `stop` is set."""
        stop.wait(seconds)
