"""What the launcher adds to a warm start: our scie, and the very Python that it becomes, by turns."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from bench.contestants import Entrant, Start
from bench.measure import Outcome, Sample, Spread, start, take_turns
from bench.workshop import Sandbox
from czscie.errors import Code, CzscieError

#: How often a start is caught between its exec and its end before it is given up.
_ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class Execution:
    """What an execve(2) was given. The launcher makes `command[0]` the program's path."""

    command: tuple[str, ...]
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Exec:
    """Starts what the launcher starts, without the launcher."""

    execution: Execution
    sandbox: Sandbox

    @property
    def name(self) -> str:
        return "exec"

    @property
    def times(self) -> int:
        return 1

    def prepare(self) -> None:
        """The installation is there."""

    def run(self) -> Sample:
        sample, _ = start(self.execution.command, self.execution.environment, self.sandbox.directory)
        return sample


@dataclass(frozen=True, slots=True)
class WarmCost:
    """`scie` and `direct` are the two outcomes, `calls` the system calls before the launcher's execve(2).

    `calls` is None where there is no strace.
    """

    scie: Outcome
    direct: Outcome
    execution: Execution
    calls: int | None

    @property
    def added(self) -> float:
        """Seconds of wall time between the medians."""
        return self.scie.wall.median - self.direct.wall.median

    def print(self, console: Console) -> None:
        for outcome, what in ((self.scie, "our scie, warm"), (self.direct, "exec of the Python it becomes")):
            if outcome.failure is not None:
                console.print(f"{what}: {outcome.failure}", markup=False, soft_wrap=True)
                return
            line = f"{what:30} wall {_figures(outcome.wall)}  CPU {_figures(outcome.processor)}"
            console.print(f"{line}  {len(outcome.samples)} times", markup=False, soft_wrap=True)
        processor = self.scie.processor.median - self.direct.processor.median
        added = (
            f"The launcher adds {self.added * 1e3:.2f} ms of wall time, {processor * 1e3:.2f} ms of CPU time"
        )
        calls = "" if self.calls is None else f", and makes {self.calls} system calls before its execve"
        console.print(f"{added} (medians){calls}.", markup=False, soft_wrap=True)
        console.print(f"It becomes: {' '.join(self.execution.command)}", markup=False, soft_wrap=True)

    def as_json(self) -> dict[str, Any]:
        """Every sample; seconds."""
        return {
            "added": self.added,
            "calls": self.calls,
            "command": list(self.execution.command),
            **{
                outcome.name: [{"wall": s.wall, "processor": s.processor} for s in outcome.samples]
                for outcome in (self.scie, self.direct)
            },
        }


def measure(entrant: Entrant, sandbox: Sandbox, rounds: int, done: Callable[[], None]) -> WarmCost:
    """Takes turns between the scie `entrant` and what it becomes; calls `done` after each of the runs.

    Raises CzscieError where there is no /proc, and when a start fails.
    """
    scie = Start(entrant, sandbox, cold=False)
    scie.prepare()
    scie.run()
    execution = catch_execution(entrant.command, sandbox.environment, sandbox.directory)
    ours, direct = take_turns([scie, Exec(execution, sandbox)], rounds, done)
    return WarmCost(ours, direct, execution, count_calls(entrant.command, sandbox))


def catch_execution(command: tuple[str, ...], environment: Mapping[str, str], directory: Path) -> Execution:
    """What the program `command` becomes by its first execve, as /proc tells it (proc(5)).

    Raises CzscieError where there is no /proc, or when it is never seen between its execve and its end.
    """
    if not sys.platform.startswith("linux"):
        raise CzscieError(
            "what the launcher starts is only told by Linux",
            code=Code.PROGRAM_FAILED,
            why="there is no /proc",
        )
    for _ in range(_ATTEMPTS):
        process = subprocess.Popen(
            command,
            env=dict(environment),
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            execution = _watch(Path("/proc") / str(process.pid), Path(command[0]).resolve())
        finally:
            process.wait()
        if execution is not None:
            return execution
    raise CzscieError(f"{command[0]} was never seen as the program that it becomes", code=Code.PROGRAM_FAILED)


def _watch(process: Path, program: Path) -> Execution | None:
    """Waits until `process` runs another program than `program`; None when it ended before that was seen."""
    limit = time.monotonic() + 60
    seen = False
    while time.monotonic() < limit:
        try:
            running = (process / "exe").readlink()
            if seen and running != program:
                command = (process / "cmdline").read_bytes()
                environment = (process / "environ").read_bytes()
                return _parse(command, environment) if command and environment else None
        except OSError:  # a process that has ended has no executable
            return None
        seen = seen or running == program
    return None


def _parse(command: bytes, environment: bytes) -> Execution:
    """Both are texts that end with a NUL each."""
    variables = (os.fsdecode(each).partition("=") for each in environment.split(b"\0")[:-1])
    return Execution(
        tuple(os.fsdecode(each) for each in command.split(b"\0")[:-1]),
        {name: value for name, _, value in variables},
    )


def count_calls(command: tuple[str, ...], sandbox: Sandbox) -> int | None:
    """System calls of `command` between its own execve and the next one; None where there is no strace."""
    strace = shutil.which("strace")
    if strace is None:
        return None
    log = sandbox.directory / ".strace"
    done = subprocess.run(
        [strace, "-o", str(log), *command],
        env=dict(sandbox.environment),
        cwd=sandbox.directory,
        stdin=subprocess.DEVNULL,
        capture_output=True,
    )
    if done.returncode != 0:
        return None
    lines = log.read_text(errors="replace").splitlines()
    executions = [number for number, line in enumerate(lines) if line.startswith("execve(")]
    return executions[1] - executions[0] - 1 if len(executions) > 1 else None


def _figures(spread: Spread) -> str:
    return f"{spread.median * 1e3:.2f} ms ({spread.least * 1e3:.2f} to {spread.most * 1e3:.2f})"
