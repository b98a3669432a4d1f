"""Processes of czscie that are killed at random instants, eight at once on one cache, and what they leave.

`CZSCIE_KILLS=200 pytest integration/test_kills.py` kills more of them.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

import czscie
from building import Project

KILLS = int(os.environ.get("CZSCIE_KILLS", "16"))
AT_ONCE = 8
#: After so many rounds the cache is empty again, so that all its products are made while somebody is killed.
ROUNDS_PER_CACHE = 2
PLATFORMS = ("linux-x86_64", "windows-x86_64")
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("build", "lift.toml", "-o", "dist"),
    ("lock", "lift.toml", "--upgrade"),
    ("inject", "moo.pex", "-o", "moo.czex"),
)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")


def start(directory: Path, command: Sequence[str], temporary: Path) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(czscie.__file__).parents[1]),
        "TMPDIR": str(temporary),
    }
    return subprocess.Popen(
        [sys.executable, "-m", "czscie", *command],
        cwd=directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def finish(
    directories: Sequence[Path], temporary: Path, commands: Sequence[Sequence[str]] = COMMANDS
) -> None:
    """Runs commands to their end, each in all directories at once."""
    for command in commands:
        for process in [start(directory, command, temporary) for directory in directories]:
            _, errors = process.communicate(timeout=600)
            assert process.returncode == 0, errors.decode()


def results(directory: Path) -> dict[str, bytes]:
    """What the commands have written under its final name."""
    found = [directory / "lift.lock", directory / "moo.czex", *(directory / "dist").glob("[!.]*")]
    return {path.name: path.read_bytes() for path in found if path.is_file()}


def products(cache: Path) -> dict[str, bytes]:
    """All that the cache has under a final name."""
    files = (path for path in cache.rglob("*") if path.is_file())
    return {
        str(path.relative_to(cache)): path.read_bytes()
        for path in files
        if not any(part.startswith(".") for part in path.relative_to(cache).parts)
    }


def hidden(*directories: Path) -> list[str]:
    """What killed processes have left of what they were writing."""
    names = (path.name for each in directories for path in each.rglob(".*"))
    return sorted(name for name in names if name not in (".lock",) and not name.endswith(".partial"))


def check(found: Mapping[str, bytes], reference: Mapping[str, bytes]) -> None:
    """Everything is whole."""
    assert found.keys() <= reference.keys()
    assert [name for name, data in found.items() if data != reference[name]] == []


def test_whatever_is_killed_nothing_is_broken_and_nothing_stays(project: Project, tmp_path: Path) -> None:
    (project.directory / "noise").write_bytes(random.Random(1).randbytes(4 << 20))
    project.manifest(platforms=PLATFORMS, rest='[[lift.files]]\nname = "noise"\ntype = "blob"\n')
    source, cache, temporary = project.directory, tmp_path / "cache", tmp_path / "temporary"
    temporary.mkdir()
    launchers = shutil.copytree(cache / "launchers", tmp_path / "launchers")
    workers = [shutil.copytree(source, tmp_path / f"worker{number}") for number in range(AT_ONCE)]
    started = time.monotonic()
    finish(workers, temporary, COMMANDS[:1])
    seconds = time.monotonic() - started
    finish(workers[:1], temporary)
    reference, whole = results(workers[0]), products(cache)
    assert len(reference) == len(PLATFORMS) + 2

    dice = random.Random(12)
    killed = rounds = left = 0
    while killed < KILLS or (not left and rounds < KILLS):
        if rounds % ROUNDS_PER_CACHE == 0:
            shutil.rmtree(cache)
            shutil.copytree(launchers, cache / "launchers")
        rounds += 1
        processes = [start(worker, COMMANDS[dice.choice((0, 0, 1, 2))], temporary) for worker in workers]
        # All eight are killed soon after each other: one that went on would sweep what the others left.
        time.sleep(dice.uniform(seconds / 8, seconds) / (1 if rounds % ROUNDS_PER_CACHE == 1 else 2))
        for process in processes:
            time.sleep(dice.uniform(0, seconds / 50))
            killed += process.poll() is None
            process.kill()
        for process in processes:
            process.communicate()
        left += len(hidden(cache, temporary, *workers)) + len(list(temporary.iterdir()))
        check(products(cache), whole)
        for worker in workers:
            check(results(worker), reference)
        worker = dice.choice(workers)
        finish([worker], temporary, COMMANDS[:1])
        check(results(worker), reference)
        assert len(results(worker)) >= len(PLATFORMS) + 1
        assert hidden(worker / "dist") == []
    finish(workers, temporary)
    assert all(results(worker) == reference for worker in workers)
    subprocess.run([sys.executable, "-m", "czscie", "cache", "prune"], check=True, capture_output=True)
    assert products(cache) == whole
    assert hidden(cache, *workers) == []
    assert [path.name for path in temporary.iterdir() if re.match("czscie-", path.name)] == []
    assert left > 0  # or they were killed while there was nothing to break
    print(f"{killed} killed in {rounds} rounds, which left {left} things")
