"""The time that deadlines go by."""

from __future__ import annotations

import threading
import time


class Clock:
    """Seconds that only grow; tests have one that they move."""

    def now(self) -> float:
        return time.monotonic()

    def wait(self, stop: threading.Event, seconds: float) -> None:
        """Sleeps so long, or until `stop` is set."""
        stop.wait(seconds)
