"""A damaged executable says so: it never crashes and never runs what was not built."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from czscie.container.content import Data, File
from integration.native.small_scie import SmallScie, installed, make_small_scie

FLIPS = 2000
TRUNCATIONS = 200
#: What the launcher decodes piece by piece; it does not compress, so every byte of its entry is content.
STREAMED = File("lib/large", Data(random.Random(0).randbytes(9 << 20)))


@pytest.fixture(scope="module")
def scie(tmp_path_factory: pytest.TempPathFactory) -> SmallScie:
    return make_small_scie(tmp_path_factory.mktemp("small"))


@contextmanager
def flipped(path: Path, position: int, bit: int) -> Iterator[None]:
    """The file with one bit changed, as long as the context lasts."""
    with path.open("r+b") as file:
        file.seek(position)
        [byte] = file.read(1)
        file.seek(position)
        file.write(bytes([byte ^ 1 << bit]))
    yield
    with path.open("r+b") as file:
        file.seek(position)
        file.write(bytes([byte]))


def check_start(scie: SmallScie, base: Path, what: str) -> bool:
    """One cold start: either an error and nothing installed, or all as it was built. Whether it started."""
    shutil.rmtree(base, ignore_errors=True)
    done = scie.start(base, "argument")
    found = installed(base)
    if done.returncode == 0:
        assert done.stdout.splitlines()[0] == "started", what
        assert done.stdout.splitlines()[2:] == ["own", "argument"], what
        assert found == scie.contents, what
        return True
    assert done.returncode == 1, f"{what}: {done}"
    assert "error:" in done.stderr and "hint:" in done.stderr, f"{what}: {done}"
    assert done.stdout == "", what
    assert found is None, what
    return False


def test_a_flipped_bit_anywhere_is_an_error_or_changes_nothing(scie: SmallScie, tmp_path: Path) -> None:
    choices = random.Random(1)
    end = scie.path.stat().st_size
    started = 0
    for _ in range(FLIPS):
        position, bit = choices.randrange(scie.launcher_size, end), choices.randrange(8)
        with flipped(scie.path, position, bit):
            started += check_start(scie, tmp_path / "base", f"bit {bit} of byte {position}")
    assert started < FLIPS / 2, "most bytes of the file matter"


def test_a_truncated_file_is_an_error(scie: SmallScie, tmp_path: Path) -> None:
    whole = scie.path.read_bytes()
    cut = SmallScie(tmp_path / "cut", scie.launcher_size, scie.contents)
    lengths = len(whole) - scie.launcher_size
    for number in range(TRUNCATIONS):
        length = scie.launcher_size + lengths * number // TRUNCATIONS
        cut.path.write_bytes(whole[:length])
        cut.path.chmod(0o755)
        assert not check_start(cut, tmp_path / "base", f"cut to {length} bytes")


def test_a_large_file_that_is_damaged_is_an_error(tmp_path: Path) -> None:
    scie = make_small_scie(tmp_path, STREAMED)
    assert check_start(scie, tmp_path / "base", "undamaged")
    content = scie.path.read_bytes()
    # The largest entry is the first behind the launcher.
    start = content.index(b"lib/large", scie.launcher_size) + len(b"lib/large")
    choices = random.Random(2)
    for _ in range(50):
        position, bit = start + choices.randrange(9 << 20), choices.randrange(8)
        with flipped(scie.path, position, bit):
            assert not check_start(scie, tmp_path / "base", f"bit {bit} of byte {position}")


def test_a_whole_file_behind_other_bytes_does_not_start(scie: SmallScie, tmp_path: Path) -> None:
    appended = SmallScie(tmp_path / "appended", scie.launcher_size, scie.contents)
    appended.path.write_bytes(scie.path.read_bytes() + b"something else")
    appended.path.chmod(0o755)
    assert not check_start(appended, tmp_path / "base", "appended bytes")
