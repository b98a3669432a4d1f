"""A real CPython without the parts that are left out does everything else that it did."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from czscie.container.content import Link
from czscie.pbs.archive import read_archive
from czscie.pbs.distribution import Distribution, detect_layout
from czscie.pbs.prune import Pruned, prune
from czscie.platforms import find_platform
from e2e import pruned as program
from e2e.conftest import PYTHONS
from e2e.mirror import release

#: The modules at the top that parts consist of; not every CPython has them all.
LEFT_OUT = {
    *("ensurepip", "idlelib", "lib2to3", "tkinter", "turtle", "turtledemo"),
    *("pip", "setuptools", "pkg_resources", "_distutils_hack", "_dbm", "_gdbm"),
    *("__hello__", "__phello__", "_xxtestfuzz", "xxlimited", "xxlimited_35", "xxsubtype"),
}


@dataclass(frozen=True, slots=True)
class Tried:
    """A pruned CPython, unpacked to `root`, and what it was before."""

    minor: str
    whole: Distribution
    pruned: Pruned
    root: Path


@pytest.fixture(scope="module", params=PYTHONS)
def tried(
    request: pytest.FixtureRequest, mirror_directory: Path, tmp_path_factory: pytest.TempPathFactory
) -> Tried:
    (asset,) = (
        asset
        for asset in release.read_assets(mirror_directory)
        if asset.minor == request.param and asset.triple.startswith("x86_64-")
    )
    items = read_archive(mirror_directory / release.TAG / asset.name)
    layout = detect_layout(items, asset.name)
    whole = Distribution.of(items, layout, find_platform("linux-x86_64"), asset.name)
    root = tmp_path_factory.mktemp(f"pruned-{asset.minor}")
    pruned = prune(whole, ())
    unpack(pruned.distribution, root)
    return Tried(asset.minor, whole, pruned, root)


def unpack(distribution: Distribution, root: Path) -> None:
    for item in distribution.items:
        path = root / item.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(item, Link):
            path.symlink_to(item.target)
        else:
            path.write_bytes(item.content.read())
            path.chmod(0o755 if item.executable else 0o644)


def run(python: Path) -> dict[str, Any]:
    """What `e2e/pruned.py` says in that Python, which writes nothing beside itself."""
    done = subprocess.run(
        [python, "-I", "-B", "-W", "ignore", Path(program.__file__)],
        env={},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def test_everything_else_works_as_before(tried: Tried, interpreters: dict[str, Path]) -> None:
    before, after = run(interpreters[tried.minor]), run(tried.root / tried.whole.layout.python)
    assert after["works"] == before["works"]
    assert {*before["good"]} - {*after["good"]} == {*before["good"]} & LEFT_OUT
    assert {name: why for name, why in before["bad"].items() if name not in LEFT_OUT} == after["bad"]


def test_most_of_the_files_and_a_third_of_the_bytes_are_gone(tried: Tried) -> None:
    def files(distribution: Distribution) -> int:
        return len(distribution.items)

    def size(distribution: Distribution) -> int:
        return sum(item.content.size for item in distribution.items if not isinstance(item, Link))

    rest = tried.pruned.distribution
    assert files(rest) < files(tried.whole) / 6
    assert size(rest) < size(tried.whole) * 2 / 3
    gone = tried.pruned.left_out
    assert sum(each.files for each in gone) == files(tried.whole) - files(rest)
    assert sum(each.size for each in gone) == size(tried.whole) - size(rest)


def test_no_link_leads_nowhere(tried: Tried) -> None:
    broken = [path for path in tried.root.rglob("*") if path.is_symlink() and not path.exists()]
    assert broken == []
