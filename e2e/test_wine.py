"""Windows executables start under wine: the first time, again, several at once, and after a kill."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from czscie.cache import cache_directory
from czscie.launchers.build import zig_build
from e2e.wine.application import Application
from e2e.wine.wine import Wine


@pytest.fixture
def cowsay(wine: Wine, windows_cowsay: Path, tmp_path: Path) -> Application:
    return Application(wine, windows_cowsay, tmp_path / "base")


def test_the_launchers_unit_tests_pass(wine: Wine, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in wine.environment().items():
        if name.startswith("WINE") or name == "DISPLAY":
            monkeypatch.setenv(name, value)
    options = ("-Dtarget=x86_64-windows-gnu", "-Doptimize=ReleaseSafe", "-fwine", "--summary", "all")
    done = zig_build("test", *options, cache=cache_directory("launchers"))
    assert done.returncode == 0, done.stderr
    assert "tests passed" in done.stderr or "skipped" in done.stderr


def test_it_installs_once_and_starts_again(cowsay: Application) -> None:
    assert "| moo |" in cowsay.run("-t", "moo").text
    installed = cowsay.installations()
    assert len(installed) == 2
    changed = {path: path.stat().st_mtime_ns for path in cowsay.base.rglob("*") if path.is_file()}
    assert "| moo |" in cowsay.run("-t", "moo").text
    assert cowsay.installations() == installed
    assert {path: path.stat().st_mtime_ns for path in cowsay.base.rglob("*") if path.is_file()} == changed


def test_several_first_starts_at_once_install_one_thing(cowsay: Application) -> None:
    started = [cowsay.start("-t", f"moo {number}") for number in range(3)]
    for number, each in enumerate(started):
        assert f"| moo {number} |" in each.wait().text
    installed = cowsay.installations()
    assert len(installed) == 2 and not any(name.endswith(".partial") for name in installed)


def test_a_start_after_a_kill_in_mid_unpack_installs_all(cowsay: Application) -> None:
    killed = cowsay.start("-t", "moo")
    patience = time.monotonic() + 60
    while not any(name.endswith(".partial") for name in cowsay.installations()):
        assert time.monotonic() < patience
        time.sleep(0.002)
    os.kill(killed.process.pid, signal.SIGKILL)
    killed.wait()
    assert any(name.endswith(".partial") for name in cowsay.installations())
    assert "| moo |" in cowsay.run("-t", "moo").text
    installed = cowsay.installations()
    assert len(installed) == 2 and not any(name.endswith(".partial") for name in installed)
