"""Ctrl-C at many instants of real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

import czscie

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs SIGINT")

SOURCE = Path(czscie.__file__).parents[1]

#: Says when the first line of czscie is next. What comes before that has an exit status of its own.
READY = """\
import os, signal, sys
signal.signal(signal.SIGINT, lambda *_: os._exit(99))
from czscie.__main__ import main
sys.argv = ["czscie", *sys.argv[1:]]
os.write(1, b"!")
main()
"""
#: A command with work for half a second, a finalizer and a callback that are interrupted, too.
BUSY = """\
import czscie.cli as c, os, time, weakref
class Slow:
    def __del__(self): time.sleep(0.002)
@c.app.command()
def busy() -> None:
    ends = time.monotonic() + 0.5
    while time.monotonic() < ends:
        Slow()
        kept = set()
        weakref.ref(kept, lambda _: time.sleep(0.002))
        del kept
os.write(1, b"!")
c.main()
"""


def interrupted(command: Sequence[str | Path], seconds: float, *, ready: bool) -> tuple[int, str]:
    """The exit status and the errors of a command that gets SIGINT after so long; `ready`: since its sign."""
    process = subprocess.Popen(
        command,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    if ready:
        assert process.stdout is not None and process.stdout.read(1) == "!"
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    return process.returncode, errors


def instants(step: int) -> list[float]:
    """Every `step` ms from 0 to 500, in seconds."""
    return [each / 1000 for each in range(0, 501, step)]


@pytest.mark.parametrize(
    ("arguments", "finished", "step"), [("--help", 0, 25), ("plan missing.toml", 1, 8)], ids=["help", "plan"]
)
def test_from_its_first_line_on_a_command_ends_without_a_traceback(
    arguments: str, finished: int, step: int
) -> None:
    statuses = set()
    for seconds in instants(step):
        command = [sys.executable, "-c", READY, *arguments.split()]
        status, errors = interrupted(command, seconds, ready=True)
        assert "Traceback" not in errors and "KeyboardInterrupt" not in errors, (seconds, errors)
        statuses.add(status)
    assert 130 in statuses and statuses <= {130, 99, finished}


@pytest.mark.parametrize(
    "command",
    [(sys.executable, "-m", "czscie"), (Path(sys.executable).with_name("czscie"),)],
    ids=["-m", "script"],
)
def test_what_people_call_ends_without_a_traceback_of_czscie(command: tuple[str | Path, ...]) -> None:
    """Before the first line of czscie it is Python's start that is interrupted, and Python that says so."""
    statuses = []
    for seconds in instants(25):
        status, errors = interrupted([*command, "plan", "missing.toml"], seconds, ready=False)
        assert f"{Path(czscie.__file__).parent}{os.sep}" not in errors, (seconds, errors)
        statuses.append(status)
    assert 130 in statuses


def test_inside_finalizers_and_callbacks_it_is_not_lost() -> None:
    for seconds in instants(50)[1:6]:
        status, errors = interrupted([sys.executable, "-c", BUSY, "busy"], seconds, ready=True)
        assert (status, errors) == (130, "")


def test_a_second_one_ends_what_clears_up() -> None:
    clearing = """\
import czscie.cli as c, os, time
@c.app.command()
def busy() -> None:
    try:
        os.write(1, b"!")
        time.sleep(60)
    finally:
        os.write(1, b"!")
        time.sleep(60)
c.main()
"""
    process = subprocess.Popen(
        [sys.executable, "-c", clearing, "busy"],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    for _ in range(2):
        assert process.stdout.read(1) == b"!"
        process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=20)[1] == b""
    assert process.returncode == 130


def test_what_is_started_with_it_ignored_goes_on() -> None:
    process = subprocess.Popen(
        ["sh", "-c", 'trap "" INT; exec "$0" -c "$1" busy', sys.executable, BUSY],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None and process.stdout.read(1) == b"!"
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) == 0
