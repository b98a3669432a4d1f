"""Real applications run where there is no Python, no shell, no configuration and no network."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from e2e.bare import BareRoot
from e2e.build import Scie
from e2e.conftest import PYTHONS, BuildScie, MakeRoot
from e2e.pexes import COWSAY, FIGURES, GUESTBOOK, TOOLBOX, Recipe
from e2e.snapshot import stamps


def _cow_says(text: str, stdout: str) -> None:
    assert f"| {text} |" in stdout
    assert "(oo)" in stdout


def _check_cowsay(stdout: str) -> None:
    _cow_says("hello", stdout)


def _check_figures(stdout: str) -> None:
    figures = json.loads(stdout)
    assert figures["solution"] == 5.0
    assert figures["rain"] == {"Bergen": 2335.5, "Oslo": 782.5}
    assert figures["date"] == "2024-02-29T00:00:00+01:00"


def _check_guestbook(stdout: str) -> None:
    assert stdout.splitlines() == [
        "200",
        "<h1>Geschrieben steht, was bleibt — für immer.</h1>",
        "<p><b>Ada</b>: &lt;hello&gt;</p>",
        "<em>Ja</em>",
    ]


def _check_toolbox(stdout: str) -> None:
    files = [
        "['hammer', 'saw', 'plane']",
        "['hammer', 'saw', 'plane']",
        "A tool is only as good as its box.",
        "['cowsay', 'packaging', 'toolbox']",
        "['cowsay', 'toolbox', 'toolbox-world']",
    ]
    lines = stdout.splitlines()
    assert lines[:5] == files
    assert "| extra |" in stdout
    drawers = lines.index("['glue', 'nails']")
    child, grandchild, module, script, *console_script = lines[drawers + 1 :]
    prefix, toolbox = child.split()
    assert toolbox.startswith(prefix)
    assert grandchild == child
    assert module.startswith(f"{prefix}/bin/python")
    assert script == f"script ['a', 'b'] toolbox {prefix}"
    assert console_script == files


@dataclass(frozen=True, slots=True)
class Application:
    """A real application: what it is given, and what it must print."""

    recipe: Recipe
    arguments: tuple[str, ...]
    check: Callable[[str], None]


APPLICATIONS = (
    Application(COWSAY, ("-t", "hello"), _check_cowsay),
    Application(FIGURES, (), _check_figures),
    Application(GUESTBOOK, (), _check_guestbook),
    Application(TOOLBOX, ("files", "extra", "sources", "children", "scripts"), _check_toolbox),
)


def _succeed(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, f"exit code {done.returncode}\n{done.stderr}"
    assert done.stderr == ""
    return done.stdout


def _prepare(root: BareRoot, recipe: Recipe) -> None:
    if recipe is FIGURES:
        root.add_manylinux_libraries()


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("application", APPLICATIONS, ids=lambda application: application.recipe.name)
def test_an_application_runs_in_a_root_without_anything(
    build_scie: BuildScie, make_root: MakeRoot, application: Application, python: str
) -> None:
    executable = build_scie(Scie(application.recipe, python))
    root = make_root()
    _prepare(root, application.recipe)
    program = root.install(executable)
    before = root.entries()

    cold = _succeed(root.run(program, *application.arguments))
    application.check(cold)
    installed = stamps(root.base)
    warm = _succeed(root.run(program, *application.arguments))
    application.check(warm)

    assert installed, "the cold start installs"
    assert stamps(root.base) == installed
    assert root.entries() == before


@pytest.mark.parametrize("python", PYTHONS)
def test_a_spawn_pool_works_inside(build_scie: BuildScie, make_root: MakeRoot, python: str) -> None:
    """Its locks are glibc's semaphores, files in /dev/shm: the root has that, and still nothing else."""
    root = make_root()
    root.add_shared_memory()
    root.add_manylinux_libraries()

    toolbox = root.install(build_scie(Scie(TOOLBOX, python)))
    assert _succeed(root.run(toolbox, "pool")).splitlines() == ["[0, 1, 4, 9, 16, 25, 36, 49]", "True"]

    figures = root.install(build_scie(Scie(FIGURES, python)))
    assert json.loads(_succeed(root.run(figures, "pool")))["pool"] == [5.0, 10.0]
