"""Medians, turns, and what becomes of a program that fails."""

from __future__ import annotations

import fcntl
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench.measure import Sample, Spread, start, take_turns
from czscie.errors import Code, CzscieError

SAMPLE = Sample(wall=1.0, processor=0.5, memory=1000)


@dataclass
class Runner:
    """Notes when it is prepared and run; `run_number` says what happens in that round, counted from 0."""

    name: str
    log: list[str]
    run_number: Callable[[int], Sample] = lambda number: SAMPLE
    runs: int = 0
    times: int = 1

    def prepare(self) -> None:
        self.log.append(f"prepare {self.name}")

    def run(self) -> Sample:
        self.log.append(f"run {self.name}")
        self.runs += 1
        return self.run_number(self.runs - 1)


def test_a_spread_is_the_median_between_its_extremes() -> None:
    assert Spread.of([5.0, 1.0, 2.0]) == Spread(2.0, 1.0, 5.0)
    assert Spread.of([4.0, 1.0, 2.0, 8.0]) == Spread(3.0, 1.0, 8.0)


def test_no_figures_have_no_spread() -> None:
    with pytest.raises(ValueError, match="no figures"):
        Spread.of([])


def test_a_ratio_is_that_of_the_medians() -> None:
    assert Spread(3.0, 1.0, 100.0).ratio(Spread(2.0, 0.1, 2.0)) == 1.5


def test_there_is_no_ratio_to_nothing() -> None:
    assert Spread(3.0, 1.0, 100.0).ratio(Spread(0.0, 0.0, 2.0)) is None


def test_runners_take_turns_and_are_prepared_before_each_run() -> None:
    log: list[str] = []
    take_turns([Runner("a", log), Runner("b", log)], 1)
    assert log == ["prepare a", "run a", "prepare b", "run b"] * 2


def test_a_turn_is_prepared_once_however_often_it_runs() -> None:
    log: list[str] = []
    cold, warm = take_turns([Runner("a", log), Runner("a", log, times=2)], 3)
    assert log[:5] == ["prepare a", "run a", "prepare a", "run a", "run a"]
    assert (len(cold.samples), len(warm.samples)) == (3, 6)


def test_when_the_time_is_over_no_round_begins_but_one_is_counted() -> None:
    (outcome,) = take_turns([Runner("a", [])], 10, seconds=0)
    assert len(outcome.samples) == 1


def test_the_first_round_is_not_counted() -> None:
    runner = Runner("a", [], lambda number: Sample(float(number), 0.0, 0))
    (outcome,) = take_turns([runner], 3)
    assert outcome.wall == Spread(2.0, 1.0, 3.0)


@pytest.mark.parametrize("error", [CzscieError("a broke", code=Code.PROGRAM_FAILED), OSError(28, "a broke")])
@pytest.mark.parametrize("round_number", [0, 1])
def test_a_runner_that_fails_is_told_of_and_does_not_stop_the_others(
    error: Exception, round_number: int
) -> None:
    def fail(number: int) -> Sample:
        if number == round_number:
            raise error
        return SAMPLE

    a, b = Runner("a", [], fail), Runner("b", [])
    done: list[None] = []
    failed, well = take_turns([a, b], 4, lambda: done.append(None))
    assert failed.failure is not None
    assert "a broke" in failed.failure
    assert failed.samples == ()
    assert a.runs == round_number + 1
    assert well.failure is None
    assert well.samples == (SAMPLE,) * 4
    assert len(done) == 2 * 5


def run(code: str, directory: Path) -> tuple[Sample, bytes]:
    return start([sys.executable, "-I", "-S", "-c", code], {}, directory)


def test_wall_time_is_that_of_the_whole_program(tmp_path: Path) -> None:
    sample, _ = run("import time; time.sleep(0.3)", tmp_path)
    assert sample.wall >= 0.3
    assert sample.processor < 0.3


def test_the_time_of_children_that_were_waited_for_counts(tmp_path: Path) -> None:
    busy = "import time\nwhile time.process_time() < 0.2: pass"
    sample, _ = run(f"import subprocess, sys; subprocess.run([sys.executable, '-c', {busy!r}])", tmp_path)
    assert sample.processor >= 0.2


def test_memory_is_the_peak_in_bytes(tmp_path: Path) -> None:
    sample, _ = run("block = bytearray(b'x') * 100_000_000; del block", tmp_path)
    assert 100_000_000 < sample.memory < 200_000_000


def test_what_a_program_prints_is_returned(tmp_path: Path) -> None:
    assert run("print('moo')", tmp_path)[1] == b"moo\n"


def test_the_environment_is_what_was_asked_for(tmp_path: Path) -> None:
    environment = {"HOME": "/nowhere", "LANG": "C.UTF-8"}
    _, printed = start(["/usr/bin/env"], environment, tmp_path)
    assert sorted(printed.splitlines()) == [b"HOME=/nowhere", b"LANG=C.UTF-8"]


def test_a_program_that_fails_is_told_of_with_what_it_said_last(tmp_path: Path) -> None:
    with pytest.raises(CzscieError, match="ended with 3") as caught:
        run("import sys; print('no cow here', file=sys.stderr); sys.exit(3)", tmp_path)
    assert caught.value.why == ("no cow here",)


def test_a_program_that_does_not_end_is_killed_with_its_children_and_told_of(tmp_path: Path) -> None:
    code = "import fcntl, os, time; file = open('lock', 'w'); fcntl.flock(file, fcntl.LOCK_EX)"
    code += "; os.fork(); time.sleep(60)"
    with pytest.raises(CzscieError, match="did not end within 1 s"):
        start([sys.executable, "-I", "-S", "-c", code], {}, tmp_path, seconds=1)
    waited = time.monotonic()
    with (tmp_path / "lock").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
    assert time.monotonic() - waited < 30


def test_a_program_that_is_not_there_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(CzscieError, match="missing cannot be started"):
        start([str(tmp_path / "missing")], {}, tmp_path)
