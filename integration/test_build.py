"""A build with the Python that runs the tests, by the command line."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

import czscie
from building import Project, pex
from czscie.composition.write import composition
from czscie.launchers import build as launchers
from czscie.platforms import current_launcher, current_platform
from scie.factories import host_launcher


@dataclass(frozen=True)
class Real:
    """A project that was built with the Python that runs the tests, by the command line."""

    directory: Path
    cache: Path
    first: subprocess.CompletedProcess[str]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return run_build(self.directory, self.cache, *arguments)


def run_build(directory: Path, cache: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    source = str(Path(czscie.__file__).parents[1])
    return subprocess.run(
        [sys.executable, "-m", "czscie", "build", *arguments],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": source, "CZSCIE_CACHE": str(cache), "COLUMNS": "100"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Real:
    if sys.platform != "linux":
        pytest.skip("the provider Host is for Linux")
    directory = tmp_path_factory.mktemp("real")
    launcher = directory / "cache" / "launchers" / launchers.file_name(current_launcher())
    launcher.parent.mkdir(parents=True)
    launcher.write_bytes(host_launcher().read_bytes())
    pex(directory / "moo.pex")
    Project(directory).manifest('provider = "Host"', (current_platform().name,))
    return Real(directory, directory / "cache", run_build(directory, directory / "cache"))


def test_a_built_scie_runs(real: Real) -> None:
    assert real.first.returncode == 0, real.first.stderr
    done = subprocess.run(
        [real.directory / "dist" / "moo", "a b"],
        env={"CZSCIE_BASE": str(real.directory / "base")},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (3, "moo ['a b']\n", "")


def test_the_path_and_the_digest_are_all_of_standard_output(real: Real) -> None:
    digest = hashlib.sha256((real.directory / "dist" / "moo").read_bytes()).hexdigest()
    assert real.first.stdout == f"dist/moo  {digest}\n"


def test_phases_summary_and_needs_are_told_on_standard_error(real: Real) -> None:
    told = [line for line in real.first.stderr.splitlines() if not re.search(r": [\d:]+( s)?(, |$)", line)]
    phases = [re.sub(r"( \([\d.]+ MB\))? in [\d.]+ m?s", "", line) for line in told]
    lock, interpreter, payload, wrote, summary, needs, finished = phases
    assert (lock, wrote) == ("Wrote lift.lock", "Wrote dist/moo")
    assert interpreter.startswith("Packed cpython 3.")
    assert payload == "Packed moo.pex: 1 wheel, 1 source file"
    assert re.fullmatch(
        r"Left out [\d.]+ MB of CPython, packed \d+ modules, kept \d+ as files \(-v lists them\)",
        summary,
    )
    assert needs.startswith(f"Needs {current_launcher()}, ")
    assert finished == "Finished. Next: dist/moo, or czscie inspect dist/moo"


def test_items_and_a_table_are_told_on_request(real: Real) -> None:
    lines = real.run("-v").stderr.splitlines()
    assert lines[0].startswith("Resolved cpython: cpython 3.")
    assert [line for line in lines if line.startswith("  left out: ")]
    table = lines.index("dist/moo")
    assert [line.split()[0] for line in lines[table : table + 3]] == ["dist/moo", "packed", "launcher"]


def test_a_quiet_build_only_prints_its_result(real: Real) -> None:
    quiet = real.run("--quiet")
    assert (quiet.stdout, quiet.stderr) == (real.first.stdout, "")


def test_a_second_build_only_puts_the_parts_together(real: Real) -> None:
    second = real.run()
    assert second.stdout == real.first.stdout
    phases = [line.split()[0] for line in second.stderr.splitlines() if re.search(r" in [\d.]+ m?s$", line)]
    assert phases == ["Wrote"]
    assert len((second.stderr + second.stdout).splitlines()) <= 6


def test_what_is_packed_and_what_is_left_out_is_listed_each_time(real: Real) -> None:
    notes = [line for line in real.run("-v").stderr.splitlines() if line.startswith("  ")]
    assert any(re.fullmatch(r"  packed: \d+ modules of the standard library", note) for note in notes)
    assert "  packed: 2 modules of the payload, 0 of them instead of files" in notes
    assert [line for line in real.run("-v").stderr.splitlines() if line in notes] == notes


def test_the_page_of_a_build_counts_its_bytes_and_its_modules(real: Real) -> None:
    found = composition(real.directory / "dist/moo")
    assert found.whole.packed == (real.directory / "dist/moo").stat().st_size
    leaves = [*found.whole.parts]
    for piece in leaves:
        leaves.extend(piece.parts)
    forms = Counter(piece.form for piece in leaves)
    notes = real.run("-v").stderr
    packed = sum(map(int, re.findall(r"  packed: (\d+) modules", notes)))
    assert forms["archive"] + forms["module"] == packed
    [cow] = [piece for piece in found.whole.parts if piece.key == "wheel:cow"]
    assert {piece.why for piece in cow.parts if piece.form == "module"} == {"they are the application's own"}


def test_equal_inputs_give_equal_bytes(real: Real) -> None:
    before = (real.directory / "dist" / "moo").read_bytes()
    real.run()
    assert (real.directory / "dist" / "moo").read_bytes() == before


def test_json_is_all_of_standard_output(real: Real) -> None:
    [document] = json.loads(real.run("--json").stdout)
    assert document["path"] == "dist/moo"
    assert document["sha256"] == real.first.stdout.split()[1]
    assert [part["name"] for part in document["parts"]] == ["cpython", "payload"]
