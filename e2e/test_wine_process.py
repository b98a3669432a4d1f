"""What a program finds in an executable on Windows: its arguments, handles, exit code and children."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from e2e.build import Builder
from e2e.pexes import PROJECTS
from e2e.wine.application import Application, build
from e2e.wine.wine import PROGRAM, Wine, windows_path


@pytest.fixture(scope="module")
def executable(windows_builder: Builder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    script = PROJECTS / "visitor/visitor.py"
    return build(windows_builder, "visitor", f'script = "{script}"', tmp_path_factory.mktemp("visitor"))


@pytest.fixture(scope="module")
def visitor(wine: Wine, executable: Path, tmp_path_factory: pytest.TempPathFactory) -> Application:
    return Application(wine, executable, tmp_path_factory.mktemp("base"))


def show(visitor: Application, *arguments: str, **options: Any) -> dict[str, Any]:
    view: dict[str, Any] = json.loads(visitor.run("show", *arguments, **options).text)
    return view


def test_it_runs_in_its_virtual_environment(visitor: Application) -> None:
    view = show(visitor)
    base = windows_path(visitor.base)
    assert view["prefix"].startswith(f"{base}\\apps\\")
    assert view["executable"] == rf"{view['prefix']}\Scripts\python.exe"
    assert view["base_prefix"].startswith(f"{base}\\interpreters\\")
    assert "/" not in "".join(view["path"])
    environment = view["environment"]
    assert environment["SCIE"] == environment["PEX"] == windows_path(visitor.executable)
    assert view["argv"] == [view["file"], "show"]  # a script, as if it were started by its name


@pytest.mark.parametrize(
    "argument",
    [
        *(
            "",
            " ",
            "a b",
            '"',
            'say "moo"',
            "\\",
            "a\\",
            "a b\\",
            "\\\\",
            '\\"',
            'a\\\\" b',
            "é日本",
            "\U0001f404",
        ),
        *("%PATH%", "^&|<>", "*", "--", "{scie}", "tab\there", "line\nbreak", "'single'"),
    ],
)
def test_arguments_arrive_as_they_were(visitor: Application, argument: str) -> None:
    assert show(visitor, argument, "after", argument)["argv"][1:] == ["show", argument, "after", argument]


def test_the_environment_arrives(visitor: Application) -> None:
    environment = show(visitor, environment={"MOO": "é日本 x", "EMPTY_NOT": "="})["environment"]
    assert environment["MOO"] == "é日本 x"
    assert environment["EMPTY_NOT"] == "="


@pytest.mark.parametrize("code", [0, 1, 42, 255])
def test_the_exit_code_is_the_applications(visitor: Application, code: int) -> None:
    assert visitor.run("leave", str(code)).status == code


def test_an_exit_code_of_32_bits_arrives(visitor: Application) -> None:
    program = windows_path(visitor.executable)
    done = visitor.wine.start(
        Path(visitor.wine.prefix / "drive_c/windows/system32/cmd.exe"),
        *("/v:on", "/c", f"{program} abort & echo !errorlevel!"),
        environment=visitor.environment(),
    ).wait()
    assert done.stdout.split()[-1] == b"-1073741510"


def test_standard_handles_carry_bytes(visitor: Application) -> None:
    content = bytes(range(256)) * 1000 + b"\r\n\x1a\n"
    done = visitor.run("copy", stdin=content)
    assert done.status == 0
    assert done.stdout == content
    assert done.stderr == content[::-1]


def test_compiled_wheels_are_imported(visitor: Application) -> None:
    assert json.loads(visitor.run("wheels").text) == {"cow": 7, "secret": "moo"}


def test_a_server_answers(visitor: Application) -> None:
    assert visitor.run("answer").text == "200 /cows/7\n"


def test_a_pool_of_processes_works(visitor: Application) -> None:
    assert visitor.run("pool").text == "[0, 1, 4, 9, 16]\n"


def test_a_child_has_the_same_environment(visitor: Application) -> None:
    assert visitor.run("child").text == "True\n"


def test_ctrl_c_reaches_python_whose_exit_code_comes_back(visitor: Application) -> None:
    visitor.run("leave", "0")
    process, terminal = pty.fork()
    if process == 0:
        environment = {**visitor.wine.environment(), **visitor.environment(), "TERM": "xterm"}
        os.execve(PROGRAM, [str(PROGRAM), str(visitor.executable), "wait"], environment)
    try:
        read_until(terminal, b"waiting")
        time.sleep(0.5)  # it is told just before it waits
        os.write(terminal, b"\x03")
        read_until(terminal, b"interrupted")
    except BaseException:
        os.kill(process, signal.SIGKILL)
        raise
    finally:
        _, status = os.waitpid(process, 0)
        os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 42


def read_until(terminal: int, wanted: bytes) -> None:
    seen = b""
    patience = time.monotonic() + 60
    while wanted not in seen:
        assert time.monotonic() < patience, seen
        if select.select([terminal], [], [], 1)[0]:
            seen += os.read(terminal, 4096)


def test_a_killed_launcher_leaves_no_process(visitor: Application) -> None:
    started = visitor.start("wait")
    assert started.process.stdout is not None
    assert started.process.stdout.readline().startswith(b"waiting")
    assert len(processes_of(visitor)) >= 2
    os.kill(started.process.pid, signal.SIGKILL)
    started.wait()
    patience = time.monotonic() + 30
    while processes_of(visitor):
        assert time.monotonic() < patience, processes_of(visitor)
        time.sleep(0.05)


def processes_of(visitor: Application) -> list[bytes]:
    """The command lines of what runs from its base directory."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes()
        except OSError:
            continue
        if os.fsencode(windows_path(visitor.base)) in line:
            found.append(line)
    return found


@pytest.mark.parametrize("name", ["with blank", "é日本 ひつじ", "(a) & %b% ^c!"])
def test_directories_may_have_any_name(visitor: Application, tmp_path: Path, name: str) -> None:
    directory = tmp_path / name
    directory.mkdir()
    moved = Application(visitor.wine, directory / f"{name}.exe", directory / "base")
    os.link(visitor.executable, moved.executable)
    for _ in ("cold", "warm"):
        view = show(moved)
        assert view["environment"]["SCIE"] == windows_path(moved.executable)
        assert view["prefix"].startswith(windows_path(moved.base))


def test_long_directories_are_started_from(visitor: Application, tmp_path: Path) -> None:
    # CPython joins paths of its own to that of its program, and takes no more than 259 characters then.
    room = 215 - len(rf"\apps\{'0' * 20}\Scripts\pythonw.exe")
    base = tmp_path / ("d" * (room - len(windows_path(tmp_path)) - 1))
    deep = Application(visitor.wine, visitor.executable, base)
    for _ in ("cold", "warm"):
        assert show(deep)["prefix"].startswith(windows_path(base))
    assert max(len(windows_path(path)) for path in base.rglob("*")) > 259


def test_directories_that_are_too_long_are_told(visitor: Application, tmp_path: Path) -> None:
    deep = Application(visitor.wine, visitor.executable, tmp_path.joinpath(*["directory" * 5] * 5))
    started = deep.run("show")
    assert started.status == 1
    assert "its path is too long\nhint: set CZSCIE_BASE to a directory with a shorter path" in started.message
