"""Ctrl-C while a command runs: the command cleans up, and exits with status 130 without a traceback."""

from __future__ import annotations

import atexit
import os
import signal
import sys
from collections.abc import Callable
from types import FrameType

#: 128 and the number of SIGINT: what shells report of a process that it ended.
STATUS = 130


def run_interruptibly(command: Callable[[], object]) -> None:
    """Calls `command`. The first Ctrl-C raises KeyboardInterrupt in it, a second one ends the process at
    once.

    Exits with STATUS when it is interrupted. Where SIGINT is ignored, as in a shell's background jobs, it
    stays ignored.
    """
    interrupt = _Interrupt()
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, interrupt.handle)
        sys.unraisablehook = _unraisable
        # Python gives signals back to the system before it has ended: what came last would be a death by one.
        atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)
    try:
        try:
            interrupt.raises = True
            command()
        finally:
            interrupt.raises = False
    except KeyboardInterrupt:
        sys.exit(STATUS)


class _Interrupt:
    """The handler of SIGINT; whether it `raises` an exception depends on where the main thread is."""

    def __init__(self) -> None:
        self.raises = False

    def handle(self, _number: int, _frame: FrameType | None) -> None:
        if not self.raises:
            os._exit(STATUS)
        self.raises = False
        raise KeyboardInterrupt


def _unraisable(unraisable: sys.UnraisableHookArgs) -> None:
    """Ends the process when the exception came inside a finalizer or a callback, which cannot pass it on."""
    if issubclass(unraisable.exc_type, KeyboardInterrupt):
        os._exit(STATUS)
    sys.__unraisablehook__(unraisable)
