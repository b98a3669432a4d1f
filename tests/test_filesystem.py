from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from czscie.errors import CzscieError
from czscie.filesystem import check_writable, did_you_mean, write_atomically


@pytest.mark.skipif(os.name == "nt", reason="files there have no such modes")
@pytest.mark.parametrize(
    ("umask", "mode", "found"),
    [(0o022, 0o666, 0o644), (0o077, 0o666, 0o600), (0o002, 0o777, 0o775), (0o022, 0o600, 0o600)],
)
def test_the_umask_restricts_the_mode(tmp_path: Path, umask: int, mode: int, found: int) -> None:
    before = os.umask(umask)
    try:
        write_atomically(tmp_path / "moo", lambda stream: stream.write(b"moo"), mode=mode)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "moo").stat().st_mode) == found


def test_a_failed_write_leaves_only_directories_that_were_there(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()

    def fail(_stream: object) -> None:
        raise ValueError

    for path in (tmp_path / "mine/moo", tmp_path / "mine/new/newer/moo"):
        with pytest.raises(ValueError):
            write_atomically(path, fail)
    assert [*tmp_path.rglob("*")] == [tmp_path / "mine"]


@pytest.mark.skipif(sys.platform == "win32", reason="file systems there do not say so")
@pytest.mark.parametrize(("flag", "why"), [(0, "Permission denied"), (1, "Read-only file system")])
def test_why_nothing_can_be_written_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flag: int, why: str
) -> None:
    check_writable(tmp_path / "new" / "moo", "name another")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    monkeypatch.setattr(os, "statvfs", lambda path: SimpleNamespace(f_flag=flag * os.ST_RDONLY))
    with pytest.raises(CzscieError) as caught:
        check_writable(tmp_path / "new" / "moo", "name another")
    assert caught.value.what == f"cannot write into {tmp_path / 'new'}"
    assert (tuple(caught.value.why), caught.value.hint) == ((f"{tmp_path}: {why}",), "name another")


def test_a_file_is_no_directory_to_write_into(tmp_path: Path) -> None:
    (tmp_path / "cow").touch()
    with pytest.raises(CzscieError) as caught:
        check_writable(tmp_path / "cow" / "moo", "name another")
    assert tuple(caught.value.why) == (f"{tmp_path / 'cow'} is not a directory",)


def test_a_link_to_nothing_is_not_what_was_meant(tmp_path: Path) -> None:
    link = tmp_path / "lift.toml"
    link.symlink_to("nowhere")
    assert did_you_mean(link) is None
    (tmp_path / "lit.toml").write_text("")
    assert did_you_mean(link) == f"did you mean {tmp_path / 'lit.toml'}?"
