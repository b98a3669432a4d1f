"""What several threads make is told in order, and ends together."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from contextlib import closing

import pytest

from czscie import turns
from czscie.console import Console
from czscie.errors import Code, CzscieError
from czscie.turns import in_turns

Maker = Callable[[Console], str]
#: Seconds after which a test fails: what it waits for never happens.
PATIENCE = 30


@pytest.fixture(autouse=True)
def _cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns.os, "cpu_count", lambda: 4)


def saying(name: str, after: threading.Event | None = None, then: threading.Event | None = None) -> Maker:
    """Says its name before and after it waited for `after`, and sets `then`."""

    def make(console: Console) -> str:
        with console.phase(f"Making {name}", f"Made {name}"):
            console.line(f"begin {name}")
            assert after is None or after.wait(PATIENCE)
        console.warn(f"end {name}")
        if then is not None:
            then.set()
        return name

    return make


def endless(began: threading.Event) -> Maker:
    """Counts until it is stopped."""

    def make(console: Console) -> str:
        with console.phase("Counting", "Counted") as phase:
            for number in range(10**9):
                phase.count(number, None, "modules")
                began.set()
        return "never"

    return make


def failing(error: BaseException, after: threading.Event) -> Maker:
    def make(console: Console) -> str:
        assert after.wait(PATIENCE)
        raise error

    return make


def test_lines_and_results_come_in_order_whatever_is_done_first() -> None:
    stream, done = io.StringIO(), threading.Event()
    makers = [saying("one", after=done), saying("two", then=done)]
    assert list(in_turns(Console(stream=stream, clock=lambda: 0.0), makers)) == ["one", "two"]
    assert stream.getvalue().splitlines() == [
        line
        for name in ("one", "two")
        for line in (f"begin {name}", f"Made {name} in 0 ms", f"warning: end {name}")
    ]


def test_on_one_core_they_run_one_after_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns.os, "cpu_count", lambda: 1)
    console, given = Console(silent=True), []
    assert list(in_turns(console, [lambda each: str(given.append(each))] * 2)) == ["None"] * 2
    assert given == [console] * 2


def test_no_more_than_four_run_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns.os, "cpu_count", lambda: 64)
    here, lock, most = 0, threading.Lock(), 0

    def make(console: Console) -> None:
        nonlocal here, most
        with lock:
            here += 1
            most = max(most, here)
        with lock:
            here -= 1

    list(in_turns(Console(silent=True), [make] * 50))
    assert most <= 4


@pytest.mark.parametrize("first", [True, False])
def test_the_error_of_one_stops_the_others_and_is_raised_once(first: bool) -> None:
    began = threading.Event()
    makers = [failing(CzscieError("no", code=Code.SYSTEM_REFUSES), began), endless(began)]
    with pytest.raises(CzscieError) as caught:
        list(in_turns(Console(silent=True), makers if first else makers[::-1]))
    assert caught.value.what == "no"


def test_several_errors_are_one() -> None:
    both = threading.Barrier(2, timeout=PATIENCE)

    def make(name: str) -> Maker:
        def fail(console: Console) -> str:
            both.wait()
            raise CzscieError(f"no {name}", code=Code.SYSTEM_REFUSES)

        return fail

    with pytest.raises(CzscieError) as caught:
        list(in_turns(Console(silent=True), [make("one"), make("two")]))
    assert (caught.value.what, caught.value.why) == (
        "2 problems keep the build from succeeding",
        ("no one [CZ508]", "no two [CZ508]"),
    )


def test_another_exception_comes_before_errors() -> None:
    began = threading.Event()
    began.set()
    with pytest.raises(KeyboardInterrupt):
        list(in_turns(Console(silent=True), [endless(began), failing(KeyboardInterrupt(), began)]))


def test_nothing_runs_any_more_once_it_is_closed() -> None:
    began = threading.Event()
    makers = [saying("one"), endless(began), endless(began)]
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt), closing(in_turns(Console(silent=True), makers)) as made:
        assert next(made) == "one"
        raise KeyboardInterrupt
    assert threading.active_count() == before
