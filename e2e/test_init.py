"""What `czscie init` writes can be built as `czscie plan` says, and runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from e2e.build import Builder, read_results
from e2e.pexes import COWSAY, Recipe
from e2e.run import start

SCRIPT = '''\
# /// script
# requires-python = ">=3.11"
# dependencies = ["cowsay==6.1"]
# ///
"""Says it."""
import sys

import cowsay

if __name__ == "__main__":
    cowsay.cow(" ".join(sys.argv[1:]))
'''

PROJECT = """\
[build-system]
requires = ["setuptools==80.9.0"]
build-backend = "setuptools.build_meta"

[project]
name = "herd"
version = "1.0"
requires-python = ">=3.11"
dependencies = ["cowsay==6.1"]

[project.scripts]
herd = "herd:say"

[tool.setuptools]
py-modules = ["herd"]
"""


@pytest.fixture
def subject(request: pytest.FixtureRequest, tmp_path: Path, pexes: Callable[[Recipe], Path]) -> str | Path:
    """What the manifest is written for, in the test's directory but for the PEX."""
    if request.param == "pex":
        return pexes(COWSAY)
    if request.param == "script":
        (tmp_path / "herd.py").write_text(SCRIPT)
        return "herd.py"
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "herd.py").write_text(f"{SCRIPT}\n\ndef say() -> None:\n    cowsay.cow(sys.argv[1])\n")
    return "."


@pytest.mark.parametrize("subject", ["project", "pex", "script"], indirect=True)
def test_a_first_manifest_builds_an_executable_that_runs(
    subject: str | Path, builder: Builder, shared_base: Path, tmp_path: Path
) -> None:
    written = builder.run(subject, directory=tmp_path, command="init")
    assert (written.returncode, written.stdout) == (0, "lift.toml\n"), written.stderr
    built = builder.run(directory=tmp_path)
    assert built.returncode == 0, built.stderr
    [result] = read_results(built.stdout)
    planned = builder.run("--locked", "--json", directory=tmp_path, command="plan")
    plan = json.loads(planned.stdout)
    assert [executable["path"] for executable in plan["executables"]] == [str(result.path)]
    assert (plan["lock"]["state"], plan["downloads"]["files"]) == ("current", 0)
    arguments = ["-t", "moo"] if isinstance(subject, Path) else ["moo"]
    done = start(tmp_path / result.path, *arguments, base=shared_base)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"| moo |" in done.stdout
