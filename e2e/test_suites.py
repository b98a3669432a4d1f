"""The tool that runs the test suites of libraries twice."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from e2e.suites import (
    RECORDER,
    RECORDER_SOURCE,
    Run,
    Suite,
    compare,
    count_packed,
    read_table,
    read_trial,
    read_unittest,
    run_suite,
)

TESTS = """
import os, pytest, time

def test_passes(): pass
def test_asks(): assert "GIVEN" in os.environ
@pytest.mark.parametrize("text", ["a\\nb"])
def test_lines(text): pass
@pytest.mark.parametrize("path", [os.environ["HOME"] + "/a"])
def test_path(path): pass
@pytest.mark.skip
def test_skipped(): pass
@pytest.mark.xfail
def test_expected(): assert False
@pytest.fixture
def falling():
    yield
    assert False
def test_torn_down(falling): pass
def test_forgets(monkeypatch): monkeypatch.setattr(os, "environ", {})
"""


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    tests = tmp_path / "test_it.py"
    tests.write_text(TESTS)
    (tmp_path / "recorder").mkdir()
    (tmp_path / "recorder" / f"{RECORDER}.py").write_text(RECORDER_SOURCE)
    return Suite([], [str(tests), "--rootdir", str(tmp_path)])


def test_it_shows_what_differs_between_two_runs(suite: Suite, tmp_path: Path) -> None:
    variables = {"PYTHONPATH": str(tmp_path / "recorder")}
    plain = run_suite(suite, [sys.executable], tmp_path / "plain", 60, {**variables, "GIVEN": "1"})
    packed = run_suite(suite, [sys.executable], tmp_path / "packed", 60, variables)

    assert plain.ended and packed.ended
    assert plain.outcomes == {
        "'test_it.py::test_passes'": "passed",
        "'test_it.py::test_asks'": "passed",
        "'test_it.py::test_lines[a\\\\nb]'": "passed",
        "'test_it.py::test_path[{directory}/a]'": "passed",
        "'test_it.py::test_skipped'": "skipped",
        "'test_it.py::test_expected'": "xfailed",
        "'test_it.py::test_torn_down'": "failed",
        "'test_it.py::test_forgets'": "passed",
    }
    (difference,) = compare(suite, plain, packed)
    assert str(difference) == ("'test_it.py::test_asks': passed in the environment, failed in the executable")


def test_it_keeps_what_ended_in_time(suite: Suite, tmp_path: Path) -> None:
    path = tmp_path / "test_it.py"
    path.write_text(path.read_text() + "def test_never_ends(): time.sleep(100)\n")
    variables = {"PYTHONPATH": str(tmp_path / "recorder")}

    run = run_suite(suite, [sys.executable], tmp_path / "run", 5, variables)

    assert not run.ended
    assert "'test_it.py::test_passes'" in run.outcomes


def test_it_tells_a_run_that_broke_off_from_tests_that_fail(suite: Suite, tmp_path: Path) -> None:
    variables = {"PYTHONPATH": str(tmp_path / "recorder")}
    failing = run_suite(suite, [sys.executable], tmp_path / "failing", 60, variables)
    suite.tests.append("--no-such-option")
    broken = run_suite(suite, [sys.executable], tmp_path / "broken", 60, variables)

    assert failing.ended and not failing.broke_off
    assert broken.ended and broken.broke_off


def test_it_leaves_out_what_is_flaky_and_what_only_one_run_came_to() -> None:
    suite = Suite([], [], flaky=["*::test_sometimes"])
    plain = Run({"a::test_sometimes": "passed", "a::test_first": "passed", "a::test_last": "passed"}, "", 1)
    packed = Run({"a::test_sometimes": "failed", "a::test_first": "passed"}, "", None)

    assert compare(suite, plain, packed) == []


def test_it_counts_the_modules_that_are_no_files(tmp_path: Path) -> None:
    plain = tmp_path / "environment/lib/python3.13/site-packages"
    packed = tmp_path / "base/apps/a1b2/lib/python3.13/site-packages"
    for path in (plain / "a.py", plain / "b/__init__.py", plain / "b/c.py", packed / "b/__init__.py"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()

    assert count_packed(tmp_path / "environment", tmp_path / "base") == (2, 3)


def test_it_reads_what_trial_prints() -> None:
    printed = """\
twisted.python.test.test_url
  TestURL
    test_roundtrip ...                                                     [OK]
    test_other ...                                                       [FAIL]
  TestSecond
    test_roundtrip ...                                                [SKIPPED]
twisted.trial.test.test_log
  TestLog
    test_it ...                                                            [OK]

===============================================================================
[FAIL]
"""
    assert read_trial(printed) == {
        "twisted.python.test.test_url/TestURL/test_roundtrip": "OK",
        "twisted.python.test.test_url/TestURL/test_other": "FAIL",
        "twisted.python.test.test_url/TestSecond/test_roundtrip": "SKIPPED",
        "twisted.trial.test.test_log/TestLog/test_it": "OK",
    }


def test_it_reads_what_unittest_prints() -> None:
    printed = """\
test_one (app.tests.One.test_one) ... ok
test_two (app.tests.One.test_two)
What it is about. ... ERROR
test_three (app.tests.One.test_three) ... skipped 'no reason'
test_four (app.tests.One.test_four) ... expected failure
"""
    assert read_unittest(printed) == {
        "app.tests.One.test_one": "passed",
        "app.tests.One.test_two": "failed",
        "app.tests.One.test_three": "skipped",
        "app.tests.One.test_four": "xfailed",
    }


def test_the_table_has_a_suite_for_each_library_it_names() -> None:
    table = read_table()

    assert {"attrs", "jinja2", "werkzeug", "numpy", "django", "twisted"} <= {*table}
    for suite in table.values():
        assert suite.tests and suite.requires
