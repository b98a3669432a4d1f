"""Real PEXes, made by the real pex for every CPython of the mirror at once."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from e2e.cache import cache_directory, cached, sources

PROJECTS = Path(__file__).parent / "projects"


@dataclass(frozen=True, slots=True)
class Recipe:
    """One PEX: the arguments of pex, and the directories below `projects` that go into it.

    `pythons` are the CPythons that run it.
    """

    name: str
    arguments: tuple[str, ...]
    project: str | None = None
    sources: str | None = None
    pythons: tuple[str, ...] = ("3.11", "3.13")

    def command(self, projects: Path) -> list[str]:
        """The arguments, for a copy of `projects` in which building may leave files behind."""
        arguments = list(self.arguments)
        if self.project is not None:
            arguments.insert(0, str(projects / self.project))
        if self.sources is not None:
            arguments += ["--sources-directory", str(projects / self.sources)]
        return arguments

    def ingredients(self) -> list[str | bytes]:
        found: list[str | bytes] = [*self.arguments, str(self.project), str(self.sources)]
        for directory in (self.project, self.sources):
            if directory is not None:
                found += sources(PROJECTS / directory.partition("[")[0])
        return found


COWSAY = Recipe("cowsay", ("cowsay==6.1", "--console-script", "cowsay"))

FIGURES = Recipe(
    "figures",
    (
        *("numpy==2.1.3", "pandas==2.2.3"),
        *("python-dateutil==2.9.0.post0", "pytz==2024.2", "six==1.17.0", "tzdata==2024.2"),
        *("--entry-point", "figures"),
    ),
    sources="figures",
)

GUESTBOOK = Recipe(
    "guestbook",
    ("Django==5.2.1", "asgiref==3.8.1", "sqlparse==0.5.3", "--entry-point", "guestbook"),
    sources="guestbook",
)

SURROUNDINGS = Recipe(
    "surroundings",
    ("certifi==2024.8.30", "tzdata==2024.2", "--entry-point", "surroundings:main"),
    sources="surroundings",
)

SERVICE = Recipe(
    "service",
    (
        *("fastapi==0.165.0", "starlette==1.10.0", "pydantic==2.14.3", "pydantic_core==2.50.4"),
        *("annotated-doc==0.0.7", "annotated-types==0.8.0", "typing-inspection==0.4.5"),
        *("typing_extensions==4.16.0", "opentelemetry-api==1.45.2", "anyio==4.16.0", "idna==3.20"),
        *("uvicorn==0.54.0", "click==8.5.1", "h11==0.16.0", "setproctitle==1.3.8"),
        *("--entry-point", "service:main"),
    ),
    sources="service",
    pythons=("3.13",),
)

#: The same without what `[lift.bare]` adds.
DESTITUTE = Recipe(
    "destitute", ("--entry-point", "surroundings:main"), sources="surroundings", pythons=("3.13",)
)

#: No distribution but itself.
LONER = Recipe("loner", ("--entry-point", "loner:main"), sources="loner")

TOOLBOX = Recipe(
    "toolbox", ("--entry-point", "toolbox.cli:main", "--venv"), project="toolbox[speech]", sources="workbench"
)

#: Every setting of PEX-INFO that acts at start.
INJECTED = Recipe(
    "injected",
    (
        *("--entry-point", "toolbox.world:main", "--venv", "prepend"),
        *("--inject-args", "first 'second argument' {pex.env.COLOUR}"),
        *("--inject-env", "INJECTED=from the PEX", "--inject-env", "KEPT=from the PEX"),
        "--inject-python-args=-X toolbox=1 -W error::FutureWarning",
        *("--bind-resource-path", "WORDS=toolbox/words.txt"),
    ),
    project="toolbox",
)

SCRIPT = Recipe(
    "script", ("--console-script", "toolbox-world", "--venv", "--no-strip-pex-env"), project="toolbox"
)

INTERPRETER = Recipe("interpreter", ("--venv",), project="toolbox")

#: What many applications consist of, first without and then with extension modules: an application's
#: dependencies, as it is not what itself is made of that is packed.
POPULAR = Recipe("popular", (), project="popular", pythons=("3.13",))

RECIPES = (COWSAY, FIGURES, GUESTBOOK, SURROUNDINGS, TOOLBOX, INJECTED, SCRIPT, INTERPRETER)


def make_pex(recipe: Recipe, interpreters: list[Path]) -> Path:
    """The PEX of a recipe, for these interpreters; made once and kept. Raises RuntimeError."""
    ingredients = [
        *recipe.ingredients(),
        importlib.metadata.version("pex"),
        *map(str, interpreters),
    ]
    return cached(f"pex-{recipe.name}", ingredients, lambda out: _run_pex(recipe, interpreters, out)) / (
        f"{recipe.name}.pex"
    )


def _run_pex(recipe: Recipe, interpreters: list[Path], out: Path) -> None:
    out.mkdir()
    projects = out / "projects"
    shutil.copytree(PROJECTS, projects)
    command = [sys.executable, "-m", "pex", *recipe.command(projects), "-o", str(out / f"{recipe.name}.pex")]
    command += ["--jobs", "1"]  # two interpreters would build a project in one directory at once
    for interpreter in interpreters:
        command += ["--python", str(interpreter)]
    environment = {**os.environ, "PEX_ROOT": str(cache_directory() / "pex-root")}
    done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"pex could not make {recipe.name}:\n{done.stderr}")
    shutil.rmtree(projects)
