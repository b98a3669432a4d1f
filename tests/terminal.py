"""Terminals for tests: what a stream of bytes shows, and programs on a pseudo-terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyte


class Terminal:
    """An emulated terminal. `screens` are the different pictures that it showed, without trailing spaces."""

    def __init__(self, columns: int = 80, lines: int = 24) -> None:
        self._screen = pyte.Screen(columns, lines)
        self._screen.set_mode(pyte.modes.LNM)
        self._stream = pyte.ByteStream(self._screen)
        self.screens: list[list[str]] = []

    def feed(self, data: bytes) -> None:
        self._stream.feed(data)
        if not self.screens or self.screen != self.screens[-1]:
            self.screens.append(self.screen)

    @property
    def screen(self) -> list[str]:
        """The lines, without empty ones at the end."""
        lines = [line.rstrip() for line in self._screen.display]
        while lines and not lines[-1]:
            lines.pop()
        return lines

    @property
    def colours(self) -> set[str]:
        """The colours of the characters on the screen."""
        return {
            cell.fg for line in self._screen.buffer.values() for cell in line.values() if cell.data.strip()
        } - {"default"}


@dataclass(frozen=True, slots=True)
class Run:
    """What a program on a pseudo-terminal did: its exit status, the terminal, and all bytes it wrote."""

    status: int
    terminal: Terminal
    written: bytes


def run_on_terminal(
    command: Sequence[str | Path],
    *,
    columns: int = 80,
    lines: int = 24,
    directory: Path,
    environment: Mapping[str, str],
    timeout: float = 120,
) -> Run:
    """Runs `command` whose standard streams are a pseudo-terminal of this size."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    terminal, written = Terminal(columns, lines), b""
    process = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=directory, env=environment, close_fds=True
    )
    os.close(theirs)
    end = time.monotonic() + timeout
    try:
        while time.monotonic() < end:
            if not select.select([ours], [], [], 1)[0]:
                continue
            try:
                data = os.read(ours, 65536)
            except OSError:  # the last program closed it
                break
            if not data:
                break
            written += data
            terminal.feed(data)
        else:
            raise AssertionError(f"{command} did not end:\n" + "\n".join(terminal.screen))
        return Run(process.wait(timeout=10), terminal, written)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
