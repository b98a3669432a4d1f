"""The rules of the launcher's ancestors.zig and users.zig, as a CZEX has them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from czscie.czex.bootstrap import main, users

ANN = 12345

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="other users need root")


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What the system's files hold, by path."""
    contents: dict[str, str] = {}
    monkeypatch.setattr(users, "_read", lambda path: contents.get(path, ""))
    return contents


@pytest.mark.parametrize(
    ("more", "members", "private"),
    [("", "", True), ("", "ann", True), ("", "bob", False), ("eve:x:3:12345::/:/bin/sh\n", "", False)],
)
def test_a_group_is_private_when_its_only_member_is_the_user(
    files: dict[str, str], monkeypatch: pytest.MonkeyPatch, more: str, members: str, private: bool
) -> None:
    files["/etc/passwd"] = f"root:x:0:0::/:/bin/sh\nann:x:{ANN}:{ANN}::/:/bin/sh\n{more}"
    files["/etc/group"] = f"root:x:0:\nann:x:{ANN}:{members}\n"
    monkeypatch.setattr(os, "geteuid", lambda: ANN)
    assert users.is_private(ANN) == private
    assert not users.is_private(0)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert not users.is_private(ANN)


def test_a_user_namespace_shows_those_whom_it_does_not_know_as_one(files: dict[str, str]) -> None:
    for text, unknown in (("0 0 4294967295", False), ("1000 1000 1", True), ("", False)):
        files["/proc/self/uid_map"] = text
        assert users.is_unknown() == unknown


def test_file_systems_that_users_mount_are_known(files: dict[str, str]) -> None:
    line = "36 35 {} / /mnt rw,noatime master:1 - {} /dev/root rw\n"
    files["/proc/self/mountinfo"] = line.format("8:1", "ext4") + line.format("0:50", "fuse.sshfs")
    assert not users.is_mounted_by_users(os.makedev(8, 1))
    assert users.is_mounted_by_users(os.makedev(0, 50))
    assert users.is_mounted_by_users(os.makedev(0, 51))


def test_each_directory_above_is_looked_at_through_links(tmp_path: Path) -> None:
    (tmp_path / "a/b/c").mkdir(parents=True)
    (tmp_path / "link").symlink_to("a/b")
    (tmp_path / "absolute").symlink_to(tmp_path / "a/b")
    (tmp_path / "loop").symlink_to("loop")
    below = (
        "a/b/c/base",
        "link/c/base",
        "absolute/c/base",
        "a/b/../b/c/base",
        "link/../b/c/base",
        "a//b/./c/base",
    )
    for path in below:
        assert main.exchangeable(f"{tmp_path}/{path}") == ""
    assert main.exchangeable(f"{tmp_path}/loop/base")
    (tmp_path / "a/b").chmod(0o777)
    for path in below:
        assert main.exchangeable(f"{tmp_path}/{path}") == f"{tmp_path}/a/b"
    (tmp_path / "a/b").chmod(0o1777)
    for path in below:
        assert main.exchangeable(f"{tmp_path}/{path}") == ""


@root_only
def test_a_directory_or_link_of_another_user_is_not_trusted(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b").chmod(0o700)
    (tmp_path / "link").symlink_to("a")
    assert main.is_trusted(f"{tmp_path}/a/b") and main.is_trusted(f"{tmp_path}/link/b")
    os.lchown(tmp_path / "link", ANN, ANN)
    assert main.exchangeable(f"{tmp_path}/link/b") == f"{tmp_path}/link"
    os.chown(tmp_path / "a", ANN, ANN)
    assert not main.is_trusted(f"{tmp_path}/a/b")
