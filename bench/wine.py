"""Compares starts of a Windows executable with those of plain Pythons under wine: `python -m bench.wine`.

cowsay on one CPython for Windows: by `python.exe` itself, in a virtual environment, and as our executable,
cold and warm, by turns. Wine makes processes and opens files in its own time, so the figures are ratios
between programs that all run there, and say nothing of the times on Windows.

    python -m bench.wine                  needs what the tests under wine need: check.py installs it
    python -m bench.wine --rounds 40
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.machine import Machine
from bench.measure import Outcome, Sample, take_turns
from czscie.console import Console
from czscie.errors import Code, CzscieError
from e2e import interpreters
from e2e.build import Builder
from e2e.wine import cpython
from e2e.wine.application import build
from e2e.wine.wine import Wine, running, why_not, windows_path

_COWSAY = 'requirements = ["cowsay==6.1"]\nentry_point = "cowsay"'
_ARGUMENTS = ("-t", "moo")


@dataclass(frozen=True, slots=True)
class Start:
    """One way of starting cowsay."""

    name: str
    wine: Wine
    command: tuple[str | Path, ...]
    base: Path
    before: Callable[[], None] = lambda: None
    times: int = 1

    def prepare(self) -> None:
        self.before()

    def run(self) -> Sample:
        """Raises CzscieError when the cow does not speak."""
        program, *arguments = self.command
        started_at = time.perf_counter()
        started = self.wine.start(
            Path(program),
            *map(str, arguments),
            *_ARGUMENTS,
            environment={"CZSCIE_BASE": windows_path(self.base)},
        )
        started.wait()
        wall = time.perf_counter() - started_at
        if started.status != 0 or b"moo" not in started.stdout:
            raise CzscieError(
                f"{self.name} ended with {started.status}",
                code=Code.PROGRAM_FAILED,
                why=started.message.splitlines()[-5:],
            )
        return Sample(wall, 0, 0)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench.wine",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=20, metavar="N")
    options = parser.parse_args()
    console = Console()
    try:
        if reason := why_not():
            raise CzscieError("there is no wine to run this", code=Code.PROGRAM_FAILED, hint=reason)
        with tempfile.TemporaryDirectory(prefix="czscie-bench-") as scratch:
            _compare(options.rounds, Path(scratch))
    except CzscieError as error:
        console.fail(error)
        return 1
    return 0


def _compare(rounds: int, scratch: Path) -> None:
    load = os.getloadavg()[0]
    mirror = cpython.mirror_with_windows(interpreters.mirror_directory())
    python = cpython.unpack(mirror)
    executable = build(Builder(mirror.as_uri(), scratch / "cache"), "cowsay", _COWSAY, scratch / "build")
    environment = _make_environment(python, scratch / "venv")
    base = scratch / "base"
    with running() as wine:
        outcomes = take_turns(
            [
                Start("plain python.exe", wine, (python, *_module(environment)), base),
                Start(
                    "virtual environment", wine, (environment / "Scripts/python.exe", "-m", "cowsay"), base
                ),
                Start(
                    "cold", wine, (executable,), base, before=lambda: shutil.rmtree(base, ignore_errors=True)
                ),
                Start("warm", wine, (executable,), base, times=2),
            ],
            rounds,
        )
    print(f"starts of cowsay under wine by CPython {cpython.VERSION}, {rounds} rounds by turns, medians")
    print(Machine.find(scratch, load))
    for outcome in outcomes:
        print(f"{outcome.name:22}", _told(outcome, outcomes[0]))


def _told(outcome: Outcome, first: Outcome) -> str:
    if outcome.failure is not None:
        return outcome.failure
    spread = outcome.wall
    ratio = "" if first.failure is not None else f" x {spread.median / first.wall.median:.2f}"
    return f"{spread.median * 1e3:7.1f} ms{ratio} (least {spread.least * 1e3:.1f})"


def _make_environment(python: Path, directory: Path) -> Path:
    """What `python -m venv` and pip make, with bytecode."""
    scripts = directory / "Scripts"
    scripts.mkdir(parents=True)
    shutil.copy(python.parent / "Lib/venv/scripts/nt/venvlauncher.exe", scripts / "python.exe")
    home = windows_path(python.parent)
    (directory / "pyvenv.cfg").write_text(f"home = {home}\ninclude-system-site-packages = false\n")
    site_packages = directory / "Lib/site-packages"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "cowsay==6.1", "--target"]
    subprocess.run([*command, site_packages], check=True)
    return directory


def _module(environment: Path) -> tuple[str, ...]:
    site_packages = windows_path(environment / "Lib/site-packages")
    code = (
        f"import sys, runpy; sys.path.append({site_packages!r}); runpy.run_module('cowsay', None, '__main__')"
    )
    return ("-c", code)


if __name__ == "__main__":
    sys.exit(main())
