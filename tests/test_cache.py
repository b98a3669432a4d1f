from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from czscie.cache import cache_directory, cache_root
from czscie.errors import CzscieError


def test_a_cache_directory_is_made_for_its_owner_only(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        directory = cache_directory("archives", {"CZSCIE_CACHE": str(tmp_path / "a" / "b")})
    finally:
        os.umask(before)
    assert directory == tmp_path / "a" / "b" / "archives"
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert stat.S_IMODE(directory.parent.stat().st_mode) == 0o700
    assert cache_directory("archives", {"CZSCIE_CACHE": str(tmp_path / "a" / "b")}) == directory


def test_a_relative_cache_does_not_move_with_the_current_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cache_root({"CZSCIE_CACHE": "here"}) == tmp_path / "here"


def test_without_a_setting_the_users_cache_directory_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_root({}).name == "czscie" or cache_root({}).parent.name == "czscie"


def test_a_user_without_a_home_directory_is_told_of_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(path: str) -> str:
        return path

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr("os.path.expanduser", nobody)
    with pytest.raises(CzscieError) as caught:
        cache_root({})
    assert str(caught.value) == (
        "error: there is no directory for the cache\n"
        "  HOME is not set, and the system does not know the user\n"
        "hint: set CZSCIE_CACHE to a directory that you may write to"
    )


def test_a_cache_in_an_unknown_home_directory_is_told_with_the_setting() -> None:
    with pytest.raises(CzscieError) as caught:
        cache_root({"CZSCIE_CACHE": "~no-such-user/cache"})
    assert str(caught.value) == (
        "error: there is no directory for the cache\n"
        "  CZSCIE_CACHE is ~no-such-user/cache, and the system does not know that home directory\n"
        "hint: set CZSCIE_CACHE to a directory that you may write to"
    )


def test_a_cache_that_cannot_be_made_is_named_with_the_setting_that_mends_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CzscieError) as caught:
        cache_directory("archives", {"CZSCIE_CACHE": str(tmp_path / "file")})
    assert str(caught.value) == (
        f"error: the cache directory {tmp_path / 'file' / 'archives'} cannot be used\n"
        "  File exists\n"
        "hint: set CZSCIE_CACHE to a directory that you may write to"
    )
