from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import czscie
from czscie.filesystem import write_atomically
from czscie.leftovers import scratch

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="files cannot be locked there")

WRITER = """\
import sys, time
from pathlib import Path
from czscie.filesystem import write_atomically
from czscie.leftovers import scratch
def write(stream):
    stream.write(b"half")
    stream.flush()
    print("!", flush=True)
    time.sleep(60)
with scratch() as directory:
    (directory / "file").write_text("x")
    write_atomically(Path(sys.argv[1]), write)
"""


@pytest.fixture
def writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> subprocess.Popen[str]:
    """A process that is writing `out` and has a directory of its own."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setattr(tempfile, "tempdir", None)
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path / "out")],
        env={**os.environ, "PYTHONPATH": str(Path(czscie.__file__).parents[1])},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stdout.readline() == "!\n"
    return process


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def write_both(directory: Path) -> None:
    write_atomically(directory / "out", lambda stream: stream.write(b"whole"))
    with scratch() as mine:
        assert mine.parent == directory / "temporary"


def test_what_a_killed_process_was_writing_goes_when_the_next_one_writes(
    tmp_path: Path, writer: subprocess.Popen[str]
) -> None:
    writer.kill()
    writer.wait()
    assert len(names(tmp_path)) == 2 and len(names(tmp_path / "temporary")) == 1
    write_both(tmp_path)
    assert names(tmp_path) == ["out", "temporary"]
    assert names(tmp_path / "temporary") == []
    assert (tmp_path / "out").read_bytes() == b"whole"


def test_what_a_process_is_writing_stays(tmp_path: Path, writer: subprocess.Popen[str]) -> None:
    try:
        write_both(tmp_path)
        assert len(names(tmp_path)) == 3 and len(names(tmp_path / "temporary")) == 1
    finally:
        writer.kill()
        writer.wait()


def test_what_is_called_otherwise_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    kept = [".out.mine", ".other.abcdefgh", ".out.abcdefgh.txt", "czscie-build-mine", "czscie-abcdefgh"]
    for name in kept:
        (tmp_path / name).touch()
    write_atomically(tmp_path / "out", lambda stream: stream.write(b""))
    with scratch():
        pass
    assert names(tmp_path) == sorted([*kept, "out"])


def test_a_link_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").touch()
    (tmp_path / "czscie-build-abcdefgh").symlink_to("precious")
    with scratch():
        pass
    assert (tmp_path / "precious" / "file").exists()
