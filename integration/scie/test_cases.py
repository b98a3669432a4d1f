"""Lifts of the scie world, built and run: a directory of cases/ each.

A case has `lift.toml` or `lift.json`, files that the lift names, and `runs.toml`: the runs in their order,
each with `arguments`, `environment`, the working `directory` (the case's own), and what it must print.
`{case}`, `{scie}` and `{base}` stand for paths there.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from czscie.build import build
from czscie.session import Session

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="starts programs of Linux")

CASES = sorted(path.parent for path in Path(__file__).parent.glob("cases/*/runs.toml"))


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_lift_runs_as_its_launcher_would_run_it(case: Path, tmp_path: Path) -> None:
    directory = shutil.copytree(case, tmp_path / "case")
    [manifest] = directory.glob("lift.*")
    [made] = build(manifest, tmp_path / "dist", [], Session.of())
    places = {"case": str(directory), "scie": str(made.path), "base": str(tmp_path / "base")}
    runs = tomllib.loads((case / "runs.toml").read_text())["run"]
    for number, run in enumerate(runs):
        check(run, places, f"run {number} of {case.name}")


def check(run: dict[str, Any], places: dict[str, str], label: str) -> None:
    def filled(text: str) -> str:
        for name, path in places.items():
            text = text.replace(f"{{{name}}}", path)
        return text

    environment = {"PATH": "/usr/bin:/bin", "CZSCIE_BASE": places["base"]}
    environment |= {name: filled(value) for name, value in run.get("environment", {}).items()}
    directory = Path(places["case"], run.get("directory", "."))
    directory.mkdir(exist_ok=True)
    done = subprocess.run(
        [places["scie"], *run.get("arguments", [])],
        cwd=directory,
        env={name: value for name, value in environment.items() if value != "unset"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == filled(run.get("stdout", "")), (label, done.stderr)
    assert done.returncode == run.get("status", 0), (label, done.stderr)
    assert filled(run.get("stderr", "")) in done.stderr, label
