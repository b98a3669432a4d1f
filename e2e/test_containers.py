"""Real applications in real containers: FROM scratch plus one file, and hardened.

The engine is podman with runc, its seccomp profile the default one.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from e2e.build import Scie
from e2e.conftest import BuildScie
from e2e.pexes import COWSAY, FIGURES, SERVICE, Recipe
from e2e.podman import Podman, lacking, podman

USER = "12345:12345"

HARDENED = ("--read-only", "--read-only-tmpfs=false", "--cap-drop=all", "--security-opt=no-new-privileges")
NOEXEC_TMP = "--tmpfs=/tmp:rw,noexec,nosuid,nodev,size=64m"

#: What each hardening leaves: a directory to install into, or nothing but memory.
CONTAINERS = {
    "root": (),
    "user": ("--user", USER),
    "root, read-only": ("--read-only",),
    "user, read-only": ("--read-only", "--user", USER),
    "root, no capabilities": ("--cap-drop=all",),
    "user, no new privileges": ("--cap-drop=all", "--security-opt=no-new-privileges", "--user", USER),
    "root, hardened": HARDENED,
    "user, hardened": (*HARDENED, "--user", USER),
    "root, noexec": ("--read-only", "--read-only-tmpfs=false", NOEXEC_TMP),
    "user, noexec": (*HARDENED, NOEXEC_TMP, "--user", USER),
    "user, 64 MB": ("--memory=64m", "--tmpfs=/tmp", "--user", USER),
}

NOTE = re.compile(r"\w+: note: each start unpacks \d+ MB into memory, because .*\n")


@pytest.fixture(scope="module")
def engine() -> Iterator[Podman]:
    if (lack := lacking()) is not None:
        pytest.skip(lack)
    with podman() as made:
        yield made


@pytest.fixture(scope="module")
def image(
    engine: Podman, build_scie: BuildScie, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Recipe], str]:
    """A function from a recipe to the image of its executable, `/app`, made when it is asked for first."""
    made: dict[Recipe, str] = {}

    def make(recipe: Recipe) -> str:
        if recipe not in made:
            root = tmp_path_factory.mktemp("image")
            shutil.copy(build_scie(Scie(recipe, "3.13", libc="when-missing")), root / "app")
            made[recipe] = engine.import_root(root, recipe.name)
        return made[recipe]

    return make


def _cow(stdout: str) -> None:
    assert "| moo |" in stdout
    assert "(oo)" in stdout


def _figures(stdout: str) -> None:
    assert json.loads(stdout)["solution"] == 5.0


def _answer(stdout: str) -> None:
    answered = json.loads(stdout)
    assert (answered["status"], answered["cow"], answered["process"]) == (200, 7, 1)


def _pool(stdout: str) -> None:
    assert json.loads(stdout) == [0, 1, 4, 9]


@dataclass(frozen=True, slots=True)
class Application:
    recipe: Recipe
    arguments: tuple[str, ...]
    check: Callable[[str], None]
    containers: tuple[str, ...]


APPLICATIONS = {
    "cowsay": Application(COWSAY, ("-t", "moo"), _cow, tuple(CONTAINERS)),
    "numpy with pandas": Application(
        FIGURES, (), _figures, ("root", "user", "root, read-only", "user, hardened")
    ),
    "FastAPI under uvicorn": Application(
        SERVICE, ("answer",), _answer, ("root", "user, read-only", "root, hardened", "user, noexec")
    ),
    "multiprocessing": Application(
        SERVICE, ("pool",), _pool, ("user", "root, no capabilities", "user, hardened", "user, noexec")
    ),
}


@pytest.mark.parametrize(
    ("application", "container"),
    [(name, container) for name, each in APPLICATIONS.items() for container in each.containers],
)
def test_an_application_runs(
    engine: Podman, image: Callable[[Recipe], str], application: str, container: str
) -> None:
    given = APPLICATIONS[application]
    done = engine.run(image(given.recipe), "/app", *given.arguments, options=CONTAINERS[container])
    assert done.returncode == 0, done.stderr
    assert NOTE.sub("", done.stderr) == ""
    given.check(done.stdout)
