from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from bench.measure import Outcome, Sample
from bench.warm_cost import Execution, WarmCost, catch_execution, count_calls
from bench.workshop import Sandbox
from czscie.errors import CzscieError

linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")


@linux_only
def test_a_program_is_caught_with_the_arguments_and_the_environment_of_its_execve(tmp_path: Path) -> None:
    command = ("/bin/sh", "-c", "A=$'=' B='ü x' exec sleep 0.2")
    caught = catch_execution(command, {"PATH": "/usr/bin:/bin", "C": "1"}, tmp_path)
    assert caught.command == ("sleep", "0.2")
    assert caught.environment["B"] == "ü x"
    assert caught.environment["C"] == "1"


@linux_only
def test_a_program_that_becomes_no_other_is_told(tmp_path: Path) -> None:
    with pytest.raises(CzscieError, match="never seen as the program that it becomes"):
        catch_execution(("/bin/true",), {}, tmp_path)


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_the_calls_of_a_program_end_with_its_execve(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path)
    few = count_calls(("/bin/sh", "-c", "exec sleep 0"), sandbox)
    more = count_calls(("/bin/sh", "-c", "umask 1; umask 2; umask 3; exec sleep 0"), sandbox)
    assert few is not None
    assert more is not None
    assert more >= few + 3
    assert count_calls(("/bin/true",), sandbox) is None


def test_what_is_added_is_the_difference_of_the_medians() -> None:
    scie = Outcome("czscie", tuple(Sample(wall, 0.001, 1) for wall in (0.021, 0.024, 0.090)))
    direct = Outcome("exec", tuple(Sample(wall, 0.001, 1) for wall in (0.020, 0.023, 0.024)))
    cost = WarmCost(scie, direct, Execution(("python",), {}), 12)
    assert cost.added == pytest.approx(0.001)
    assert cost.as_json()["calls"] == 12
