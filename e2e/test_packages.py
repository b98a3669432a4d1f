"""Real packages do the same packed as they do from files, and say the same about themselves."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from e2e.build import Scie
from e2e.conftest import BuildScie
from e2e.pexes import FIGURES, POPULAR, Recipe
from e2e.run import start

SMOKES = Path(__file__).parent / "smokes"

#: How the scies differ that must do the same: everything files, and what is packed unless told otherwise
#: (pytest is among the packages, which is a reader).
FILES = 'stdlib = false\npackages = "none"'
PACKED = "readers = false"


@dataclass(frozen=True, slots=True)
class Package:
    """A distribution of a recipe. `packed` are its modules unless they are looked at as files."""

    distribution: str
    recipe: Recipe
    packed: bool


PACKAGES = (
    Package("requests", POPULAR, packed=True),
    Package("urllib3", POPULAR, packed=True),
    Package("idna", POPULAR, packed=True),
    Package("certifi", POPULAR, packed=True),
    Package("charset-normalizer", POPULAR, packed=True),
    Package("click", POPULAR, packed=True),
    Package("jinja2", POPULAR, packed=True),
    Package("werkzeug", POPULAR, packed=False),
    Package("flask", POPULAR, packed=False),
    Package("itsdangerous", POPULAR, packed=True),
    Package("django", POPULAR, packed=False),
    Package("sqlparse", POPULAR, packed=True),
    Package("httpx", POPULAR, packed=True),
    Package("anyio", POPULAR, packed=True),
    Package("h11", POPULAR, packed=True),
    Package("boto3", POPULAR, packed=True),
    Package("botocore", POPULAR, packed=True),
    Package("s3transfer", POPULAR, packed=True),
    Package("jmespath", POPULAR, packed=True),
    Package("pyjwt", POPULAR, packed=True),
    Package("opentelemetry-api", POPULAR, packed=True),
    Package("googleapis-common-protos", POPULAR, packed=True),
    Package("setuptools", POPULAR, packed=False),
    Package("packaging", POPULAR, packed=True),
    Package("python-dateutil", POPULAR, packed=False),
    Package("six", POPULAR, packed=True),
    Package("typing_extensions", POPULAR, packed=True),
    Package("attrs", POPULAR, packed=True),
    Package("pygments", POPULAR, packed=True),
    Package("platformdirs", POPULAR, packed=True),
    Package("filelock", POPULAR, packed=True),
    Package("tomlkit", POPULAR, packed=True),
    Package("pluggy", POPULAR, packed=True),
    Package("pytest", POPULAR, packed=False),
    Package("rich", POPULAR, packed=False),
    Package("importlib_metadata", POPULAR, packed=True),
    Package("zipp", POPULAR, packed=True),
    Package("pyparsing", POPULAR, packed=True),
    Package("fsspec", POPULAR, packed=True),
    Package("tqdm", POPULAR, packed=True),
    Package("docutils", POPULAR, packed=False),
    Package("babel", POPULAR, packed=False),
    Package("jsonschema", POPULAR, packed=True),
    Package("tzdata", POPULAR, packed=True),
    Package("markdown", POPULAR, packed=True),
    Package("tabulate", POPULAR, packed=True),
    Package("mako", POPULAR, packed=False),
    Package("ruamel.yaml", POPULAR, packed=False),
    Package("cryptography", POPULAR, packed=True),
    Package("cffi", POPULAR, packed=True),
    Package("markupsafe", POPULAR, packed=True),
    Package("pydantic", POPULAR, packed=True),
    Package("lxml", POPULAR, packed=False),
    Package("pyyaml", POPULAR, packed=True),
    Package("sqlalchemy", POPULAR, packed=True),
    Package("greenlet", POPULAR, packed=True),
    Package("psutil", POPULAR, packed=False),
    Package("aiohttp", POPULAR, packed=True),
    Package("regex", POPULAR, packed=True),
    Package("msgpack", POPULAR, packed=True),
    Package("pillow", POPULAR, packed=True),
    Package("numpy", FIGURES, packed=False),
    Package("pandas", FIGURES, packed=False),
)

Outcome = dict[str, Any]
Smoke = Callable[[Package, str], Outcome]


@pytest.fixture(scope="session")
def smoke(
    build_scie: BuildScie,
    tmp_path_factory: pytest.TempPathFactory,
) -> Smoke:
    """A function from a package and `lift.pack` to what its smoke test says."""
    home = tmp_path_factory.mktemp("home")
    environment = {"PEX_INTERPRETER": "1", "PATH": "/usr/bin:/bin", "HOME": str(home), "LC_ALL": "C.UTF-8"}
    base = tmp_path_factory.mktemp("smokes-base")

    def run(package: Package, pack: str) -> Outcome:
        executable = build_scie(Scie(package.recipe, "3.13", pack=pack))
        done = start(
            *(executable, "-B", SMOKES, package.distribution),
            base=base,
            environment=environment,
            directory=home,
        )
        assert done.returncode == 0, done.stderr.decode()
        return {**json.loads(done.stdout), "stderr": done.stderr.decode()}

    return run


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.distribution)
def test_a_package_does_the_same_packed(smoke: Smoke, package: Package) -> None:
    from_files = smoke(package, FILES)
    packed = smoke(package, PACKED)

    assert from_files.pop("missing") == []
    missing = packed.pop("missing")
    assert packed == from_files
    assert bool(missing) is package.packed
    assert all(path.endswith(".py") for path in missing)
