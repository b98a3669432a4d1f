from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings

from czscie.errors import CzscieError
from czscie.lock.lock import (
    Lock,
    LockedInterpreter,
    LockedLaunchers,
    LockedPackage,
    PackageNotes,
    PackageTools,
    RequestedLift,
    read_lock,
    write_lock,
)
from lock.factories import LOCKS

LOCK = Lock(created_by="czscie 0.1.0", launcher=LockedLaunchers(source="0" * 64), manifest=RequestedLift())


@settings(max_examples=50, deadline=None)
@given(LOCKS)
def test_what_is_written_is_read_as_it_was(lock: Lock) -> None:
    assert Lock.parse(lock.render(), "lift.lock") == lock.sorted()


@settings(max_examples=50, deadline=None)
@given(LOCKS)
def test_what_is_read_is_written_as_it_stood(lock: Lock) -> None:
    text = lock.render()
    assert Lock.parse(text, "lift.lock").render() == text


def test_the_order_of_what_is_locked_changes_no_byte() -> None:
    one, other = (
        LockedInterpreter(id="a", platform=platform, provider="Host", version="3.13.9", sha256="0" * 64)
        for platform in ("linux-x86_64", "linux-aarch64")
    )
    locks = [
        Lock(created_by="c", launcher=LOCK.launcher, manifest=RequestedLift(), interpreters=each)
        for each in ((one, other), (other, one))
    ]
    assert locks[0].render() == locks[1].render()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda text: text + "\n[surprise]\n", "unknown field `surprise`"),
        (lambda text: text.replace("0" * 64, "0" * 63), "$.launcher.source"),
        (lambda text: text.replace('"czscie 0.1.0"', "3"), "$.created-by"),
        (lambda text: text.replace("[launcher]", "[launcher"), "at line"),
        (lambda text: "", "it has no lock-version"),
    ],
)
def test_a_lock_that_is_not_as_it_was_written_is_an_error(change, why: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(CzscieError, match=r"lift\.lock is not a lock that czscie wrote") as caught:
        Lock.parse(change(LOCK.render()), "lift.lock")
    assert why in caught.value.why[0]


@pytest.mark.parametrize("version", ["3", "3/13.9", "3.13", "3.x.9", "3.13.9 "])
def test_the_version_of_an_interpreter_is_one_of_python(version: str) -> None:
    interpreter = LockedInterpreter(
        id="a", platform="linux-x86_64", provider="Host", version="3.13.9", sha256="0" * 64
    )
    lock = Lock(created_by="c", launcher=LOCK.launcher, manifest=RequestedLift(), interpreters=(interpreter,))
    with pytest.raises(CzscieError, match=r"lift\.lock is not a lock that czscie wrote") as caught:
        Lock.parse(lock.render().replace('"3.13.9"', f'"{version}"'), "lift.lock")
    assert "$.interpreters[0].version" in caught.value.why[0]


def test_a_lock_of_another_version_is_not_read() -> None:
    with pytest.raises(CzscieError, match=r"lift\.lock has lock version 2\.0") as caught:
        Lock.parse(LOCK.render().replace('"1.0"', '"2.0"'), "lift.lock")
    # czscie lock reads it, too.
    assert caught.value.hint == "delete it and run czscie lock, or use the czscie version that wrote it"


def test_a_package_without_platforms_is_for_all() -> None:
    everywhere = LockedPackage(name="a", version="1")
    linux = LockedPackage(
        name="b", version="1", tool=PackageTools(czscie=PackageNotes(platforms=("linux-x86_64",)))
    )
    lock = Lock(
        created_by="c", launcher=LOCK.launcher, manifest=RequestedLift(), packages=(everywhere, linux)
    )
    assert lock.packages_for("linux-x86_64") == (everywhere, linux)
    assert lock.packages_for("macos-aarch64") == (everywhere,)


def test_the_lock_is_beside_the_manifest(tmp_path: Path) -> None:
    path = (tmp_path / "lift.toml").with_suffix(".lock")
    assert path == tmp_path / "lift.lock"
    assert read_lock(path) is None
    write_lock(path, LOCK)
    assert read_lock(path) == LOCK


def test_an_unchanged_lock_is_not_written_again(tmp_path: Path) -> None:
    path = tmp_path / "lift.lock"
    write_lock(path, LOCK)
    before = path.stat()
    write_lock(path, LOCK)
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
