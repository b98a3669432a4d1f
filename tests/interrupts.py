"""Ctrl-C for programs that tests start."""

from __future__ import annotations

import signal


def take_interrupts() -> None:
    """For `preexec_fn`: a shell ignores SIGINT for its background jobs, and children inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
