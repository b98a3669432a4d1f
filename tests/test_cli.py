from __future__ import annotations

import hashlib
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

import czscie
from czscie.container.manifest import Command
from czscie.errors import CzscieError
from czscie.filesystem import write_atomically
from scie.factories import Tree, part, scie

SOURCE = Path(czscie.__file__).parents[1]


def run(
    *arguments: str | bytes | Path,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    python: tuple[str, ...] = (),
) -> subprocess.CompletedProcess[bytes]:
    """Runs the command line in a process of its own."""
    inherited = {name: value for name, value in os.environ.items() if name != "FORCE_COLOR"}
    return subprocess.run(
        [sys.executable, *python, "-m", "czscie", *arguments],
        cwd=cwd,
        env={**inherited, "PYTHONPATH": str(SOURCE), "COLUMNS": "120", **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
    )


@pytest.fixture
def moo(tmp_path: Path) -> Path:
    launcher = tmp_path / "launcher"
    launcher.write_bytes(b"launcher")
    parts = [part(tmp_path, "cpython", Tree({"a": b"aaa"}))]
    scie(tmp_path / "moo", launcher, parts, {"": Command(exe="{cpython}/a")})
    return tmp_path / "moo"


@pytest.mark.parametrize("arguments", [("--help",), ("build", "--help"), ("inspect", "-h")])
def test_help_imports_nothing_heavy(arguments: tuple[str, ...]) -> None:
    done = run(*arguments, python=("-X", "importtime"))
    imported = {line.rpartition(b"|")[2].strip().decode() for line in done.stderr.splitlines()}
    assert done.returncode == 0
    assert b"Usage: " in done.stdout
    assert "czscie.cli" in imported
    heavy = {"httpx", "zstandard", "pex", "packaging", "msgspec", "asyncio", "cyclonedx"}
    assert {name for name in imported if name.partition(".")[0] in heavy} == set()


def test_help_names_every_command() -> None:
    done = run("--help")
    assert b"build" in done.stdout and b"inspect" in done.stdout
    assert done.stderr == b""


def test_completion_is_a_command_and_no_option() -> None:
    assert b"-completion" not in run("--help").stdout


def test_no_arguments_are_answered_with_the_help() -> None:
    done = run()
    assert b"Usage: " in done.stdout + done.stderr
    assert b"Traceback" not in done.stderr


def test_the_version_is_told() -> None:
    for option in ("--version", "-V"):
        done = run(option)
        assert (done.returncode, done.stdout) == (0, f"czscie {czscie.__version__}\n".encode())


def test_an_error_is_a_message_and_exit_status_1(tmp_path: Path) -> None:
    done = run("build", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode() == (
        "error[CZ003]: there is no lift.toml in this directory\n"
        "hint: czscie build app.pex, or a directory with a pyproject.toml\n"
    )


def test_an_unknown_platform_is_told_before_anything_is_read(tmp_path: Path) -> None:
    done = run("build", "--platform", "linux-x8664", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(b"error[CZ006]: there is no platform called 'linux-x8664'\n")
    assert done.stderr.endswith(b"hint: did you mean 'linux-x86_64'?\n")


def test_a_dockerfile_for_a_platform_that_the_manifest_lacks_is_refused(tmp_path: Path) -> None:
    (tmp_path / "lift.toml").write_text(
        '[lift]\nname = "moo"\nplatforms = ["linux-x86_64"]\n[lift.payload]\npex = "moo.pex"\n'
        '[[lift.interpreters]]\nid = "cpython"\nprovider = "PythonBuildStandalone"\nversion = "3.13"\n'
    )
    done = run("image", "--print-dockerfile", "--platform", "linux-aarch64", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"lift.toml is not for linux-aarch64\n" in done.stderr
    assert run("image", "--print-dockerfile", cwd=tmp_path).stdout.startswith(b"# Copies from dist")


def test_all_problems_of_a_manifest_are_told_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "lift.toml").write_text('[lift]\nname = 3\nplatfroms = ["linux-x86_64"]\n')
    done = run("build", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(b"error[CZ002]: ")
    assert b"lift.name" in done.stderr and b"lift.platfroms" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_wrong_option_is_exit_status_2(tmp_path: Path) -> None:
    done = run("build", "--no-such-option", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, b"")


def test_inspect_prints_a_table_on_standard_output(moo: Path) -> None:
    done = run("inspect", moo)
    assert (done.returncode, done.stderr) == (0, b"")
    assert str(moo) in done.stdout.decode()
    assert b"interpreter cpython" in done.stdout


def test_inspect_prints_json_and_nothing_else(moo: Path) -> None:
    done = run("inspect", "--json", moo)
    assert (done.returncode, done.stderr) == (0, b"")
    document = json.loads(done.stdout)
    assert document["sha256"] == hashlib.sha256(moo.read_bytes()).hexdigest()
    assert document["manifest"]["scie"]["lift"]["name"] == "moo"


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_inspect_of_something_else_is_an_error(tmp_path: Path, options: tuple[str, ...]) -> None:
    path = tmp_path / "script"
    path.write_text("#!/bin/sh\n")
    done = run("inspect", *options, path)
    assert done.returncode == 1
    if options:
        assert json.loads(done.stdout) == {
            "error": {
                "code": "CZ601",
                "what": f"{path} is not a scie",
                "why": ["its last line is not a scie's manifest"],
                "hint": None,
            }
        }
    else:
        assert done.stdout == b""
    assert done.stderr.decode() == (
        f"error[CZ601]: {path} is not a scie\n  its last line is not a scie's manifest\n"
    )


def test_inspect_of_a_damaged_file_is_an_error(moo: Path) -> None:
    moo.write_bytes(moo.read_bytes().replace(b"PK\1\2", b"\0\0\0\0"))
    done = run("inspect", moo)
    assert (done.returncode, done.stdout) == (1, b"")
    assert b" is damaged\n" in done.stderr
    assert b"Traceback" not in done.stderr


def test_inspect_of_nothing_is_an_error(tmp_path: Path) -> None:
    done = run("inspect", "none", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr == b"error[CZ502]: cannot read none\n  No such file or directory\n"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has file names of any bytes")
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_names_of_any_bytes_are_printed(moo: Path, options: tuple[str, ...]) -> None:
    name = os.fsencode(moo.parent) + b"/m\xff\xfeo"
    moo.rename(os.fsdecode(name))
    done = run("inspect", *options, name, environment={"PYTHONIOENCODING": "utf-8:strict"})
    assert (done.returncode, done.stderr) == (0, b"")
    assert options or name in done.stdout


@pytest.mark.parametrize("code", ["1/0", "open('/no/such/file')", "raise KeyboardInterrupt"])
def test_whatever_goes_wrong_there_is_no_traceback(code: str) -> None:
    script = f"import czscie.cli as c, typer\n@c.app.command()\ndef fail() -> None: {code}\nc.main()"
    done = subprocess.run(
        [sys.executable, "-c", script, "fail"],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    expected = {
        "1/0": (
            1,
            "error[CZ902]: czscie crashed: ZeroDivisionError: division by zero\n"
            "hint: run it again with CZSCIE_TRACEBACK=1 and report the output\n",
        ),
        "open('/no/such/file')": (1, "error[CZ508]: /no/such/file: No such file or directory\n"),
        "raise KeyboardInterrupt": (130, ""),
    }
    assert "Traceback" not in done.stderr
    assert done.returncode == expected[code][0]
    assert done.stderr.replace("Aborted.\n", "").strip() == expected[code][1].strip()


def test_a_traceback_is_shown_to_whoever_asks(tmp_path: Path) -> None:
    done = run("build", cwd=tmp_path, environment={"CZSCIE_TRACEBACK": "1"})
    assert done.returncode == 1
    assert done.stderr.startswith(b"Traceback (most recent call last):\n")


def test_colours_are_for_terminals(tmp_path: Path) -> None:
    assert b"\x1b" not in run("build", cwd=tmp_path).stderr
    forced = run("build", cwd=tmp_path, environment={"FORCE_COLOR": "1"})
    assert b"\x1b[" in forced.stderr


def test_a_reader_that_has_enough_is_no_error(moo: Path) -> None:
    """`czscie inspect --json moo | head -1`"""
    process = subprocess.Popen(
        [sys.executable, "-m", "czscie", "inspect", "--json", moo],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert b"Traceback" not in process.stderr.read()
    process.stderr.close()
    process.wait()


def test_verify_prints_what_is_wrong_and_fails(moo: Path) -> None:
    done = run("verify", moo)
    assert (done.returncode, done.stderr, done.stdout) == (
        0,
        b"",
        f"{moo}: 2 entries, all intact\n".encode(),
    )
    moo.write_bytes(moo.read_bytes().replace(b"launcher", b"Launcher"))
    done = run("verify", moo)
    assert done.returncode == 1
    assert done.stderr.decode().splitlines() == [
        f"error[CZ602]: {moo} was changed after it was built",
        "  launcher: launcher: it changed after it was built",
        "hint: copy or download the file again",
    ]
    done = run("verify", "--json", moo)
    assert (done.returncode, json.loads(done.stdout)["ok"]) == (1, False)


def test_sbom_prints_the_bill_of_materials_or_says_that_there_is_none(tmp_path: Path, moo: Path) -> None:
    done = run("sbom", moo)
    assert done.returncode == 1
    assert b"was built without a bill of materials" in done.stderr
    parts = [part(tmp_path, "cpython", Tree({"a": b"aaa"}))]
    text = b'{"name": "\xf0\x9f\x90\x84"}\n'
    scie(tmp_path / "bill", tmp_path / "launcher", parts, {"": Command(exe="{cpython}/a")}, sbom=text)
    done = run("sbom", tmp_path / "bill")
    assert (done.returncode, done.stdout, done.stderr) == (0, text, b"")


def test_a_closed_standard_output_is_nowhere(moo: Path) -> None:
    for command in ("inspect", "inspect --json", "verify", "verify --json", "--version"):
        file = "" if command == "--version" else shlex.quote(str(moo))
        done = subprocess.run(
            ["sh", "-c", f"exec {shlex.quote(sys.executable)} -m czscie {command} {file} <&- >&-"],
            env={**os.environ, "PYTHONPATH": str(SOURCE)},
            capture_output=True,
            timeout=120,
        )
        assert (done.returncode, done.stderr) == (0, b""), command


@pytest.mark.skipif(os.name == "nt", reason="there are no FIFOs")
@pytest.mark.parametrize("command", ["inspect", "verify", "sbom", "inject", "eject", "init"])
def test_a_pipe_in_place_of_a_file_is_not_waited_for(tmp_path: Path, command: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    done = run(command, "pipe", cwd=tmp_path)
    assert done.returncode == 1
    assert b"regular file" in done.stderr


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there is no file without end")
@pytest.mark.parametrize("arguments", [("build", "/dev/zero"), ("verify", "moo", "--lock", "/dev/zero")])
def test_a_document_without_end_is_an_error(moo: Path, arguments: tuple[str, ...]) -> None:
    done = run(*arguments, cwd=moo.parent)
    assert done.returncode == 1
    assert b"it is larger than 256 MiB" in done.stderr


#: More than a buffer holds, as a bill of materials has.
_MUCH = """\
import czscie.cli as c
from czscie.console import write_result
@c.app.command()
def much() -> None: write_result("a" * 100_000)
c.main()
"""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is full")
@pytest.mark.parametrize("arguments", ["--version", "--help", "cache dir", "much"])
def test_a_standard_output_that_is_full_is_named(arguments: str) -> None:
    command = ["-c", _MUCH, "much"] if arguments == "much" else ["-m", "czscie", *arguments.split()]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, *command],
            env={**os.environ, "PYTHONPATH": str(SOURCE)},
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
        )
    assert (done.returncode, done.stderr) == (
        1,
        "error[CZ503]: cannot write to standard output\n"
        "  No space left on device\n"
        "hint: free some space there, or redirect it to another file system\n",
    )


@pytest.mark.parametrize("directory", ["/proc", "long"])
def test_an_output_that_cannot_be_made_is_named(tmp_path: Path, directory: str) -> None:
    if directory == "/proc" and sys.platform != "linux":
        pytest.skip("there is no /proc")
    output = Path(directory, "x") if directory == "/proc" else tmp_path / ("x" * 250)
    with pytest.raises(CzscieError) as caught:
        write_atomically(output, lambda stream: stream.write(b"x"))
    assert caught.value.what == f"cannot write {output}"
    assert f".{output.name}." not in str(caught.value)


@pytest.mark.skipif(sys.platform != "linux", reason="its working directory cannot be removed")
@pytest.mark.parametrize("command", ["build", "inspect", "init", "lock"])
def test_a_working_directory_that_is_gone_is_told(tmp_path: Path, command: str) -> None:
    (tmp_path / "lift.toml").write_text(
        '[lift]\nname = "x"\nplatforms = ["linux-x86_64"]\n[[lift.interpreters]]\n'
        'id = "cpython"\nprovider = "Host"\n[[lift.commands]]\nexe = "{cpython}/bin/python"\n'
    )
    # A lock of absolute paths needs the working directory only if it has to ask the CPython of this machine.
    file = {"inspect": "moo", "init": "", "lock": "lift.toml"}.get(
        command, shlex.quote(str(tmp_path / "lift.toml"))
    )
    gone = tmp_path / "gone"
    gone.mkdir()
    done = subprocess.run(
        [
            "sh",
            "-c",
            f"rmdir {shlex.quote(str(gone))}; {shlex.quote(sys.executable)} -m czscie {command} {file}",
        ],
        cwd=gone,
        env={**os.environ, "PYTHONPATH": str(SOURCE), "CZSCIE_OFFLINE": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 1
    assert "the working directory was removed" in done.stderr
