"""Interactive shells on a pseudo-terminal: what is on the screen after some keys."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

from terminal import Terminal

PROMPT = "ready> "
#: Seconds. A loaded machine takes long to start a shell, and Python for each completion.
_PATIENCE = 60


def _take_terminal() -> None:
    """Makes standard input the terminal that controls the session, which interactive shells want."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Shell:
    """A shell without a user's settings, whose prompt is PROMPT when `setup` has run."""

    def __init__(
        self, command: Sequence[str], setup: Sequence[str], directory: Path, environment: Mapping[str, str]
    ) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
        self._terminal = Terminal(200, 50)
        self._process = subprocess.Popen(
            command,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=directory,
            env=environment,
            start_new_session=True,
            preexec_fn=_take_terminal,
        )
        os.close(theirs)
        for line in setup:
            self._write(f"{line}\n")
        self._until(lambda screen: bool(screen) and screen[-1].startswith(PROMPT.strip()))

    def __enter__(self) -> Shell:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._ours)

    def completed(self, line: str, expected: str, *, times: int = 1) -> str:
        """The screen once it matches `expected`, a pattern, after `line` and tabulators were typed."""
        self._write(line + "\t" * times)
        screen = self._until(lambda shown: re.search(expected, "\n".join(shown)) is not None)
        self._write("\x15\x0c")  # take the line away, and what is on the screen
        return screen

    def _write(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def _until(self, shows: Callable[[list[str]], bool]) -> str:
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            if select.select([self._ours], [], [], 0.2)[0]:
                self._terminal.feed(os.read(self._ours, 65536))
            elif shows(self._terminal.screen):
                return "\n".join(self._terminal.screen)
        raise AssertionError("the shell does not show it:\n" + "\n".join(self._terminal.screen))
