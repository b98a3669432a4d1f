"""Windows executables start under wine: the first time, again, several at once, and after a kill."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from pathlib import Path

import pytest

from e2e.build import Builder, read_results
from e2e.wine.application import Application
from e2e.wine.wine import Wine, windows_path
from integration.native.zig_program import run_unit_tests


@pytest.fixture
def cowsay(wine: Wine, windows_cowsay: Path, tmp_path: Path) -> Application:
    return Application(wine, windows_cowsay, tmp_path / "base")


@pytest.mark.parametrize("source", ["main", "fetch"])
def test_the_launchers_unit_tests_pass(wine: Wine, source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in wine.environment().items():
        if name.startswith("WINE") or name == "DISPLAY":
            monkeypatch.setenv(name, value)
    options = ("-OReleaseSafe", "-fstrip", "--test-cmd", "wine", "--test-cmd-bin")
    done = run_unit_tests(source, "windows-x86_64", *options)
    assert done.returncode == 0, done.stderr
    assert re.search("tests passed|[1-9][0-9]* passed; [0-9]+ skipped; 0 failed", done.stderr), done.stderr


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


def test_all_tools_work(cowsay: Application, tmp_path: Path) -> None:
    program = windows_path(cowsay.executable)
    base = windows_path(cowsay.base)

    def tool(name: str, *arguments: str) -> str:
        return cowsay.run(*arguments, environment={"SCIE": name}).text

    assert "uninstall" in tool("help")
    assert "usable" in tool("doctor")
    assert "| moo |" in cowsay.run("-t", "moo").text
    assert "installed" in tool("doctor")
    assert json.loads(tool("inspect", "--json"))["scie"]["lift"]["platform"] == "windows-x86_64"
    assert "python.exe" in tool("list", "--text")
    assert json.loads(tool("sbom"))["bomFormat"] == "CycloneDX"
    assert tool("verify").endswith("no problems found\n")
    assert f"{base}: " in tool("cache")
    assert "0.0 MB removed" in tool("cache", "prune", "--older-than", "1")

    assert json.loads(tool("inspect"))["scie"]["lift"]["platform"] == "windows-x86_64"
    assert tool("list") == "cowsay\n"
    links = cowsay.start("--symlink", windows_path(tmp_path), environment={"SCIE": "install"}).wait()
    assert (links.status, "--symlink is not available on Windows" in links.message) == (1, True)

    split = tmp_path / "split"
    tool("split", windows_path(split))
    assert {"launcher.exe", "cpython.zip", "payload.zip", "lift.json"} <= {
        path.name for path in split.iterdir()
    }

    permanent = tmp_path / "permanent"
    tool("install", windows_path(permanent))
    installed = Application(cowsay.wine, permanent / "bin/cowsay.exe", tmp_path / "unused")
    assert "| moo |" in installed.run("-t", "moo").text
    assert not installed.base.exists()

    assert tool("uninstall").count("removed ") == 2
    assert cowsay.installations() == set()
    assert program in cowsay.run(environment={"SCIE": "verify"}).text


def test_damage_of_the_file_and_of_the_installation_is_told(cowsay: Application, tmp_path: Path) -> None:
    assert "| moo |" in cowsay.run("-t", "moo").text
    (program,) = cowsay.base.glob("interpreters/*/python313.dll")
    content = program.read_bytes()
    program.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    told = cowsay.run(environment={"SCIE": "verify"})
    assert told.status == 1
    assert b"python313.dll" in told.stdout

    damaged = bytearray(cowsay.executable.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    (tmp_path / "damaged.exe").write_bytes(damaged)
    other = Application(cowsay.wine, tmp_path / "damaged.exe", tmp_path / "other")
    refused = other.run("-t", "moo")
    assert refused.status == 1
    assert "is damaged" in refused.message and "hint: copy or download the file again" in refused.message
    assert not other.installations()


def test_what_is_gone_is_put_back(cowsay: Application) -> None:
    assert "| moo |" in cowsay.run("-t", "moo").text
    (program,) = cowsay.base.glob("apps/*/Scripts/python.exe")
    program.unlink()
    assert "| moo |" in cowsay.run("-t", "moo").text


def test_what_dead_processes_left_is_swept(cowsay: Application) -> None:
    assert "| moo |" in cowsay.run("-t", "moo").text
    (application,) = (cowsay.base / "apps").iterdir()
    left = application.with_name("0" * len(application.name) + ".partial")
    application.rename(left)
    assert "| moo |" in cowsay.run("-t", "moo").text
    assert application.exists() and not left.exists()


BINDING = """\
[lift]
name = "bound"
platforms = ["windows-x86_64"]

[[lift.files]]
name = "make.bat"

[[lift.commands]]
exe = 'C:\\windows\\system32\\cmd.exe'
args = ["/c", "echo", "{scie.bindings.make:DIRECTORY}"]

[[lift.bindings]]
name = "make"
exe = 'C:\\windows\\system32\\cmd.exe'
args = ["/c", "{make.bat}"]
"""

MAKE = """\
@echo off
echo ran>> %RUNS%
mkdir %MADE%
echo [{"key": "DIRECTORY", "value": "%AS_JSON%", "brake": "dir"}]> %SCIE_BINDING_JSON%
"""


def test_a_binding_runs_again_only_if_the_path_of_its_brake_is_gone(
    wine: Wine, builder: Builder, tmp_path: Path
) -> None:
    (tmp_path / "lift.toml").write_text(BINDING)
    (tmp_path / "make.bat").write_text(MAKE.replace("\n", "\r\n"))
    done = builder.run("lift.toml", directory=tmp_path)
    assert done.returncode == 0, done.stderr
    [result] = read_results(done.stdout)
    application = Application(wine, tmp_path / result.path, tmp_path / "base")
    made, runs = tmp_path / "made", tmp_path / "runs"
    told = windows_path(made).replace("\\", "/")
    environment = {"RUNS": windows_path(runs), "MADE": windows_path(made), "AS_JSON": told}
    for _ in range(2):
        assert application.run(environment=environment).text == f"{told}\n"
    assert runs.read_text().split() == ["ran"]
    made.rmdir()
    assert application.run(environment=environment).text == f"{told}\n"
    assert made.is_dir()
    assert runs.read_text().split() == ["ran", "ran"]
    listed = json.loads(application.run("--json", environment={"SCIE": "cache"}).text)
    assert "boot" in [item["kind"] for item in listed["items"]]
    pruned = application.run("prune", "--max-size", "0", "--json", environment={"SCIE": "cache"})
    assert "boot" in [item["kind"] for item in json.loads(pruned.text)["removed"]]
    assert not list((application.base / "boot").iterdir())
