"""The start of a PEX payload is that of the same PEX built with `--venv`."""

from __future__ import annotations

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
#: so a scie keeps the host out by other means, which test_process.py is about.
ISOLATION = {"isolated", "ignore_environment", "no_user_site", "safe_path"}


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


def test_the_manifests_entry_point_comes_before_the_pex_own(build_scie: BuildScie, shared_base: Path) -> None:
    scie = Scie(TOOLBOX, "3.13", entry_point="toolbox.world:main")
    assert world(start(build_scie(scie), "x", base=shared_base))["argv"][1:] == ["x"]


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
