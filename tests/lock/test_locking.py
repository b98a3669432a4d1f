"""Locks that builds write and obey, of projects whose interpreters and wheels come from a server here."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from building import RELEASE, Project
from czscie.errors import CzscieError
from czscie.lock.command import check_lock, update_lock
from czscie.lock.lock import Lock, read_lock
from czscie.lock.upgrade import Upgrade
from czscie.lock.use import LockUse
from czscie.network.network import OFFLINE
from czscie.pbs.assets import Asset
from czscie.platforms import find_platform
from czscie.session import Session
from lock.wheelhouse import wheel_file
from network.server import MirrorServer
from pbs.factories import cpython, members, tar_gz

FLOATING = 'provider = "PythonBuildStandalone"\nversion = "3.13"'
LATER = "20260301"
WINDOWS = "cow-1.0-cp313-cp313-win_amd64.whl"
LINUX = "cow-1.0-cp313-cp313-manylinux_2_17_x86_64.whl"


def add_wheels(project: Project, server: MirrorServer, secret: str = "") -> None:
    """Wheels on the server, and a lock of somebody else's that names them."""
    wheels = []
    for name in (WINDOWS, LINUX):
        data = wheel_file(project.directory, name).read_bytes()
        (project.directory / name).unlink()
        server.files[f"/wheels/{name}"] = data
        url = f"{server.url}/wheels/{name}".replace("://", f"://{secret}")
        digest = hashlib.sha256(data).hexdigest()
        wheels.append(f'{{ name = "{name}", url = "{url}", hashes = {{ sha256 = "{digest}" }} }}')
    (project.directory / "pylock.toml").write_text(
        'lock-version = "1.0"\ncreated-by = "hand"\n[[packages]]\nname = "cow"\nversion = "1.0"\n'
        f"wheels = [{', '.join(wheels)}]\n"
    )


def add_release(server: MirrorServer) -> None:
    """A newer release with a newer CPython for Linux."""
    asset = Asset("3.13.10", LATER, find_platform("linux-x86_64").triple, "install_only_stripped")
    data = tar_gz(members(cpython()))
    server.files[f"/{LATER}/{asset.url_name}"] = data
    line = f"{hashlib.sha256(data).hexdigest()}  {asset.name}\n"
    server.files[f"/{LATER}/SHA256SUMS"] = line.encode()
    server.files["/latest-release.json"] = json.dumps({"tag": LATER}).encode()


def lock_of(project: Project) -> Lock:
    lock = read_lock(project.directory / "lift.lock")
    assert lock is not None
    return lock


def test_a_build_writes_the_lock_and_the_next_asks_nobody(project: Project, server: MirrorServer) -> None:
    add_wheels(project, server)
    project.manifest(FLOATING, platforms=("linux-x86_64", "windows-x86_64"), payload='lock = "pylock.toml"')
    first = project.build()
    text = (project.directory / "lift.lock").read_text()
    server.requests.clear()
    second = project.build(use=LockUse.LOCKED)
    assert server.requests == []
    assert [each.sha256 for each in first] == [each.sha256 for each in second]
    assert (project.directory / "lift.lock").read_text() == text


def test_everything_is_pinned_by_its_digest_and_size(project: Project, server: MirrorServer) -> None:
    add_wheels(project, server)
    (project.directory / "words.txt").write_text("moo\n")
    rest = '[[lift.files]]\nname = "words.txt"\n'
    project.manifest(
        FLOATING, platforms=("linux-x86_64", "windows-x86_64"), payload='lock = "pylock.toml"', rest=rest
    )
    update_lock(project.directory / "lift.toml", Upgrade(), Session.of())
    lock = lock_of(project)
    asset = Asset("3.13.9", RELEASE, find_platform("linux-x86_64").triple, "install_only_stripped")
    archive = server.files[f"/{RELEASE}/{asset.url_name}"]
    interpreter = lock.interpreter("cpython", "linux-x86_64")
    assert interpreter is not None
    assert (interpreter.version, interpreter.release, interpreter.name) == ("3.13.9", RELEASE, asset.name)
    assert interpreter.url is not None and interpreter.url.startswith("https://github.com/astral-sh/")
    assert (interpreter.sha256, interpreter.size) == (hashlib.sha256(archive).hexdigest(), len(archive))
    [package] = lock.packages
    assert [(each.name, each.size, each.sha256) for each in package.wheels] == [
        (name, len(data), hashlib.sha256(data).hexdigest())
        for name in (LINUX, WINDOWS)
        if (data := server.files[f"/wheels/{name}"])
    ]
    [file] = lock.files
    assert (file.id, file.size, file.sha256) == ("words.txt", 4, hashlib.sha256(b"moo\n").hexdigest())
    pylock = (project.directory / "pylock.toml").read_bytes()
    assert lock.payload is not None and lock.payload.sha256 == hashlib.sha256(pylock).hexdigest()
    # Nothing was downloaded for it but indexes.
    assert server.asked(f"/{RELEASE}/{asset.url_name}") == [None]


def test_what_floats_is_found_out_when_it_is_locked_and_never_later(
    project: Project, server: MirrorServer
) -> None:
    project.manifest(FLOATING)
    [first] = project.build()
    add_release(server)
    [second] = project.build()
    assert first.sha256 == second.sha256
    update_lock(project.directory / "lift.toml", Upgrade(everything=True), Session.of())
    [interpreter] = lock_of(project).interpreters
    assert (interpreter.version, interpreter.release) == ("3.13.10", LATER)


def test_one_interpreter_is_upgraded_alone(project: Project, server: MirrorServer) -> None:
    other = f'[[lift.interpreters]]\nid = "other"\n{FLOATING}\n'
    project.manifest(FLOATING, payload='pex = "moo.pex"\ninterpreter = "cpython"', rest=other)
    update_lock(project.directory / "lift.toml", Upgrade(), Session.of())
    add_release(server)
    update_lock(project.directory / "lift.toml", Upgrade(names=frozenset({"other"})), Session.of())
    versions = {each.id: each.version for each in lock_of(project).interpreters}
    assert versions == {"cpython": "3.13.9", "other": "3.13.10"}
    with pytest.raises(CzscieError, match="no interpreter and no package named pyton"):
        update_lock(project.directory / "lift.toml", Upgrade(names=frozenset({"pyton"})), Session.of())


def test_a_platform_more_gets_the_same_release_and_changes_no_line_of_the_others(
    project: Project, server: MirrorServer
) -> None:
    add_wheels(project, server)
    project.manifest(FLOATING, platforms=("linux-x86_64",), payload='lock = "pylock.toml"')
    project.build()
    before = (project.directory / "lift.lock").read_text().splitlines()
    add_release(server)
    project.manifest(FLOATING, platforms=("linux-x86_64", "windows-x86_64"), payload='lock = "pylock.toml"')
    project.build()
    after = (project.directory / "lift.lock").read_text().splitlines()
    assert [line for line in before if line not in after] == []
    assert {each.release for each in lock_of(project).interpreters} == {RELEASE}


def test_platforms_that_are_gone_leave_the_lock_when_it_is_locked(project: Project) -> None:
    project.manifest(platforms=("linux-x86_64", "windows-x86_64"))
    project.build()
    path = project.manifest(platforms=("linux-x86_64",))
    project.build(use=LockUse.LOCKED)
    assert check_lock(path, Session.of()) == ("windows-x86_64 is no longer a platform of the manifest",)
    update_lock(path, Upgrade(), Session.of())
    assert [each.platform for each in lock_of(project).interpreters] == ["linux-x86_64"]
    assert check_lock(path, Session.of()) == ()


def test_a_build_for_one_platform_locks_that_one(project: Project) -> None:
    project.manifest(platforms=("linux-x86_64", "windows-x86_64"))
    project.build("linux-x86_64")
    assert [each.platform for each in lock_of(project).interpreters] == ["linux-x86_64"]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ("version", 'lift.interpreters.cpython.version was "3.13" and is "3.13.9"'),
        ("pex", "moo.pex differs from the lock"),
        ("platform", "the interpreter cpython is not locked for windows-x86_64"),
    ],
)
def test_locked_fails_when_the_lock_would_change_and_says_why(
    project: Project, server: MirrorServer, change: str, word: str
) -> None:
    path = project.manifest(FLOATING)
    project.build()
    before = (project.directory / "lift.lock").read_bytes()
    server.requests.clear()
    if change == "version":
        project.manifest(FLOATING.replace("3.13", "3.13.9"))
    elif change == "pex":
        (project.directory / "moo.pex").write_bytes(b"another")
    else:
        project.manifest(FLOATING, platforms=("linux-x86_64", "windows-x86_64"))
    assert word in check_lock(path, Session.of())
    with pytest.raises(CzscieError) as caught:
        project.build(use=LockUse.LOCKED)
    assert caught.value.what == f"{path.with_suffix('.lock')} is not up to date"
    assert word in caught.value.why
    assert caught.value.hint == f"czscie lock {path}"
    assert (project.directory / "lift.lock").read_bytes() == before
    assert server.requests == []


@pytest.mark.parametrize("use", [LockUse.LOCKED, LockUse.FROZEN])
def test_a_lock_that_is_not_there_is_an_error_where_one_is_asked_for(
    project: Project, server: MirrorServer, use: LockUse
) -> None:
    path = project.manifest()
    with pytest.raises(CzscieError, match="there is no lock") as caught:
        project.build(use=use)
    assert caught.value.hint == f"czscie lock {path}"
    assert server.requests == []


def test_frozen_builds_what_is_locked_whatever_the_manifest_says_now(project: Project) -> None:
    project.manifest(FLOATING)
    [first] = project.build()
    project.manifest(FLOATING.replace("3.13", "3.12"))
    [second] = project.build(use=LockUse.FROZEN)
    assert first.sha256 == second.sha256


def test_frozen_takes_no_other_payload_than_the_locked_one(project: Project) -> None:
    project.manifest()
    project.build()
    (project.directory / "moo.pex").write_bytes(b"another")
    with pytest.raises(CzscieError, match=r"moo\.pex differs from the lock"):
        project.build(use=LockUse.FROZEN)


def test_a_wheel_that_is_not_the_locked_one_is_refused(project: Project, server: MirrorServer) -> None:
    add_wheels(project, server)
    path = project.manifest(platforms=("windows-x86_64",), payload='lock = "pylock.toml"')
    update_lock(path, Upgrade(), Session.of())
    server.files[f"/wheels/{WINDOWS}"] += b"?"
    with pytest.raises(CzscieError, match=WINDOWS):
        project.build()
    assert not (project.directory / "dist").exists()


def test_offline_needs_nobody_when_everything_is_there(
    project: Project, server: MirrorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.manifest(platforms=("windows-x86_64",))
    [first] = project.build()
    server.requests.clear()
    monkeypatch.setenv(OFFLINE, "1")
    (project.directory / "moo.pex").touch()
    [second] = project.build()
    assert first.sha256 == second.sha256
    assert server.requests == []


def test_offline_names_what_is_missing(
    project: Project, server: MirrorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_wheels(project, server)
    path = project.manifest(platforms=("windows-x86_64",), payload='lock = "pylock.toml"')
    update_lock(path, Upgrade(), Session.of())
    server.requests.clear()
    monkeypatch.setenv(OFFLINE, "1")
    with pytest.raises(CzscieError) as caught:
        project.build()
    # Which interpreter it is says how the wheels are looked at.
    assert "cpython-3.13.9" in str(caught.value)
    assert server.requests == []


def test_offline_resolves_nothing(
    project: Project, server: MirrorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = project.manifest()
    monkeypatch.setenv(OFFLINE, "1")
    with pytest.raises(CzscieError) as caught:
        project.build()
    assert caught.value.what == f"{path.with_suffix('.lock')} is out of date, and czscie is offline"
    assert caught.value.hint == f"run czscie lock {path} on a machine with network access"
    assert server.requests == []


def test_no_secret_and_no_path_of_this_machine_is_in_the_lock(
    project: Project, server: MirrorServer, tmp_path: Path
) -> None:
    add_wheels(project, server, secret="me:hunter2@")
    project.manifest(
        FLOATING + f'\nbase_url = "{server.url.replace("://", "://me:hunter2@")}"',
        platforms=("windows-x86_64",),
        payload='lock = "pylock.toml"',
    )
    update_lock(project.directory / "lift.toml", Upgrade(), Session.of())
    text = (project.directory / "lift.lock").read_text()
    assert "hunter2" not in text and str(tmp_path) not in text
    assert f'url = "{server.url}/{RELEASE}/cpython-3.13.9' in text
    assert f'url = "{server.url}/wheels/{WINDOWS}"' in text


def test_a_lock_of_another_tool_is_refused_for_all_platforms_that_it_lacks(
    project: Project, server: MirrorServer
) -> None:
    add_wheels(project, server)
    project.manifest(
        FLOATING, platforms=("linux-aarch64", "linux-x86_64", "macos-aarch64"), payload='lock = "pylock.toml"'
    )
    with pytest.raises(CzscieError) as caught:
        project.build()
    assert caught.value.what == "2 problems keep the build from succeeding"
    assert [line.rpartition("is not for ")[2].split()[0] for line in caught.value.why[::2]] == [
        "linux-aarch64",
        "macos-aarch64",
    ]
