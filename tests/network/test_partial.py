from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import pytest

from czscie.errors import CzscieError
from czscie.network import partial
from czscie.network.partial import claim_partial


def test_a_part_that_is_held_is_left_alone(tmp_path: Path) -> None:
    final = tmp_path / "file"
    with claim_partial(final) as first, claim_partial(final) as second:
        first.write(b"first")
        second.write(b"second")
        assert (first.path.name, second.path.name) == (".file.0.partial", ".file.1.partial")
    assert (tmp_path / ".file.0.partial").read_bytes() == b"first"
    assert (tmp_path / ".file.1.partial").read_bytes() == b"second"


def test_a_part_is_gone_on_with_once_it_is_let_go(tmp_path: Path) -> None:
    with claim_partial(tmp_path / "file") as part:
        part.write(b"one ")
    with claim_partial(tmp_path / "file") as part:
        assert part.size == 4
        part.write(b"two")
        part.finish(tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"one two"
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["file"]


def test_a_part_that_just_became_the_file_is_not_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process renames what it held after we opened it and before we lock it."""
    final, lock = tmp_path / "file", partial._lock
    (tmp_path / ".file.0.partial").write_bytes(b"whole")

    def rename_then_lock(file: BinaryIO) -> bool:
        if not final.exists():
            (tmp_path / ".file.0.partial").rename(final)
        return lock(file)

    monkeypatch.setattr(partial, "_lock", rename_then_lock)
    with claim_partial(final) as part:
        part.restart()
        part.write(b"other")
    assert final.read_bytes() == b"whole"


def test_nothing_is_left_of_a_part_with_nothing_in_it(tmp_path: Path) -> None:
    with claim_partial(tmp_path / "file"):
        pass
    assert [path for path in tmp_path.iterdir() if path.is_file()] == []


def test_a_directory_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(CzscieError) as caught, claim_partial(tmp_path / "gone" / "file"):
        pass
    assert str(caught.value) == (
        f"error: cannot write {tmp_path / 'gone'}\n"
        "  No such file or directory\n"
        "hint: set CZSCIE_CACHE to a directory with enough room"
    )
