"""The man page: it has all commands, and mandoc finds nothing wrong with it."""

from __future__ import annotations

import datetime
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from czscie.cli import app
from release.manual import CHECKOUT, render

DATE = datetime.date(2026, 10, 21)


def shown(page: str, tmp_path: Path) -> str:
    path = tmp_path / "czscie.1"
    path.write_text(page, encoding="utf-8")
    done = subprocess.run(["mandoc", "-T", "utf8", "-O", "width=200", path], capture_output=True, check=True)
    # Bold characters are typed twice.
    return subprocess.run(["col", "-b"], input=done.stdout, capture_output=True, check=True).stdout.decode()


def test_the_page_has_each_command_and_variable() -> None:
    page = render(DATE)
    assert page.startswith('.TH CZSCIE 1 "2026-10-21" "czscie ')
    for command in app.registered_commands:
        assert command.callback is not None
        assert f'.SS "czscie {command.name or command.callback.__name__}"\n' in page
    assert '.SS "czscie cache prune"\n' in page
    assert r"\fBCZSCIE_PBS_URL\fR" in page
    assert r"\fB\-\-invert\-lazy ID\fR" in page


@pytest.mark.skipif(shutil.which("mandoc") is None, reason="mandoc is not installed")
def test_mandoc_finds_nothing_wrong(tmp_path: Path) -> None:
    path = tmp_path / "czscie.1"
    path.write_text(render(DATE), encoding="utf-8")
    done = subprocess.run(["mandoc", "-T", "lint", path], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.skipif(not (shutil.which("mandoc") and shutil.which("col")), reason="needs mandoc and col")
def test_backslashes_dots_and_code_are_shown_as_they_are(tmp_path: Path) -> None:
    text = shown(render(DATE), tmp_path)
    assert "czscie explain CODE explains it." in text
    assert "CZSCIE_AUTH_<HOST>_BEARER" in text
    assert "`" not in text
    assert "\\" not in text


def test_the_command_takes_the_date_from_the_environment() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "release.manual"],
        cwd=CHECKOUT,
        env={**os.environ, "SOURCE_DATE_EPOCH": "1792540800"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == render(datetime.datetime.fromtimestamp(1792540800, datetime.timezone.utc).date())
