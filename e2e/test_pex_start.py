"""The start of a PEX payload is that of the same PEX built with `--venv`, and the world stays outside."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from e2e.build import Scie
from e2e.conftest import PYTHONS, BuildScie
from e2e.pexes import INJECTED, INTERPRETER, SCRIPT, TOOLBOX, Recipe
from e2e.run import World, start, world

#: What differs between a scie and a PEX by their nature: where they are, and what each says about itself.
OWN_VARIABLES = {"PEX", "VIRTUAL_ENV", "PEX_ROOT", "CZSCIE_BASE", "SCIE", "SCIE_ARGV0", "PATH", "WORDS"}

#: Where there is no locale at all, the first of pex's two Pythons sets LC_CTYPE (PEP 538), so that the second
#: is not in UTF-8 mode, as the only Python of a scie is there (PEP 540).
LOCALE = {"LC_ALL": "C.UTF-8"}

#: Flags of `python -I`, by which pex keeps the host out. It would turn off PYTHONUNBUFFERED and others too,
#: so a scie keeps the host out by other means; the tests of hermeticity below are about those.
ISOLATION = {"isolated", "ignore_environment", "no_user_site", "safe_path"}

#: A module that shouts when it is imported.
LEAK = "raise SystemExit('a module of the host was imported')\n"


@dataclass(frozen=True, slots=True)
class Scenario:
    """One way to start one PEX."""

    name: str
    recipe: Recipe
    arguments: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    stdin: bytes = b""


VIEW = "import runpy; runpy.run_module('toolbox.world', run_name='__main__', alter_sys=True)"

AS_PYTHON = {"PEX_INTERPRETER": "1"}

SCENARIOS = (
    Scenario("entry point", INJECTED, ("x", "y z"), {"COLOUR": "red", "KEPT": "mine", "PATH": "/bin"}),
    Scenario("entry point without environment", INJECTED),
    Scenario("PEX_MODULE", INJECTED, ("x",), {"PEX_MODULE": "toolbox.world"}),
    Scenario("PEX_MODULE with a function", INJECTED, ("x",), {"PEX_MODULE": "toolbox.world:main"}),
    Scenario("PEX_SCRIPT of an entry point", INJECTED, ("x",), {"PEX_SCRIPT": "toolbox-world"}),
    Scenario("PEX_INTERPRETER with code", INJECTED, ("-c", VIEW, "x"), AS_PYTHON),
    Scenario("PEX_INTERPRETER with a module", INJECTED, ("-m", "toolbox.world", "x"), AS_PYTHON),
    Scenario("PEX_INTERPRETER with stdin", INJECTED, ("-", "x"), AS_PYTHON, VIEW.encode()),
    Scenario("PEX_VENV_BIN_PATH", INJECTED, (), {"PEX_VENV_BIN_PATH": "append", "PATH": "/bin"}),
    Scenario("console script", SCRIPT, ("x",)),
    Scenario("PEX variables kept", SCRIPT, ("x",), {"PEX_VERBOSE": "0", "PEX_UNKNOWN": "kept"}),
    Scenario("PEX variables stripped", INJECTED, ("x",), {"PEX_VERBOSE": "0", "PEX_UNKNOWN": "gone"}),
    Scenario("no entry point, code", INTERPRETER, ("-c", VIEW, "x")),
    Scenario("no entry point, module", INTERPRETER, ("-m", "toolbox.world", "x")),
    Scenario("no entry point, stdin", INTERPRETER, ("-", "x"), {}, VIEW.encode()),
)

FAILURES = (
    Scenario("two overrides at once", INJECTED, (), {"PEX_MODULE": "toolbox.world", "PEX_SCRIPT": "toolbox"}),
    Scenario("a module that is not there", INJECTED, (), {"PEX_MODULE": "nowhere.at.all"}),
    Scenario("a script that is not there", INJECTED, (), {"PEX_SCRIPT": "nothing"}),
    Scenario("an exception", SCRIPT, ("raise",)),
    Scenario("an exit code", SCRIPT, ("exit=42",)),
    Scenario("a message", SCRIPT, ("message=good bye",)),
)


@pytest.fixture(scope="session")
def as_pex(
    pexes: Callable[[Recipe], Path], interpreters: dict[str, Path]
) -> Iterator[Callable[[Scenario, str], subprocess.CompletedProcess[bytes]]]:
    """A function that plays a scenario with the PEX itself, on the mirror's interpreter."""

    def play(scenario: Scenario, python: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [interpreters[python], pexes(scenario.recipe), *scenario.arguments],
            env={"PEX_ROOT": root, **LOCALE, **scenario.environment},
            cwd="/",
            input=scenario.stdin,
            capture_output=True,
            timeout=120,
        )

    with tempfile.TemporaryDirectory(
        prefix="pex-"
    ) as root:  # scripts below a long path start through a shell
        yield play


@pytest.fixture(scope="session")
def play(
    build_scie: BuildScie, shared_base: Path
) -> Callable[[Scenario, str], subprocess.CompletedProcess[bytes]]:
    """A function that plays a scenario with the scie."""

    def play(scenario: Scenario, python: str) -> subprocess.CompletedProcess[bytes]:
        return start(
            build_scie(Scie(scenario.recipe, python)),
            *scenario.arguments,
            base=shared_base,
            environment={**LOCALE, **scenario.environment},
            stdin=scenario.stdin,
        )

    return play


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_scie_starts_as_its_pex_does(
    play: Callable[[Scenario, str], subprocess.CompletedProcess[bytes]],
    as_pex: Callable[[Scenario, str], subprocess.CompletedProcess[bytes]],
    scenario: Scenario,
    python: str,
) -> None:
    ours, theirs = world(play(scenario, python)), world(as_pex(scenario, python))
    assert ours["argv"][1:] == theirs["argv"][1:]
    assert _flags(ours) == _flags(theirs)
    for key in ("name", "faulthandler", "encoding", "write_through", "terminals", "directory"):
        assert ours[key] == theirs[key], key
    for key in ("warnoptions", "xoptions"):
        assert set(ours[key]) == set(theirs[key]), key  # pex gives injected options twice
    assert _other_variables(ours.environment) == _other_variables(theirs.environment)
    for name in ("VIRTUAL_ENV", "PEX"):
        assert (name in ours.environment) == (name in theirs.environment)
    assert _relocated(ours) == _relocated(theirs)


def _other_variables(environment: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name not in OWN_VARIABLES}


def _flags(view: World) -> dict[str, int]:
    return {name: value for name, value in view["flags"].items() if name not in ISOLATION}


def _relocated(view: World) -> list[str | None]:
    """What names the environment or the interpreter, as far as it does not depend on where they are."""
    path = [entry or view["directory"] for entry in view["path"]]
    values = [*map(view.environment.get, ("PATH", "WORDS", "VIRTUAL_ENV")), *path]
    environments = {view["prefix"], view.environment["VIRTUAL_ENV"]}  # pex has two names for one directory
    for place in environments:
        values = [value and value.replace(place, "<environment>") for value in values]
    return [value and value.replace(view["base_prefix"], "<interpreter>") for value in values]


@pytest.mark.parametrize("scenario", FAILURES, ids=lambda scenario: scenario.name)
def test_a_scie_fails_as_its_pex_does(
    play: Callable[[Scenario, str], subprocess.CompletedProcess[bytes]],
    as_pex: Callable[[Scenario, str], subprocess.CompletedProcess[bytes]],
    scenario: Scenario,
) -> None:
    ours, theirs = play(scenario, "3.13"), as_pex(scenario, "3.13")
    assert ours.returncode == theirs.returncode != 0
    assert ours.stdout == theirs.stdout
    if scenario.recipe is SCRIPT:  # else pex and czscie have words of their own
        assert ours.stderr.splitlines()[-1:] == theirs.stderr.splitlines()[-1:]


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


def test_the_manifests_entry_point_comes_before_the_pex_own(build_scie: BuildScie, shared_base: Path) -> None:
    scie = Scie(TOOLBOX, "3.13", entry_point="toolbox.world:main")
    assert world(start(build_scie(scie), "x", base=shared_base))["argv"][1:] == ["x"]


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


def test_a_scie_without_an_entry_point_takes_pythons_own_options(
    build_scie: BuildScie, shared_base: Path
) -> None:
    """Not compared with pex, which starts over for such options and is not hermetic then."""
    program = build_scie(Scie(INTERPRETER, "3.13"))
    view = world(start(program, "-u", "-O", "-c", VIEW, "x", base=shared_base))
    assert view["argv"][1:] == ["x"]
    assert view["write_through"] is True
    assert view["flags"]["optimize"] == 1
    assert view["flags"]["no_user_site"] == 1


def test_a_script_of_a_wheel_is_started_by_its_name(build_scie: BuildScie, shared_base: Path) -> None:
    done = start(
        build_scie(Scie(TOOLBOX, "3.13")), "a", base=shared_base, environment={"PEX_SCRIPT": "toolbox-where"}
    )
    assert done.stdout.startswith(b"script ['a'] toolbox "), done.stderr
