"""The application is the process that was started, and the world of the host's Python stays outside."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
from pathlib import Path

import pytest

from e2e.build import Scie
from e2e.conftest import PYTHONS, BuildScie
from e2e.pexes import SCRIPT
from e2e.run import World, start, world

#: A module that shouts when it is imported.
LEAK = "raise SystemExit('a module of the host was imported')\n"


@pytest.fixture(scope="session")
def program(build_scie: BuildScie) -> Path:
    """A scie that prints the view of its world."""
    return build_scie(Scie(SCRIPT, "3.13"))


def test_the_scie_is_the_programs_name_and_its_pex(program: Path, shared_base: Path) -> None:
    view = world(start(program, "x", base=shared_base))
    assert view["argv"] == [str(program), "x"]
    assert view.environment["PEX"] == str(program)
    assert view.environment["VIRTUAL_ENV"] == view["prefix"]
    assert view["executable"].startswith(f"{view['prefix']}/bin/python")
    assert Path(view["prefix"]).parent == shared_base / "apps"
    assert Path(view["base_prefix"]).parent == shared_base / "interpreters"


def test_a_scie_runs_through_a_link_and_a_relative_path(
    program: Path, shared_base: Path, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(program)
    for name in (tmp_path / "link", "./link"):
        view = world(start(name, base=shared_base, directory=tmp_path))
        assert view["directory"] == str(tmp_path)


def test_nothing_of_the_hosts_python_leaks_in(program: Path, shared_base: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    user_site = home / ".local/lib/python3.13/site-packages"
    user_site.mkdir(parents=True)
    for place in (tmp_path, user_site):
        for module in ("sitecustomize", "usercustomize", "json", "toolbox"):
            (place / f"{module}.py").write_text(LEAK)
    clean = world(start(program, base=shared_base, directory=tmp_path))
    polluted = world(
        start(
            program,
            base=shared_base,
            directory=tmp_path,
            environment={
                "HOME": str(home),
                "PYTHONPATH": str(tmp_path),
                "PYTHONHOME": "/nonexistent",
                "PYTHONUSERBASE": str(home / ".local"),
                "PYTHONSTARTUP": str(tmp_path / "json.py"),
                "PYTHONPLATLIBDIR": "nowhere",
                "PYTHONEXECUTABLE": "/nonexistent/python",
                "VIRTUAL_ENV": "/nonexistent",
                "__PYVENV_LAUNCHER__": "/nonexistent",
            },
        )
    )
    for key in ("path", "prefix", "base_prefix", "executable", "argv"):
        assert polluted[key] == clean[key], key


@pytest.mark.parametrize("python", PYTHONS)
def test_the_switches_that_operators_set_keep_working(
    build_scie: BuildScie, shared_base: Path, python: str
) -> None:
    program = build_scie(Scie(SCRIPT, python))

    def view(**environment: str) -> World:
        return world(start(program, base=shared_base, environment=environment))

    def flags(**environment: str) -> dict[str, object]:
        return dict(view(**environment)["flags"])

    assert view()["write_through"] is False
    assert view(PYTHONUNBUFFERED="1")["write_through"] is True
    assert view()["faulthandler"] is False
    assert view(PYTHONFAULTHANDLER="1")["faulthandler"] is True
    assert flags(LC_ALL="C.UTF-8")["utf8_mode"] == 0
    assert flags(LC_ALL="C.UTF-8", PYTHONUTF8="1")["utf8_mode"] == 1
    assert flags(PYTHONUTF8="0", PYTHONCOERCECLOCALE="0", LC_ALL="C")["utf8_mode"] == 0
    warned = start(program, "warn", base=shared_base, environment={"PYTHONWARNINGS": "error::UserWarning"})
    assert warned.returncode == 1
    assert warned.stderr.splitlines()[-1] == b"UserWarning: the world is flat"


def test_arguments_environment_and_paths_arrive_byte_for_byte(
    program: Path, shared_base: Path, tmp_path: Path
) -> None:
    odd = b"\xff\xfe \n'\"$`\\ \xe4"
    directory = os.fsencode(tmp_path) + b"/d\xff\xc3("
    Path(os.fsdecode(directory)).mkdir()
    executable = directory + b"/scie\xfe"
    os.link(program, executable)
    environment = {b"ODD": odd, b"N\xffME": b"x"}
    view = world(start(executable, odd, b"", base=shared_base, environment=environment, directory=directory))
    assert view["argv"] == [text.decode("latin-1") for text in (executable, odd, b"")]
    assert view.environment["ODD"] == odd.decode("latin-1")
    assert view.environment["NÿME"] == "x"
    assert view.environment["PEX"] == executable.decode("latin-1")
    assert view["directory"] == directory.decode("latin-1")


@pytest.mark.parametrize(
    "name", [b"b\xff\xf0", b"with space", "b\u00e4\U0001f40d".encode(), b"'\"$`\\{root}#!="]
)
def test_a_base_directory_may_have_any_name(program: Path, tmp_path: Path, name: bytes) -> None:
    base = os.fsencode(tmp_path) + b"/" + name
    for _ in ("cold", "warm"):
        assert world(start(program, "x", base=base))["argv"][1:] == ["x"]


@pytest.mark.parametrize("code", [0, 1, 42, 255])
def test_the_exit_code_is_the_applications(program: Path, shared_base: Path, code: int) -> None:
    assert start(program, f"exit={code}", base=shared_base).returncode == code


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1])
def test_a_signal_reaches_the_application_which_is_the_process(
    program: Path, shared_base: Path, number: signal.Signals
) -> None:
    world(start(program, base=shared_base))
    with subprocess.Popen(
        [program, "wait"],
        env={"CZSCIE_BASE": str(shared_base)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        # Whoever runs the tests may ignore it: nohup does.
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"waiting {process.pid}\n"
        process.send_signal(number)
        assert process.wait(timeout=10) == -number


def test_signals_descriptors_and_umask_are_as_the_caller_left_them(program: Path, shared_base: Path) -> None:
    def prepare() -> None:
        signal.signal(signal.SIGUSR2, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
        os.umask(0o057)

    reader, writer = os.pipe()
    done = subprocess.run(
        [program],
        env={"CZSCIE_BASE": str(shared_base)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        preexec_fn=prepare,
        pass_fds=[reader],
    )
    os.close(reader)
    os.close(writer)
    view = world(done)
    assert signal.SIGUSR2 in view["ignored_signals"]
    assert view["blocked_signals"] == [signal.SIGUSR1]
    assert view["umask"] == 0o057
    listing = 1  # the descriptor by which the application reads the list
    assert set(view["descriptors"]) >= {0, 1, 2, reader}
    assert len(view["descriptors"]) == len({0, 1, 2, reader}) + listing


def test_standard_input_passes_through(program: Path, shared_base: Path) -> None:
    data = os.urandom(300_000)
    assert start(program, "echo", base=shared_base, stdin=data).stdout == data


def test_a_terminal_is_the_applications(program: Path, shared_base: Path) -> None:
    leader, follower = pty.openpty()
    with subprocess.Popen(
        [program, "x"],
        env={"CZSCIE_BASE": str(shared_base)},
        stdin=follower,
        stdout=subprocess.PIPE,
        stderr=follower,
        start_new_session=True,
    ) as process:
        stdout, _ = process.communicate(timeout=60)
    os.close(follower)
    os.close(leader)
    done = subprocess.CompletedProcess([program], process.returncode, stdout, b"")
    assert world(done)["terminals"] == [True, False, True]
