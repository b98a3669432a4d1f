from __future__ import annotations

import io
import re

import pytest
from rich.console import Console as RichConsole

from czscie.console import Console
from czscie.progress import Progress


def console(terminal: bool) -> tuple[Console, io.StringIO]:
    stream, made = io.StringIO(), Console()
    made.errors = RichConsole(file=stream, force_terminal=terminal, width=80, markup=False)
    return made, stream


NAME = f"[bold]cpython-3.13.9+20251014-{'x' * 60}.tar.gz"


def transfer(made: Console) -> None:
    with Progress(made).transfers([(NAME, None)]) as begin, begin(NAME, None) as show:
        show(500_000, None)
        show(1_000_000, 2_000_000)
        Progress(made).line("the server sent nothing for 30 s: retrying in 1 s")


def test_elsewhere_than_on_a_terminal_there_are_quiet_lines() -> None:
    made, stream = console(terminal=False)
    transfer(made)
    retry = "the server sent nothing for 30 s: retrying in 1 s"
    assert stream.getvalue() == f"downloading {NAME}\n{retry}\n"


def test_on_a_terminal_there_is_a_bar_with_figures_and_as_much_of_the_name_as_there_is_room() -> None:
    made, stream = console(terminal=True)
    transfer(made)
    assert "1.0/2.0 MB" in stream.getvalue()
    assert "[bold]cpython-" in stream.getvalue()
    assert "…" in stream.getvalue()


def test_without_a_console_nothing_is_said(capfd: pytest.CaptureFixture[str]) -> None:
    def said(progress: Progress) -> str:
        with progress.transfers([("cpython.tar.gz", 2)]) as begin, begin("cpython.tar.gz", 2) as show:
            show(1, 2)
        with progress.work("cpython.tar.gz") as show:
            show(1, None)
        progress.line("a line")
        progress.warn("a warning")
        return "".join(capfd.readouterr())

    assert said(Progress()) == ""
    assert {"a line", "a warning"} <= set(re.findall("a line|a warning", said(Progress(Console()))))


def test_several_files_are_one_quiet_line() -> None:
    made, stream = console(terminal=False)
    with Progress(made).transfers([("a", None), ("b", 1)]) as begin, begin("a", None), begin("b", 1):
        pass
    assert stream.getvalue() == "downloading 2 files\n"


def test_several_files_have_a_bar_each_and_one_for_all_together() -> None:
    made, stream = console(terminal=True)
    with (
        Progress(made).transfers([("a", 2_000_000), ("b", 3_000_000)]) as begin,
        begin("a", 2_000_000) as show,
        begin("b", 3_000_000) as show_other,
    ):
        show(500_000, None)
        show(1_000_000, None)
        show_other(1_000_000, None)
    assert "2 files" in stream.getvalue()
    assert "2.0/5.0 MB" in stream.getvalue()
