from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

import czscie
from czscie.cache import cache_directory
from czscie.cli import app

DAY = 86400


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache with an archive, a product that is 40 days old, and something of the user's."""
    root = tmp_path / "cache"
    monkeypatch.setenv("CZSCIE_CACHE", str(root))
    archive = root / "archives" / ("0" * 64) / "cpython.tar.gz"
    archive.parent.mkdir(parents=True)
    archive.write_bytes(bytes(2_000_000))
    (root / "packed").mkdir()
    for name in ("key.zip", "key.json"):
        (root / "packed" / name).write_text('{"content": {"known": {"description": "old one"}}}')
        os.utime(root / "packed" / name, (0, time.time() - 40 * DAY))
    (root / "letter.txt").write_text("mine")
    return root


def run(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["cache", *arguments], catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


def left(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.rglob("*") if path.is_file() and path.name != ".lock")


def test_dir_says_where_the_cache_is(cache: Path) -> None:
    assert run("dir") == f"{cache}\n"


def test_list_says_how_much_there_is_of_each_kind(cache: Path) -> None:
    assert run("list").splitlines() == [
        "archives        1     2.0 MB  today         downloaded interpreters and other files",
        "packed          1     0.1 kB  40 days ago   packed interpreters and payloads",
        f"2 entries, 2.0 MB, in {cache}",
    ]


def test_list_of_a_kind_names_each_thing(cache: Path) -> None:
    assert run("list", "archives").splitlines() == [
        "archives       2.0 MB  today         cpython.tar.gz",
        "1 entry, 2.0 MB",
    ]


def test_list_as_json_has_everything(cache: Path) -> None:
    [archive, product] = json.loads(run("list", "--json"))
    assert archive["paths"] == [str(cache / "archives" / ("0" * 64))]
    assert {key: product[key] for key in ("kind", "name", "size", "left_over")} == {
        "kind": "packed",
        "name": "old one",
        "size": 100,
        "left_over": False,
    }


def test_prune_takes_away_what_was_not_used_for_thirty_days(cache: Path) -> None:
    assert run("prune") == f"removed 1 entry, 0.1 kB, from {cache}\n"
    assert left(cache) == ["cpython.tar.gz", "letter.txt"]


def test_prune_keeps_to_a_size_whatever_the_age(cache: Path) -> None:
    assert run("prune", "--max-size", "3MB").startswith("removed 0 entries")
    assert run("prune", "--max-size", "1MB").startswith("removed 2 entries")
    assert left(cache) == ["letter.txt"]


def test_a_dry_run_takes_nothing_away(cache: Path) -> None:
    assert run("clean", "--dry-run") == f"would remove 2 entries, 2.0 MB, from {cache}\n"
    assert left(cache) == ["cpython.tar.gz", "key.json", "key.zip", "letter.txt"]


def test_clean_takes_away_kinds_or_all_and_nothing_of_the_users(cache: Path) -> None:
    run("clean", "packed")
    assert left(cache) == ["cpython.tar.gz", "letter.txt"]
    run("clean")
    assert left(cache) == ["letter.txt"]


def test_where_there_is_no_cache_there_is_nothing_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CZSCIE_CACHE", str(tmp_path / "nowhere"))
    assert run("clean") == f"there is no cache at {tmp_path / 'nowhere'}\n"
    assert not (tmp_path / "nowhere").exists()


def test_a_kind_that_could_not_be_taken_away_is_a_defect(cache: Path) -> None:
    with pytest.raises(AssertionError):
        cache_directory("letters")


BUILD = """
import sys
from czscie.cache import cache_directory
cache_directory("packed")
print("uses it", flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="files in use cannot be removed there anyway")
def test_clean_waits_for_a_build_that_uses_the_cache(cache: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(czscie.__file__).parents[1])}
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", BUILD], stdin=pipe, stdout=pipe, env=environment) as build:
        assert build.stdin is not None and build.stdout is not None
        assert build.stdout.readline() == b"uses it\n"
        command = [sys.executable, "-m", "czscie", "cache", "clean"]
        with subprocess.Popen(command, stdout=pipe, stderr=pipe, env=environment) as clean:
            assert clean.stderr is not None
            assert clean.stderr.readline() == b"waiting for other builds that use the cache\n"
            assert left(cache) == ["cpython.tar.gz", "key.json", "key.zip", "letter.txt"]
            build.stdin.close()
            assert clean.wait(20) == 0
    assert left(cache) == ["letter.txt"]


@pytest.mark.skipif(sys.platform != "linux", reason="counts open files in /proc")
def test_a_process_holds_the_cache_that_it_used_last_and_no_other(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for number in range(5):
        cache_directory("known", {"CZSCIE_CACHE": str(tmp_path / str(number))})
    assert len(list(Path("/proc/self/fd").iterdir())) <= before + 1
