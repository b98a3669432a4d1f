"""What czscie/pack/readers.toml calls harmless is: every module is imported, and data found."""

from __future__ import annotations

import json
from typing import Any

import pytest

from e2e.build import Scie
from e2e.conftest import BuildScie
from e2e.pexes import Recipe
from e2e.run import start

RECIPE = Recipe("judged", ("--console-script", "judged"), project="judged", pythons=("3.13",))

#: Those that e2e/test_packages.py does not look at, or in another version.
JUDGED = (
    *("fastapi", "multidict", "numpy", "opentelemetry-semantic-conventions", "pandas", "pyarrow"),
    *("pycparser", "python-dateutil", "python-dotenv", "pytz", "starlette", "typer", "uvicorn", "websockets"),
)


@pytest.fixture(scope="module")
def told(build_scie: BuildScie, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    """What the same program prints from files and packed."""
    base = tmp_path_factory.mktemp("judged-base")

    def run(pack: str) -> Any:
        directory = tmp_path_factory.mktemp("work")
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(directory), "LC_ALL": "C.UTF-8"}
        executable = build_scie(Scie(RECIPE, "3.13", pack=pack))
        done = start(executable, *JUDGED, base=base, environment=environment, directory=directory)
        assert done.returncode == 0, done.stderr.decode()
        return json.loads(done.stdout)

    return run('stdlib = false\npackages = "none"'), run("")


def test_what_looks_at_files_finds_them(told: tuple[Any, Any]) -> None:
    files, packed = told
    assert files["uses"]["dotenv"] and files["uses"]["f2py"]
    assert packed["uses"] == files["uses"]


@pytest.mark.parametrize("name", JUDGED)
def test_every_module_is_imported_packed_as_from_files(told: tuple[Any, Any], name: str) -> None:
    files, packed = told
    assert packed[name]["outcomes"] == files[name]["outcomes"]
    assert "imported" in files[name]["outcomes"].values()
    assert files[name]["missing"] == 0
    assert packed[name]["missing"] > 0
