from __future__ import annotations

import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Protocol

import pytest

from czex.factories import digest, metadata, write_zip

HERE = Path(__file__).parent


class RunPex(Protocol):
    def __call__(self, *arguments: str | Path, module: str = "pex") -> None: ...


class MakeMoo(Protocol):
    def __call__(self, *options: str) -> Path: ...


@pytest.fixture(scope="session")
def pex_environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment for pex, with a cache that lasts as long as the session.

    Its pip is in there already: on Python 3.12 and newer pex takes one from the index, which tests close.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PEX_")}
    environment["PEX_ROOT"] = str(tmp_path_factory.mktemp("pex-root"))
    environment["PEX_IGNORE_RCFILES"] = "true"
    command = [sys.executable, "-m", "pex", "packaging", "-o", str(tmp_path_factory.mktemp("pip") / "x.pex")]
    subprocess.run(command, env=environment, capture_output=True, check=True)
    return environment


@pytest.fixture(scope="session")
def run_pex(pex_environment: dict[str, str]) -> RunPex:
    """Runs the real pex."""

    def run(*arguments: str | Path, module: str = "pex") -> None:
        done = subprocess.run(
            [sys.executable, "-m", module, *map(str, arguments)],
            env=pex_environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    return run


@pytest.fixture(scope="session")
def wheelhouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a wheel of the project `moo` and what it requires for its extra."""
    directory = tmp_path_factory.mktemp("wheelhouse")
    backend = runpy.run_path(str(HERE / "moo" / "backend" / "moo_backend.py"))
    backend["build_wheel"](directory)
    entries = {"moo_bell.py": b"SOUND = 'ding'\n", **metadata("moo_bell", "1.2")}
    rows = "".join(f"{path},{digest(data)},{len(data)}\n" for path, data in entries.items())
    record = f"{rows}moo_bell-1.2.dist-info/RECORD,,\n".encode()
    write_zip(
        directory / "moo_bell-1.2-py3-none-any.whl", {**entries, "moo_bell-1.2.dist-info/RECORD": record}
    )
    return directory


@pytest.fixture(scope="session")
def make_moo(run_pex: RunPex, wheelhouse: Path, tmp_path_factory: pytest.TempPathFactory) -> MakeMoo:
    """Makes a PEX of the project `moo` with its extra and user sources, once for each set of options."""
    made: dict[tuple[str, ...], Path] = {}

    def make(*options: str) -> Path:
        if options not in made:
            path = tmp_path_factory.mktemp("moo") / "moo.pex"
            source = ["--no-index", "--find-links", str(wheelhouse)]
            run_pex("moo[bell]", *source, "-D", HERE / "sources", "-c", "moo", "-o", path, *options)
            made[options] = path
        return made[options]

    return make
