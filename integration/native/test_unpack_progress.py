"""What a terminal shows while a first start unpacks."""

from __future__ import annotations

import os
import pty
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from integration.native.application import HOME, Application, Make, say
from scie.factories import Tree
from terminal import Terminal

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="starts Linux programs")

SIZE = 9 << 20
LARGE = Tree({f"data{number}": bytes(SIZE) for number in range(16)}, programs=HOME.programs)
DELAY = 0.4


def slow_start(moo: Application, *, stderr: int | None = None) -> bytes:
    """What a first start writes to a terminal if it is stopped for a while after it has begun to unpack."""
    partials = moo.base / "interpreters"
    for _ in range(10):
        shutil.rmtree(moo.base, ignore_errors=True)
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [moo.path],
            env={"CZSCIE_BASE": str(moo.base), "PATH": os.environ["PATH"]},
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=theirs if stderr is None else stderr,
        )
        os.close(theirs)
        while process.poll() is None and not any(partials.glob("*.partial/data*")):
            time.sleep(0.001)
        process.send_signal(signal.SIGSTOP)
        was_early = any(partials.glob("*.partial"))
        time.sleep(DELAY)
        process.send_signal(signal.SIGCONT)
        written = b""
        try:
            while data := os.read(ours, 1 << 16):
                written += data
        except OSError:  # the end of a pseudo-terminal on Linux
            pass
        os.close(ours)
        assert process.wait(60) == 0
        if was_early:
            return written
    raise AssertionError("it unpacked too fast each time")


@pytest.fixture
def moo(make: Make) -> Application:
    return make(LARGE, {"": say("moo")})


def test_a_slow_first_start_shows_a_line_that_erases_itself(moo: Application) -> None:
    terminal = Terminal(50, 5)
    written = slow_start(moo)
    for piece in written.split(b"\r"):
        terminal.feed(b"\r" + piece)
    lines = [screen[0] for screen in terminal.screens if screen and screen[0].startswith("unpacking ")]
    assert lines and all(line.startswith("unpacking 151 MB: ") and line.endswith("%") for line in lines)
    shown = "".join(terminal.screen)
    assert shown.startswith(str(moo.base)) and shown.endswith("moo") and "unpacking" not in shown
    assert b"\x1b" not in written


def test_the_next_start_shows_nothing(moo: Application) -> None:
    slow_start(moo)
    ours, theirs = pty.openpty()
    done = moo.start(capture_output=False, stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    assert done.returncode == 0
    with pytest.raises(OSError):
        os.read(ours, 1)
    os.close(ours)


def test_elsewhere_nothing_is_shown(moo: Application, tmp_path: Path) -> None:
    with (tmp_path / "errors").open("wb") as errors:
        assert b"unpacking" not in slow_start(moo, stderr=errors.fileno())
    assert (tmp_path / "errors").read_bytes() == b""


def test_quiet_switches_it_off(make: Make) -> None:
    written = slow_start(make(LARGE, {"": say("moo")}, quiet=True))
    assert b"unpacking" not in written
