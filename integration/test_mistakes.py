"""Mistakes of users: a directory each, with what was typed and exactly what czscie answers.

`command` has the arguments but for `--quiet`, and `expected.txt` the exit status and standard error.
DIRECTORY stands for the directory of the mistake, ABOVE for the one that it is in, RELEASE for the release of
the fake CPythons.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from building import RELEASE, Project, pex
from integration.czex.conftest import pex_environment
from lock.wheelhouse import wheel_file

__all__ = ("pex_environment",)

MISTAKES = Path(__file__).parent / "mistakes"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the texts are those of Linux")


def wheels(directory: Path) -> None:
    """The wheelhouse of all mistakes."""
    directory.mkdir()
    wheel_file(directory, "cow-1.0-py3-none-any.whl", entry_points="[console_scripts]\nmoo = cow:main\n")
    wheel_file(directory, "cow-2.0-py3-none-any.whl", entry_points="[console_scripts]\nmoo = cow:main\n")
    wheel_file(directory, "pig-1.0-cp313-cp313-win_amd64.whl")
    wheel_file(directory, "calf-1.0-cp313-cp313-manylinux_2_39_x86_64.whl")
    wheel_file(directory, "herd-1.0-py3-none-any.whl", requires_python=">=3.14")
    wheel_file(directory, "farm-1.0-py3-none-any.whl", requires=["cow>=3"])


@pytest.mark.parametrize("name", sorted(path.name for path in MISTAKES.iterdir()))
def test_a_mistake_gets_exactly_the_expected_answer(
    name: str, project: Project, tmp_path: Path, pex_environment: dict[str, str]
) -> None:
    directory = tmp_path / "mistake"
    shutil.copytree(MISTAKES / name, directory)
    wheels(tmp_path / "wheels")
    pex(directory / "moo.pex")
    environment = {
        **os.environ,
        "PEX_ROOT": pex_environment["PEX_ROOT"],
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(tmp_path / "wheels"),
        "NO_COLOR": "1",
    }
    done = subprocess.run(
        [sys.executable, "-m", "czscie", *shlex.split((directory / "command").read_text()), "--quiet"],
        cwd=directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    said = f"exit status {done.returncode}\n{done.stderr}"
    for text, word in ((str(directory), "DIRECTORY"), (str(tmp_path), "ABOVE"), (RELEASE, "RELEASE")):
        said = said.replace(text, word)
    assert said == (directory / "expected.txt").read_text()
    assert not (directory / "dist").exists()
