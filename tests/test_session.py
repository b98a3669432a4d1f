from __future__ import annotations

from pathlib import Path

import pytest

from czscie.console import Console
from czscie.errors import CzscieError
from czscie.network.network import OFFLINE
from czscie.session import Session


def test_a_session_without_a_console_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    console = Session.of().console
    console.warn("a cow")
    with console.phase("Milking", "Milked"):
        console.results.print("moo")
    assert capsys.readouterr() == ("", "")


def test_a_console_of_the_caller_hears_every_line(capsys: pytest.CaptureFixture[str]) -> None:
    heard: list[str] = []

    class Heard(Console):
        def line(self, text: str) -> None:
            heard.append(text)

        def warn(self, text: str) -> None:
            heard.append(f"warning: {text}")

    console = Session.of(Heard(silent=True)).console
    console.warn("a cow")
    with console.phase("Milking", "Milked"):
        pass
    assert [line.partition(" in ")[0] for line in heard] == ["warning: a cow", "Milked"]
    assert capsys.readouterr() == ("", "")


def test_options_win_over_the_environment(tmp_path: Path) -> None:
    assert Session.of(offline=True, environ={}).network.offline
    assert Session.of(environ={OFFLINE: "1"}).network.offline
    with pytest.raises(CzscieError, match="was not written by czscie vendor"):
        Session.of(vendor=tmp_path)


def test_a_misspelt_vendor_directory_is_answered_with_the_nearest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("parcel").mkdir()
    with pytest.raises(CzscieError) as caught:
        Session.of(vendor=Path("parcell"))
    assert (caught.value.what, caught.value.hint) == (
        "there is no directory parcell",
        "did you mean parcel?",
    )
