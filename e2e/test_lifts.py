"""Lifts as those in the documentation and the examples of science and scie-jump, built and started.

Each directory of `lifts` has a manifest, its files, and `starts.toml`: starts in this order, with what each
has to print. A directory `NAME.d` becomes the archive `NAME`. A variable `BASE` is a directory of the test.
"""

from __future__ import annotations

import shutil
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from e2e.build import Builder, read_results
from e2e.run import start

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

LIFTS = sorted((Path(__file__).parent / "lifts").iterdir())
_MODES: dict[str, Any] = {".tgz": "w:gz", ".xz": "w:xz"}


@pytest.mark.parametrize("lift", LIFTS, ids=lambda lift: lift.name)
def test_a_lift_starts_as_its_directory_says(lift: Path, builder: Builder, tmp_path: Path) -> None:
    work, base, directory = tmp_path / "work", tmp_path / "base", tmp_path / "here"
    shutil.copytree(lift, work)
    directory.mkdir()
    for made in work.glob("*.d"):
        archive = made.with_suffix("")
        with tarfile.open(archive, _MODES[archive.suffix]) as file:
            for path in made.iterdir():
                file.add(path, path.name)
    [manifest] = work.glob("lift.*")
    done = builder.run(manifest.name, directory=work)
    assert done.returncode == 0, done.stderr
    [result] = read_results(done.stdout)
    executable = work / result.path
    for each in tomllib.loads((lift / "starts.toml").read_text())["start"]:
        for name, text in each.get("files", {}).items():
            (directory / name).write_text(text)
        program = executable
        if "link" in each:
            program = directory / each["link"]
            program.symlink_to(executable)
        environment = {
            name: str(tmp_path) if value == "BASE" else value
            for name, value in {"PATH": "/usr/bin:/bin", **each.get("environment", {})}.items()
        }
        ended = start(
            program, *each.get("arguments", ()), base=base, environment=environment, directory=directory
        )
        error = ended.stderr.decode()
        assert ended.returncode == each.get("status", 0), (each, error)
        assert ended.stdout.decode() == each.get("output", "").lstrip("\n"), (each, error)
        assert each.get("error", "") in error if "error" in each else not error, (each, error)
