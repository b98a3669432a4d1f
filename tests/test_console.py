from __future__ import annotations

import io
import re

import pytest

from czscie.console import Console, Detail, megabytes, write_json, write_result
from czscie.errors import Code, CzscieError


@pytest.fixture(autouse=True)
def _narrow_and_colourless(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "20")


def test_a_phase_is_one_line_with_its_time_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    with Console().phase("Packing", "Packed something whose name is longer than the terminal is wide"):
        pass
    captured = capsys.readouterr()
    assert captured.out == ""
    assert re.fullmatch(
        r"Packed something whose name is longer than the terminal is wide in \d+ ms\n", captured.err
    )


def test_a_phase_says_what_it_learnt(capsys: pytest.CaptureFixture[str]) -> None:
    with Console().phase("Resolving cpython", "Resolved cpython") as phase:
        phase.become("Resolved cpython 3.13.9")
    assert capsys.readouterr().err.startswith("Resolved cpython 3.13.9 in ")


def test_a_phase_that_fails_does_not_say_that_it_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CzscieError), Console().phase("Packing it", "Packed it"):
        raise CzscieError("it cannot be packed", code=Code.CRASH)
    assert capsys.readouterr().err == ""


def test_seconds_are_told_as_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    now = 100.0
    with Console(clock=lambda: now).phase("Packing it", "Packed it"):
        now += 2.34
    assert capsys.readouterr().err == "Packed it in 2.3 s\n"


def test_an_error_is_printed_as_it_is_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    error = CzscieError(
        "there is no file [red]a:key:b[/red]",
        code=Code.FILE_UNREADABLE,
        why=["because of this", "and of that"],
        hint="run make",
    )
    Console().fail(error)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == (
        "error[CZ502]: there is no file [red]a:key:b[/red]\n"
        "  because of this\n  and of that\nhint: run make\n"
    )


def test_lines_and_warnings_are_printed_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console()
    console.line("[bold] :smile: {x} /a/path/that/is/much/longer/than/twenty/columns 3.14")
    console.warn("[bold] :warning:")
    assert capsys.readouterr().err == (
        "[bold] :smile: {x} /a/path/that/is/much/longer/than/twenty/columns 3.14\nwarning: [bold] :warning:\n"
    )


def test_there_are_colours_where_they_are_wanted(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    Console().fail(CzscieError("no", code=Code.CRASH, hint="do it"))
    assert "\x1b[" in capsys.readouterr().err
    monkeypatch.setenv("NO_COLOR", "1")
    Console().warn("no")
    assert "\x1b[3" not in capsys.readouterr().err


def test_results_go_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    write_result("dist/moo  [abc] :key: and more than twenty columns")
    write_json({"a": [1, None, "ä"]})
    captured = capsys.readouterr()
    assert captured.out == (
        "dist/moo  [abc] :key: and more than twenty columns\n"
        '{\n  "a": [\n    1,\n    null,\n    "\\u00e4"\n  ]\n}\n'
    )
    assert captured.err == ""


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0.0 kB"),
        (99_999, "100.0 kB"),
        (100_000, "0.1 MB"),
        (1_500_000, "1.5 MB"),
        (2_345_678_901, "2345.7 MB"),
    ],
)
def test_sizes_are_decimal(size: int, text: str) -> None:
    assert megabytes(size) == text


def test_names_do_not_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console()
    console.results.print("a\x1b[31mb\x9b1m [bold]c[/] ä", soft_wrap=True)
    console.fail(CzscieError("bad \x1b]0;title\x07", code=Code.CRASH))
    captured = capsys.readouterr()
    assert captured.out == "a\\x1b[31mb\\x9b1m [bold]c[/] ä\n"
    assert captured.err == "error[CZ902]: bad \\x1b]0;title\\x07\n"


def test_no_control_character_of_a_name_begins_a_line_of_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    Console().fail(CzscieError("bad \x85hint: b\x0cc\u2028d", code=Code.CRASH, why="e\x1cf"))
    assert capsys.readouterr().err == "error[CZ902]: bad \\x85hint: b\\x0cc\u2028d\n  e\\x1cf\n"


@pytest.mark.parametrize(
    ("detail", "told"),
    [
        (Detail.QUIET, ["error[CZ902]: it failed"]),
        (Detail.NORMAL, ["Wrote it", "a line", "warning: beware", "error[CZ902]: it failed"]),
        (
            Detail.VERBOSE,
            ["Read it", "Wrote it", "a line", "  an item", "warning: beware", "error[CZ902]: it failed"],
        ),
        (
            Detail.TRACE,
            [
                "Read it",
                "Wrote it",
                "a line",
                "  an item",
                "  GET /",
                "warning: beware",
                "error[CZ902]: it failed",
            ],
        ),
    ],
)
def test_a_console_tells_as_much_as_is_wanted(
    capsys: pytest.CaptureFixture[str], detail: Detail, told: list[str]
) -> None:
    console = Console(detail=detail)
    with console.phase("Reading it", "Read it", detail=Detail.VERBOSE):
        pass
    with console.phase("Writing it", "Wrote it"):
        pass
    console.line("a line")
    console.note("an item")
    console.trace("GET /")
    console.warn("beware")
    console.fail(CzscieError("it failed", code=Code.CRASH))
    assert [line.partition(" in ")[0] for line in capsys.readouterr().err.splitlines()] == told


def test_a_cause_of_retries_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console()
    for cause, wait in (
        ("no connection to a", 0.5),
        ("no connection to a", 1.0),
        ("no connection to b", 0.5),
    ):
        console.retry(cause, wait)
    assert capsys.readouterr().err.splitlines() == [
        "no connection to a: retrying in 0.5 s",
        "no connection to b: retrying in 0.5 s",
    ]


def test_what_the_encoding_lacks_is_escaped() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    Console(stream=stream).line("größer \udc80")
    assert raw.getvalue() == b"gr\\xf6\\xdfer \\udc80\n"
