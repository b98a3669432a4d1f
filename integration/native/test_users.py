"""Starts on a host with other users: what root installs, for whom, and where it installs nothing."""

from __future__ import annotations

import json
import os
import shutil
import stat
import struct
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from integration.native.small_scie import SmallScie, make_small_scie
from integration.native.test_tools import make_app

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="the commands are Linux's"),
    pytest.mark.skipif(os.geteuid() != 0, reason="other users need root"),
]

ANN, BOB = 12345, 12346

#: Runs a command with the directory `$0` as /var/cache/czscie, whatever the host has there.
OWN_CACHE = (
    "mount -t tmpfs -o mode=0755 tmpfs /var/cache; mkdir -m 0755 /var/cache/czscie; "
    'mount --bind "$0" /var/cache/czscie; exec "$@"'
)


@dataclass(frozen=True)
class Host:
    """A directory that all users can look into, and a /var/cache/czscie of its own, which is `shared`."""

    scie: SmallScie
    path: Path

    @property
    def shared(self) -> Path:
        return self.path / "shared"

    def home(self, user: int, mode: int = 0o755) -> Path:
        home = self.path / f"home{user}"
        home.mkdir()
        home.chmod(mode)
        os.chown(home, user, user)
        return home

    def start(
        self,
        user: int = 0,
        *prefix: str | Path,
        umask: int = 0o022,
        path: Path | None = None,
        arguments: tuple[str, ...] = (),
        **environment: str | Path,
    ) -> subprocess.CompletedProcess[str]:
        """Starts the scie as `user`, by the command `prefix`."""
        command = ["unshare", "-m", "sh", "-ec", OWN_CACHE, self.shared, *as_user(user), *prefix]
        command += ["env", "-i", *(f"{name}={value}" for name, value in environment.items())]
        return run([*command, path or self.scie.path, *arguments], umask=umask)


def as_user(user: int) -> list[str]:
    return [] if user == 0 else ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]


def run(command: list[str | Path], umask: int = 0o022) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command],
        env={"PATH": os.environ["PATH"]},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        umask=umask,
    )


def base_of(done: subprocess.CompletedProcess[str]) -> str:
    """The base directory that the small scie says it was started from."""
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[1].partition("/interpreters/")[0]


@pytest.fixture(scope="module")
def scie(tmp_path_factory: pytest.TempPathFactory) -> SmallScie:
    return make_small_scie(tmp_path_factory.mktemp("users"))


@pytest.fixture
def host(scie: SmallScie, tmp_path: Path) -> Host:
    for parent in (tmp_path, *tmp_path.parents, scie.path.parent):
        if parent.stat().st_uid == 0 and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o755)
    (tmp_path / "shared").mkdir(mode=0o755)
    (tmp_path / "fallback").mkdir()
    (tmp_path / "fallback").chmod(0o1777)
    return Host(scie, tmp_path)


def everything(directory: Path) -> dict[Path, tuple[int, int, float]]:
    """Owner, mode and time of all that lies below."""
    found = {}
    for path in [directory, *directory.rglob("*")]:
        status = path.lstat()
        found[path] = (status.st_uid, status.st_mode, status.st_mtime)
    return found


SHARED = "/var/cache/czscie"


class TestRoot:
    def test_it_makes_nothing_in_the_home_of_another_user(self, host: Host) -> None:
        home = host.home(ANN)
        before = everything(home)
        assert base_of(host.start(HOME=home)) == SHARED
        assert everything(home) == before

    def test_it_makes_no_home_that_is_not_there(self, host: Host) -> None:
        private = Path(shutil.copy(host.scie.path, host.path / "private"))
        private.chmod(0o700)  # it is not unpacked for all users
        home = host.path / "later"
        assert not base_of(host.start(path=private, HOME=home)).startswith(str(home))
        assert not home.exists()

    @pytest.mark.parametrize("setting", ["HOME", "XDG_CACHE_HOME", "TMPDIR", "CZSCIE_BASE", "SCIE_BASE"])
    def test_no_setting_leads_it_into_directories_of_another_user(self, host: Host, setting: str) -> None:
        home = host.home(ANN)
        (home / "own").mkdir()
        before = everything(home)
        value = home / "own/base" if setting.endswith("BASE") else home / "own"
        command: list[str | Path] = ["unshare", "-m", "sh", "-ec"]
        command += [
            'mount -t tmpfs -o ro tmpfs /var/cache; exec "$@"',
            "sh",
            "env",
            "-i",
            f"{setting}={value}",
        ]
        if setting != "TMPDIR":
            command += [f"TMPDIR={host.path}/fallback"]
        done = run([*command, host.scie.path])
        assert not base_of(done).startswith(str(home))
        assert everything(home) == before
        if setting.endswith("BASE"):
            assert f"({setting}): {home} in its path belongs to another user; " in done.stderr

    def test_what_it_installs_is_for_all_users_whatever_its_umask(self, host: Host) -> None:
        assert base_of(host.start(umask=0o077)) == SHARED
        for path, (owner, mode, _) in everything(host.shared).items():
            if "locks" in path.parts or stat.S_ISLNK(mode):
                continue
            assert owner == 0
            assert mode & 0o022 == 0
            assert mode & (0o055 if stat.S_ISDIR(mode) else 0o044) == (
                0o055 if stat.S_ISDIR(mode) else 0o044
            ), path

    @pytest.mark.parametrize("state", ["cold", "warm"])
    def test_the_application_has_the_umask_that_root_had(self, host: Host, state: str) -> None:
        if state == "warm":
            host.start(umask=0o077)
        trace = host.path / "trace"
        host.start(0, "strace", "-f", "-o", str(trace), "-e", "trace=umask", umask=0o077)
        masks = [
            line.partition("umask(")[2].partition(")")[0]
            for line in trace.read_text().splitlines()
            if "umask(" in line
        ]
        assert masks == ([] if state == "warm" else ["022", "077"] * (len(masks) // 2))

    def test_a_service_that_drops_its_privileges_goes_on(self, host: Host) -> None:
        root = host.shared / "interpreters"
        host.start()
        [program] = root.glob("*/bin/python3")
        assert run([*as_user(65534), program]).stdout.startswith("started\n")

    def test_what_other_users_may_not_read_is_not_unpacked_for_them(self, host: Host) -> None:
        secret = host.path / "secret"
        shutil.copy(host.scie.path, secret)
        secret.chmod(0o700)
        home = host.home(0)
        assert base_of(host.start(path=secret, HOME=home)) == f"{home}/.cache/czscie"
        assert list(host.shared.iterdir()) == []
        assert stat.S_IMODE((home / ".cache/czscie").stat().st_mode) == 0o700

    def test_a_setting_comes_before_it(self, host: Host) -> None:
        assert base_of(host.start(CZSCIE_BASE=host.path / "base")) == str(host.path / "base")


class TestOthers:
    def test_they_start_what_root_installed_and_change_nothing(self, host: Host) -> None:
        host.start()
        old = 1_000_000_000
        for path in host.shared.glob("interpreters/*"):
            os.utime(path, (old, old))
        before = everything(host.shared)
        home = host.home(ANN)
        trace = host.path / "trace"
        trace.touch()
        trace.chmod(0o666)
        tracing = (
            "strace",
            "-f",
            "-o",
            str(trace),
            "-e",
            "trace=utimensat,flock,mkdir,mkdirat,unlinkat,renameat",
        )
        done = host.start(ANN, *tracing, HOME=home)
        assert (base_of(done), done.stderr) == (SHARED, "")
        assert everything(host.shared) == before
        assert list(home.iterdir()) == []
        assert "(" not in trace.read_text().replace("+++", "")

    def test_they_unpack_for_themselves_what_root_installs_right_now(self, host: Host) -> None:
        host.start()
        [installed] = host.shared.glob("interpreters/*")
        installed.rename(installed.with_name(installed.name + ".partial"))
        home = host.home(ANN)
        done = host.start(ANN, HOME=home)
        assert (base_of(done), done.stderr) == (f"{home}/.cache/czscie", "")

    def test_what_they_have_and_what_they_ask_for_comes_first(self, host: Host) -> None:
        home = host.home(ANN)
        assert base_of(host.start(ANN, HOME=home)) == f"{home}/.cache/czscie"
        host.start()
        assert base_of(host.start(ANN, HOME=home)) == f"{home}/.cache/czscie"
        assert base_of(host.start(ANN, CZSCIE_BASE=home / "base")) == f"{home}/base"

    @pytest.mark.parametrize("tool", ["cache prune", "uninstall"])
    def test_their_tools_leave_it_alone(self, host: Host, tool: str) -> None:
        host.start()
        before = everything(host.shared)
        word, *arguments = tool.split()
        command: list[str | Path] = ["unshare", "-m", "sh", "-ec", OWN_CACHE, host.shared, *as_user(ANN)]
        command += ["env", "-i", f"HOME={host.home(ANN)}", f"SCIE={word}", host.scie.path, *arguments]
        assert run(command).stdout == "nothing is installed\n"
        assert everything(host.shared) == before

    def test_the_doctor_says_so(self, host: Host) -> None:
        home = host.home(ANN)
        assert (
            f"  {SHARED}: root has not installed it there\n"
            in host.start(ANN, HOME=home, SCIE="doctor").stdout
        )
        host.start()
        said = host.start(ANN, HOME=home, SCIE="doctor").stdout
        assert f"* {SHARED}: installed\n" in said
        assert f"  {home}/.cache/czscie: usable\n" in said


def test_what_only_others_start_is_not_pruned_by_root(host: Host, tmp_path: Path) -> None:
    """They cannot say that they use it, but each start reads pyvenv.cfg."""
    app = make_app(tmp_path / "app")
    host.start(path=app.path)
    [installed] = host.shared.glob("apps/*")
    for path in (installed, installed / "pyvenv.cfg", *host.shared.glob("interpreters/*")):
        os.utime(path, (0, 10**9))
    assert [each["last_use"] for each in cache(host, app.path, "--json")["items"]] == [10**9] * 2
    os.utime(installed / "pyvenv.cfg", (time.time() - 5 * 86400, 10**9))
    for _ in range(2):  # to look is no use
        assert cache(host, app.path, "prune", "--json")["removed"] == []
    removed = cache(host, app.path, "prune", "--older-than", "5", "--json")["removed"]
    assert [each["digest"] for each in removed] == [installed.name, app.interpreter]


def cache(host: Host, path: Path, *arguments: str) -> dict[str, Any]:
    """What the tool prints to root."""
    found: dict[str, Any] = json.loads(host.start(path=path, arguments=arguments, SCIE="cache").stdout)
    return found


class TestAncestors:
    """Who can exchange a directory above the base directory; the user is Ann."""

    def refused(self, host: Host, base: Path, user: int = ANN) -> str:
        """Why the base directory is not used."""
        done = host.start(user, CZSCIE_BASE=base, TMPDIR=host.path / "fallback")
        assert not base_of(done).startswith(str(base))
        assert not base.exists() or list(base.iterdir()) == []
        return done.stderr.partition("(CZSCIE_BASE): ")[2].partition("; ")[0]

    def test_her_own_and_roots_will_do(self, host: Host) -> None:
        base = host.home(ANN) / "a/b/base"
        assert base_of(host.start(ANN, CZSCIE_BASE=base)) == str(base)

    def test_another_users_will_not(self, host: Host) -> None:
        theirs = host.home(BOB, 0o777)
        (theirs / "hers").mkdir()
        os.chown(theirs / "hers", ANN, ANN)
        assert self.refused(host, theirs / "hers/base") == f"{theirs} in its path belongs to another user"

    @pytest.mark.parametrize("mode", [0o777, 0o770, 0o775, 0o757])
    def test_one_that_others_may_write_to_will_not(self, host: Host, mode: int) -> None:
        home = host.home(ANN, mode)
        os.chown(home, ANN, 100)
        (home / "a").mkdir()
        os.chown(home / "a", ANN, ANN)
        assert self.refused(host, home / "a/base") == f"other users can write to {home} in its path"

    def test_one_with_the_sticky_bit_will_do(self, host: Host) -> None:
        (host.path / "tmp").mkdir()
        (host.path / "tmp").chmod(0o1777)
        base = host.path / "tmp/a/base"
        assert base_of(host.start(ANN, CZSCIE_BASE=base)) == str(base)

    def test_another_users_in_one_with_the_sticky_bit_will_not(self, host: Host) -> None:
        (host.path / "tmp/a").mkdir(parents=True)
        (host.path / "tmp").chmod(0o1777)
        os.chown(host.path / "tmp/a", BOB, BOB)
        assert "belongs to another user" in self.refused(host, host.path / "tmp/a/base")

    def test_links_are_followed_and_where_they_lead_counts(self, host: Host) -> None:
        home, theirs = host.home(ANN), host.home(BOB, 0o777)
        (home / "real").mkdir()
        os.chown(home / "real", ANN, ANN)
        (home / "link").symlink_to("real")
        (home / "out").symlink_to(theirs)
        assert base_of(host.start(ANN, CZSCIE_BASE=home / "link/base")) == f"{home}/link/base"
        assert self.refused(host, home / "out/base") == f"{theirs} in its path belongs to another user"
        assert (
            self.refused(host, home / "out/../home12346/base")
            == f"{theirs} in its path belongs to another user"
        )
        os.lchown(home / "link", BOB, BOB)
        assert "the symbolic link" in self.refused(host, home / "link/new")

    def test_a_slash_at_the_end_does_not_make_a_link_a_directory(self, host: Host) -> None:
        home, theirs = host.home(ANN), host.home(BOB)
        (theirs / "hers").mkdir(mode=0o755)
        os.chown(theirs / "hers", ANN, ANN)
        (home / "link").symlink_to(theirs / "hers")
        done = host.start(ANN, CZSCIE_BASE=f"{home}/link/", TMPDIR=host.path / "fallback")
        assert "is a symbolic link" in done.stderr
        assert list((theirs / "hers").iterdir()) == []

    @pytest.mark.parametrize(
        ("members", "bobs", "private"),
        [("", BOB, True), ("ann", BOB, True), ("bob", BOB, False), ("", ANN, False)],
        ids=["no one else", "she herself", "a member", "the first group of another"],
    )
    def test_a_group_of_her_own_may_write(self, host: Host, members: str, bobs: int, private: bool) -> None:
        """Debian's umask for groups of one user each is 002."""
        home = host.home(ANN, 0o775)
        users = [
            "root:x:0:0::/root:/bin/sh",
            f"ann:x:{ANN}:{ANN}::{home}:/bin/sh",
            f"bob:x:{BOB}:{bobs}::/:/bin/sh",
        ]
        done = self.start_with(host, home, users, [f"ann:x:{ANN}:{members}"])
        assert (base_of(done) == f"{home}/base") == private
        assert ("other users can write to" in done.stderr) != private

    def test_a_group_of_her_own_is_not_alone_where_a_list_lets_others_write(self, host: Host) -> None:
        """With an access control list the bits of the group are its mask (acl(5))."""
        home = host.home(ANN, 0o775)
        users = [f"ann:x:{ANN}:{ANN}::{home}:/bin/sh", f"bob:x:{BOB}:{BOB}::/:/bin/sh"]
        anyone = 0xFFFFFFFF
        entries = [(1, 7, anyone), (2, 7, BOB), (4, 7, anyone), (0x10, 7, anyone), (0x20, 5, anyone)]
        value = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)
        try:
            os.setxattr(home, "system.posix_acl_access", value)
        except OSError as error:
            pytest.skip(f"this file system has no access control lists: {error}")
        done = self.start_with(host, home, users, [f"ann:x:{ANN}:"])
        assert base_of(done) != f"{home}/base"
        assert f"other users can write to {home}" in done.stderr

    def start_with(
        self, host: Host, home: Path, users: list[str], groups: list[str]
    ) -> subprocess.CompletedProcess[str]:
        """Ann starts it where these are the users and groups of the host."""
        (host.path / "passwd").write_text("\n".join(users) + "\n")
        (host.path / "group").write_text("\n".join(["root:x:0:", *groups]) + "\n")
        script = 'mount --bind "$0/passwd" /etc/passwd; mount --bind "$0/group" /etc/group; exec "$@"'
        command: list[str | Path] = ["unshare", "-m", "sh", "-ec", script, host.path, *as_user(ANN)]
        command += ["env", "-i", f"CZSCIE_BASE={home}/base", f"TMPDIR={host.path}/fallback", host.scie.path]
        return run(command)

    def test_in_a_user_namespace_roots_directories_count_as_roots(self, host: Host) -> None:
        home = host.home(ANN)
        done = host.start(ANN, "unshare", "--user", "--map-current-user", HOME=home)
        assert base_of(done) == f"{home}/.cache/czscie"

    def test_a_real_nobody_is_another_user(self, host: Host) -> None:
        nobodys = host.home(65534, 0o777)
        assert self.refused(host, nobodys / "base") == f"{nobodys} in its path belongs to another user"


def test_a_path_with_a_line_break_is_refused_by_name(host: Host) -> None:
    base = host.path / "line\nbreak"
    done = host.start(CZSCIE_BASE=base)
    assert base_of(done) == SHARED
    assert "(CZSCIE_BASE): pyvenv.cfg cannot hold a path with a line break; " in done.stderr


def test_a_setting_that_is_not_used_is_told_once_a_day(host: Host) -> None:
    def told() -> bool:
        done = host.start(CZSCIE_BASE="/proc/base")
        assert base_of(done) == SHARED
        return "cannot use /proc/base (CZSCIE_BASE): cannot create it" in done.stderr

    assert [told(), told(), told()] == [True, False, False]
    assert "/proc/other" in host.start(CZSCIE_BASE="/proc/other").stderr
    assert [told(), told()] == [True, False]
    os.utime(host.shared / "last-notice", (0, 0))
    assert [told(), told()] == [True, False]


def test_where_nothing_can_be_remembered_it_is_told_each_time(host: Host) -> None:
    host.start()
    for _ in range(2):
        done = host.start(ANN, CZSCIE_BASE="/proc/base")
        assert base_of(done) == SHARED
        assert "cannot use /proc/base (CZSCIE_BASE): cannot create it" in done.stderr
