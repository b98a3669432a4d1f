from __future__ import annotations

import io

import pytest

from czscie.live import BYTES, Live, Log, fitted, has_colours, is_terminal
from terminal import Terminal


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Stream(io.StringIO):
    """A stream of an emulated terminal."""

    encoding = "utf-8"

    def __init__(self, columns: int = 80, lines: int = 24) -> None:
        super().__init__()
        self.terminal = Terminal(columns, lines)
        self.size = columns, lines

    def write(self, text: str) -> int:
        self.terminal.feed(text.encode())
        return super().write(text)


def live(stream: Stream, clock: Clock, *, colour: bool = False) -> Live:
    return Live(stream, colour=colour, clock=clock, size=lambda: stream.size, ticks=False)


@pytest.mark.parametrize(
    ("columns", "shown"),
    [
        (
            80,
            [
                "⠋ Packing cpython 3.13.9+20260101 x86_64-unknown-linux…  312/534 modules   12 s",
                "⠋ cpython-3.13.9+20260101-x86_64-… ━━━━━━━━━━··········     10.0/20.0 MB   12 s",
                "⠋ Resolving the payload                                                    12 s",
            ],
        ),
        (
            50,
            [
                "⠋ Packing cpython 3.13.9…  312/534 modules   12 s",
                "⠋ cpython-3.13.9+2026010…     10.0/20.0 MB   12 s",
                "⠋ Resolving the payload                      12 s",
            ],
        ),
        (20, ["⠋ Packing c…   12 s", "⠋ cpython-3…   12 s", "⠋ Resolving…   12 s"]),
    ],
)
def test_rows_fit_the_terminal(columns: int, shown: list[str]) -> None:
    clock, stream = Clock(), Stream(columns)
    rows = live(stream, clock)
    rows.add("Packing cpython 3.13.9+20260101 x86_64-unknown-linux-gnu").count(312, 534, "modules")
    name = "cpython-3.13.9+20260101-x86_64-unknown-linux-gnu.tar.gz"
    rows.add(name, has_bar=True).count(10_000_000, 20_000_000, BYTES)
    rows.add("Resolving the payload")
    clock.now = 112.0
    rows.draw()
    assert stream.terminal.screen == shown


@pytest.mark.parametrize("columns", [80, 50])
def test_figures_stay_in_their_columns_while_they_grow(columns: int) -> None:
    clock, stream = Clock(), Stream(columns)
    rows = live(stream, clock)
    row = rows.add("Downloading 5 files", has_bar=True)
    ends = set()
    for step in range(0, 4_000, 7):
        clock.now = 100 + step / 10
        row.count(step * 100_000, 400_000_000, BYTES)
        rows.draw()
        [line] = stream.terminal.screen
        ends.add((len(line), line.index(" MB"), line.index("Downloading")))
    assert len(ends) == 1


def test_a_row_that_is_done_leaves_no_trace() -> None:
    clock, stream = Clock(), Stream()
    rows = live(stream, clock)
    first, second = rows.add("first"), rows.add("second")
    rows.remove(first)
    assert [line.split()[1] for line in stream.terminal.screen] == ["second"]
    rows.print(lambda: stream.write("above\n"))
    assert [line.split()[-3:][0] for line in stream.terminal.screen] == ["above", "second"]
    rows.remove(second)
    assert stream.terminal.screen == ["above"]
    stream.write("next\n")
    assert stream.terminal.screen == ["above", "next"]


def test_rows_and_lines_scroll_at_the_bottom_of_the_screen() -> None:
    clock, stream = Clock(), Stream(40, 6)
    rows = live(stream, clock)
    row = rows.add("working")
    for number in range(10):
        rows.print(lambda number=number: stream.write(f"line {number}\n"))  # type: ignore[misc]
    assert stream.terminal.screen[:5] == [f"line {number}" for number in range(5, 10)]
    rows.remove(row)
    assert stream.terminal.screen == [f"line {number}" for number in range(5, 10)]


def test_more_rows_than_lines_are_counted() -> None:
    clock, stream = Clock(), Stream(40, 4)
    rows = live(stream, clock)
    for number in range(6):
        rows.add(f"row {number}")
    assert [" ".join(line.split()[1:3]) for line in stream.terminal.screen] == ["row 0", "row 1", "4 more"]


def test_a_command_has_a_row_while_nothing_else_does() -> None:
    clock, stream = Clock(), Stream()
    rows = live(stream, clock)
    rows.open("Building moo")
    assert stream.terminal.screen[0].startswith("⠋ Building moo")
    row = rows.add("Packing moo")
    assert [line.split()[1] for line in stream.terminal.screen] == ["Packing"]
    rows.remove(row)
    assert [line.split()[1] for line in stream.terminal.screen] == ["Building"]
    rows.close()
    assert stream.terminal.screen == []


def test_colours_are_only_written_where_they_are_wanted() -> None:
    clock, plain, coloured = Clock(), Stream(), Stream()
    for stream, colour in ((plain, False), (coloured, True)):
        rows = live(stream, clock, colour=colour)
        rows.add("Packing")
    assert plain.terminal.screen == coloured.terminal.screen
    assert (plain.terminal.colours, coloured.terminal.colours) == (set(), {"cyan"})


def test_names_neither_steer_the_terminal_nor_break_the_row() -> None:
    clock, stream = Clock(), Stream(40)
    live(stream, clock).add("bad \x1b[2J\nname")
    assert stream.terminal.screen == [r"⠋ bad \x1b[2J name                0.0 s"]


@pytest.mark.parametrize(
    ("text", "columns", "shown"),
    [
        ("abc", 5, "abc  "),
        ("abcde", 5, "abcde"),
        ("abcdef", 5, "abcd…"),
        ("日本語", 6, "日本語"),
        ("日本語", 5, "日本…"),
        ("日本語", 4, "日… "),
        ("é" * 3, 3, "é" * 3),
        ("abc", 0, ""),
    ],
)
def test_text_is_cut_by_columns(text: str, columns: int, shown: str) -> None:
    assert fitted(text, columns) == shown


def test_a_stream_that_is_gone_is_left_alone() -> None:
    stream = Stream()
    rows = live(stream, Clock())
    stream.close()
    row = rows.add("working")
    rows.draw()
    rows.remove(row)
    rows.close()


def test_elsewhere_a_line_is_told_after_ten_seconds_of_silence() -> None:
    clock, told = Clock(), list[str]()
    rows = Log(told.append, clock=clock, ticks=False)
    row = rows.add("Packing cpython")
    for _ in range(250):
        clock.now += 0.1
        row.count(int(clock.now), 534, "modules")
        rows.tick()
    assert told == [
        "Packing cpython: 10 s, 110/534 modules",
        "Packing cpython: 20 s, 120/534 modules",
    ]
    rows.print(lambda: told.append("a line"))
    clock.now += 9
    rows.tick()
    rows.remove(row)
    clock.now += 90
    rows.tick()
    assert told[2:] == ["a line"]


def test_terminals_and_colours_are_what_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    class Screen(io.StringIO):
        def isatty(self) -> bool:
            return True

    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert is_terminal(Screen()) and has_colours(Screen())
    assert not is_terminal(io.StringIO()) and not has_colours(io.StringIO())
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert has_colours(io.StringIO())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not has_colours(Screen())
    monkeypatch.setenv("TERM", "dumb")
    assert not is_terminal(Screen())
