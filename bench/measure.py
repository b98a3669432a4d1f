"""How one start is measured, and how many are compared: by turns, with medians."""

from __future__ import annotations

import math
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from czscie.errors import Code, CzscieError

_STARTER = Path(__file__).with_name("starter.py")

#: What getrusage(2) counts memory in.
_MEMORY_UNIT = 1 if sys.platform == "darwin" else 1024

#: What takes longer is given up: a program that hangs must not stop the others.
START_SECONDS_MAX = 1800

#: How much of what a failed program said is told.
_LINES_TOLD = 5


@dataclass(frozen=True, slots=True)
class Sample:
    """One program from its start to its end, with the children that it waited for.

    `wall` and `processor` (user and system) are seconds; `memory` is the peak of its largest process in
    bytes, and never less than the ten megabytes or so of the process that started it.
    """

    wall: float
    processor: float
    memory: int


@dataclass(frozen=True, slots=True)
class Spread:
    """What is left of many figures."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, figures: Iterable[float]) -> Spread:
        """Raises ValueError when there are no figures."""
        ordered = sorted(figures)
        if not ordered:
            raise ValueError("there are no figures")
        return cls(statistics.median(ordered), ordered[0], ordered[-1])

    def ratio(self, other: Spread) -> float | None:
        """How many times the other's median this one's is; None when that is nothing."""
        return self.median / other.median if other.median else None


class Runner(Protocol):
    """What is started again and again."""

    @property
    def name(self) -> str: ...

    @property
    def times(self) -> int:
        """How often it is run in a turn."""
        ...

    def prepare(self) -> None:
        """What has to happen before every turn and is not measured."""

    def run(self) -> Sample:
        """Raises CzscieError or OSError when it does not run as it should."""
        ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a runner: samples of every round, or why there are none."""

    name: str
    samples: tuple[Sample, ...] = ()
    failure: str | None = None

    @property
    def wall(self) -> Spread:
        return Spread.of(sample.wall for sample in self.samples)

    @property
    def processor(self) -> Spread:
        return Spread.of(sample.processor for sample in self.samples)

    @property
    def memory(self) -> Spread:
        return Spread.of(sample.memory for sample in self.samples)


def take_turns(
    runners: Sequence[Runner],
    rounds: int,
    done: Callable[[], None] = lambda: None,
    seconds: float = math.inf,
) -> list[Outcome]:
    """Runs A B C, A B C …, `rounds` times after a round that is not counted; calls `done` after each turn.

    After `seconds` no further round is begun, but one is counted in any case. A runner that fails is told of
    in its outcome and takes no further part; the others go on.
    """
    end = time.monotonic() + seconds
    samples: list[list[Sample]] = [[] for _ in runners]
    failures: list[str | None] = [None] * len(runners)
    for number in range(rounds + 1):
        if number > 1 and time.monotonic() > end:
            break
        for index, runner in enumerate(runners):
            if failures[index] is None:
                try:
                    runner.prepare()
                    taken = [runner.run() for _ in range(runner.times)]
                except (CzscieError, OSError) as error:
                    failures[index] = str(error)
                else:
                    samples[index] += taken if number > 0 else []
            done()
    return [
        Outcome(runner.name, failure=failure) if failure is not None else Outcome(runner.name, tuple(taken))
        for runner, taken, failure in zip(runners, samples, failures, strict=True)
    ]


def start(
    command: Sequence[str],
    environment: Mapping[str, str],
    directory: Path,
    seconds: int = START_SECONDS_MAX,
) -> tuple[Sample, bytes]:
    """Runs `command` with this environment in `directory`, and returns what it took and what it printed.

    Raises CzscieError when it cannot be started, when it is killed because it did not end within `seconds`,
    or, with the last lines of its standard error, when its exit status is not 0.
    """
    report, output, errors = (directory / f".{name}" for name in ("report", "output", "errors"))
    starter = (sys.executable, "-I", "-S", str(_STARTER))
    done = subprocess.run(
        [*starter, str(seconds), str(report), str(output), str(errors), *command],
        env=dict(environment),
        cwd=directory,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise CzscieError(
            f"{command[0]} cannot be started",
            code=Code.PROGRAM_FAILED,
            why=done.stderr.strip().splitlines()[-1:],
        )
    status, wall, processor, memory = map(int, report.read_text().split())
    if wall >= seconds * 1e9:
        raise CzscieError(f"{Path(command[0]).name} did not end within {seconds} s", code=Code.PROGRAM_FAILED)
    if status != 0:
        said = errors.read_text(errors="replace").strip().splitlines()
        raise CzscieError(
            f"{Path(command[0]).name} ended with {status}", code=Code.PROGRAM_FAILED, why=said[-_LINES_TOLD:]
        )
    return Sample(wall / 1e9, processor / 1e9, memory * _MEMORY_UNIT), output.read_bytes()
