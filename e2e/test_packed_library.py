"""A real CPython whose library is packed shows its programs what it showed them before."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from e2e import import_facts
from e2e.conftest import PYTHONS
from e2e.cpython_suite import compare
from e2e.packed_tree import Twins, copy_twice

#: In a minute: imports, running modules, what `inspect` and tracebacks read of them.
_OF_CPYTHON = ("test_pkgutil", "test_runpy", "test_linecache", "test_zipimport_support", "test_inspect")


@pytest.fixture(scope="module", params=PYTHONS)
def twins(
    request: pytest.FixtureRequest, interpreters: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Twins:
    return copy_twice(interpreters[request.param], tmp_path_factory.mktemp(f"twins-{request.param}"))


def facts(python: Path, *arguments: str, flags: tuple[str, ...] = (), **environment: str) -> dict[str, Any]:
    done = subprocess.run(
        [python, *flags, Path(import_facts.__file__), *arguments],
        env={"PATH": os.defpath, **environment},
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_programs_find_the_same(twins: Twins) -> None:
    files, packed = (facts(python, "--processes", flags=("-I",)) for python in (twins.files, twins.packed))
    for part in files:
        assert packed[part] == files[part], part
    assert files["threads"] == []


@pytest.mark.parametrize(
    "flags", [("-S",), ("-E",), ("-O",), ("-OO",), ("-X", "frozen_modules=off")], ids=" ".join
)
def test_programs_find_the_same_whatever_the_flags(twins: Twins, flags: tuple[str, ...]) -> None:
    assert facts(twins.packed, flags=flags) == facts(twins.files, flags=flags)


def test_bytecode_that_is_kept_elsewhere_is_looked_for_there(twins: Twins, tmp_path: Path) -> None:
    cache = str(tmp_path)
    packed = facts(twins.packed, PYTHONPYCACHEPREFIX=cache)
    assert packed == facts(twins.files, PYTHONPYCACHEPREFIX=cache)


def test_few_files_are_left(twins: Twins) -> None:
    def count(python: Path) -> int:
        return sum(1 for _ in (python.parent.parent / "lib").rglob("*.py"))

    assert count(twins.packed) < count(twins.files) / 3


def test_cpythons_own_tests_see_no_difference(tmp_path: Path) -> None:
    python = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    library = python.parent.parent / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}"
    if not (library / "test" / "test_runpy.py").exists():
        pytest.skip(f"{python} has no package test")
    own = copy_twice(python, tmp_path / "twins")
    for module in _OF_CPYTHON:
        files, _, differences = compare(own, module)
        assert files.outcomes, files.output
        assert [each for each in differences if each.why is None] == []
