"""What is in an executable does not depend on the version of the Python that runs czscie."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from czscie.cache import cache_directory
from e2e.build import Builder, Scie
from e2e.cache import cached
from e2e.pexes import Recipe
from e2e.server import MirrorServer
from e2e.situation import Distribution, write_wheel
from e2e.ways import make_pex
from e2e.wheelhouse import czscie_requirements
from scie.factories import launcher_of

#: What CPython 3.11 cannot parse, and 3.13 can.
MODERN = {
    "modern/__init__.py": "def is_built_in[T](module: T) -> bool:\n    return module.__file__ is None\n",
    "modern/kinds.py": "type Kinds = list[str]\nKINDS: Kinds = ['test', 'tkinter', 'curses']\n",
}
SOURCE = Path(__file__).parent.parent / "src"

#: What the two builds say alike: notes on what is packed and what is left out.
_NOTES = ("packed: ", "left out: ", "files: ", "modules of ")


def _libraries(python: Path) -> Path:
    """A directory with all that czscie needs for `python`."""
    wanted = czscie_requirements()

    def install(out: Path) -> None:
        command: list[str | Path] = [sys.executable, "-m", "pip", "--python", python, "install"]
        command += ["--quiet", "--target", out]
        subprocess.run([*command, *wanted], check=True)

    return cached("builder", [str(python), *wanted], install)


@pytest.fixture(scope="module")
def modern_pex(interpreters: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("modern")
    content, wheels = directory / "content", directory / "wheels"
    wheels.mkdir()
    for name, text in MODERN.items():
        path = content / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (directory / "nothing").mkdir()
    write_wheel(Distribution("modern"), content, wheels)
    write_wheel(Distribution("caller", requires=["modern"]), directory / "nothing", wheels)
    return make_pex(["caller"], wheels, [], [interpreters["3.13"]], directory / "caller.pex")


def test_two_pythons_build_the_same(
    interpreters: dict[str, Path],
    modern_pex: Path,
    mirror_server: MirrorServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    launcher = launcher_of("linux-x86_64")
    built: dict[str, tuple[list[str], bytes]] = {}
    for minor, python in interpreters.items():
        directory = tmp_path / minor
        directory.mkdir()
        manifest = Scie(Recipe("caller", ()), "3.13").manifest(modern_pex)
        (directory / "lift.toml").write_text(manifest)
        monkeypatch.setenv("CZSCIE_CACHE", str(directory / "cache"))
        shutil.copy(launcher, cache_directory("launchers"))
        builder = Builder(mirror_server.url, directory / "cache", python)
        paths = {"PYTHONPATH": os.pathsep.join([str(SOURCE), str(_libraries(python))])}
        done = builder.run("lift.toml", "-v", "-o", "dist", directory=directory, environment=paths)
        assert done.returncode == 0, done.stderr
        notes = [line.strip() for line in done.stderr.splitlines() if any(map(line.__contains__, _NOTES))]
        built[minor] = notes, (directory / "dist" / "caller").read_bytes()

    (one, first), (other, second) = built.values()
    assert one == other
    assert any("packed: 2 modules of the payload, 2 of them" in line for line in one), one
    assert first == second
