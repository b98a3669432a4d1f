"""The release wheel needs no compiler: it is installed, and builds for other platforms, without a network."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from czscie.launchers.build import all_programs
from e2e.build import Builder, read_results
from e2e.mirror.release import TAG
from e2e.run import start
from e2e.wheelhouse import wheelhouse
from release.__main__ import CHECKOUT
from release.distributions import Distributions, build_distributions, compile_programs

NO_NETWORK = ("unshare", "--net")

MANIFEST = f"""\
[lift]
name = "hello"
platforms = ["linux-x86_64", "linux-aarch64"]
compression_level = 1

[[lift.interpreters]]
id = "cpython"
provider = "PythonBuildStandalone"
release = "{TAG}"
version = "3.11"

[lift.payload]
script = "hello.py"
"""

FIND_PROGRAMS = """\
import importlib.util, sys
from pathlib import Path
from czscie.launchers.build import find_launcher
assert importlib.util.find_spec("ziglang") is None
print(*(name for name in sys.argv[1:] if find_launcher(name, Path("nowhere")) is None))
"""


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Distributions:
    return build_distributions(CHECKOUT, compile_programs(), tmp_path_factory.mktemp("release"))


@pytest.fixture(scope="module")
def wheels(interpreters: dict[str, Path]) -> Path:
    return wheelhouse(interpreters["3.13"])


@pytest.fixture(scope="module")
def environment(
    distributions: Distributions,
    wheels: Path,
    interpreters: dict[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A virtual environment with the wheel, and with no other packages than it requires."""
    if subprocess.run([*NO_NETWORK, "true"], capture_output=True).returncode != 0:
        pytest.skip("no network namespace can be made: root is needed")
    directory = tmp_path_factory.mktemp("environment")
    subprocess.run([interpreters["3.13"], "-m", "venv", "--without-pip", directory], check=True)
    pip: list[str | Path] = [sys.executable, "-m", "pip", "--python", directory / "bin/python", "install"]
    pip += ["--quiet", "--no-index", "--no-compile", "--find-links", wheels, distributions.wheel]
    subprocess.run([*NO_NETWORK, *pip], check=True)
    return directory


def test_the_wheel_has_all_launchers_and_fetchers(environment: Path) -> None:
    command = [str(environment / "bin/python"), "-c", FIND_PROGRAMS, *all_programs()]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "\n"), done.stderr


def test_the_wheel_builds_for_other_platforms(
    environment: Path, mirror_directory: Path, builder: Builder, tmp_path: Path
) -> None:
    (tmp_path / "lift.toml").write_text(MANIFEST)
    (tmp_path / "hello.py").write_text("print('hello, world')\n")
    done = subprocess.run(
        [*NO_NETWORK, environment / "bin/czscie", "build", "-o", "dist"],
        cwd=tmp_path,
        env={**os.environ, **builder.settings(), "CZSCIE_PBS_URL": mirror_directory.as_uri()},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "ompil" not in done.stderr, "nothing is compiled but the payload's modules"
    built = {result.path.name: tmp_path / result.path for result in read_results(done.stdout)}
    assert built.keys() == {"hello-linux-x86_64", "hello-linux-aarch64"}
    hello = start(built["hello-linux-x86_64"], base=tmp_path / "base")
    assert hello.stdout == b"hello, world\n", hello.stderr
