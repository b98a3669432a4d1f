from __future__ import annotations

import io
import re

import pytest

from czscie.console import Console
from czscie.progress import Progress
from terminal import Terminal

NAME = f"[bold]cpython-3.13.9+20251014-{'x' * 60}.tar.gz"


class Screen(io.StringIO):
    """Standard error that is an emulated terminal."""

    encoding = "utf-8"

    def __init__(self) -> None:
        super().__init__()
        self.terminal = Terminal()

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.terminal.feed(text.encode())
        return len(text)


@pytest.fixture(autouse=True)
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")


def drawn(stream: Screen) -> list[str]:
    """The screen as it is after a moment: the thread that draws has had its turn."""
    shown = [re.sub(r" +[\d.]+ s$", "", line) for screen in stream.terminal.screens for line in screen]
    return [re.sub(r"^. ", "", line) for line in shown]


def test_elsewhere_than_on_a_terminal_a_download_is_a_line() -> None:
    stream = io.StringIO()
    with Progress(Console(stream=stream)).transfers([(NAME, None)]) as begin, begin(NAME, None) as show:
        show(500_000, None)
        show(1_000_000, 2_000_000)
        Progress(Console(stream=stream)).retry("the server sent nothing for 30 s", 1)
    retry, downloaded = stream.getvalue().splitlines()
    assert retry == "the server sent nothing for 30 s: retrying in 1 s"
    assert downloaded.startswith(f"Downloaded {NAME} (1.0 MB) in ")


def test_on_a_terminal_there_is_a_bar_with_figures_and_as_much_of_the_name_as_there_is_room() -> None:
    stream = Screen()
    console = Console(stream=stream)
    with Progress(console).transfers([(NAME, 2_000_000)]) as begin, begin(NAME, 2_000_000) as show:
        show(1_000_000, 2_000_000)
        console.line("a line")
    name = "Downloading [bold]cpython-3.13.…"
    assert f"{name} ━━━━━━━━━━··········       1.0/2.0 MB" in drawn(stream)
    assert stream.terminal.screen[0] == "a line"
    assert len(stream.terminal.screen) == 3  # the line of the download is wrapped


def test_several_files_have_a_bar_each_and_one_for_all_together() -> None:
    stream = Screen()
    console = Console(stream=stream)
    with (
        Progress(console).transfers([("a", 2_000_000), ("b", 3_000_000)]) as begin,
        begin("a", 2_000_000) as show,
        begin("b", 3_000_000) as show_other,
    ):
        show(500_000, None)
        show(1_000_000, 2_000_000)
        show_other(1_000_000, 3_000_000)
        console.line("a line")
        [*rows] = stream.terminal.screen[1:]
    assert [(line.split()[1], " ".join(line.split()[-4:-2])) for line in rows] == [
        ("Downloading", "2.0/5.0 MB"),
        ("a", "1.0/2.0 MB"),
        ("b", "1.0/3.0 MB"),
    ]
    assert stream.terminal.screen[1].startswith("Downloaded 2 files (2.0 MB) in ")


def test_without_a_console_nothing_is_said(capfd: pytest.CaptureFixture[str]) -> None:
    def said(progress: Progress) -> str:
        with progress.transfers([("cpython.tar.gz", 2)]) as begin, begin("cpython.tar.gz", 2) as show:
            show(1, 2)
        progress.line("a line")
        progress.warn("a warning")
        return "".join(capfd.readouterr())

    assert said(Progress()) == ""
    assert {"a line", "a warning"} <= set(re.findall("a line|a warning", said(Progress(Console()))))
