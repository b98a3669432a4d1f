"""Launchers as locks pin them: their bytes, and not only what they are compiled of."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec
import pytest

from building import Project
from czscie.console import Console
from czscie.errors import Code, CzscieError
from czscie.launchers import build as launchers
from czscie.launchers import provide
from czscie.lock.command import check_lock, update_lock
from czscie.lock.lock import LockedLauncher, LockedLaunchers, read_lock, write_lock
from czscie.lock.upgrade import Upgrade
from czscie.lock.use import LockUse
from czscie.network.network import Network
from czscie.session import Session

LINUX, WINDOWS = "linux-x86_64", "windows-x86_64"


@pytest.fixture(autouse=True)
def no_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Launchers are in the cache or nowhere."""
    source = launchers.native_source()
    monkeypatch.setattr(launchers, "native_source", lambda: source)
    monkeypatch.setattr(launchers, "_PACKAGE", tmp_path / "nothing")

    def compile_launcher(name: str, directory: Path, cache: Path, *, offline: bool) -> Path:
        raise CzscieError(f"there is no compiler for {name}", code=Code.LAUNCHER_UNUSABLE)

    monkeypatch.setattr(provide, "compile_launcher", compile_launcher)


def kept(project: Project, name: str) -> Path:
    """Where the cache of the project has a launcher."""
    return project.directory.parent / "cache" / "launchers" / launchers.file_name(name)


def pinned(project: Project) -> tuple[LockedLauncher, ...]:
    lock = read_lock((project.directory / "lift.toml").with_suffix(".lock"))
    assert lock is not None
    return lock.launcher.binaries


def as_pinned(project: Project, name: str) -> LockedLauncher:
    content = kept(project, name).read_bytes()
    return LockedLauncher(name=name, sha256=hashlib.sha256(content).hexdigest(), size=len(content))


def test_a_lock_pins_the_launchers_of_its_platforms(project: Project) -> None:
    project.manifest(platforms=(WINDOWS, LINUX))
    project.build(LINUX)
    assert pinned(project) == (as_pinned(project, LINUX),)
    update_lock(project.directory / "lift.toml", Upgrade(), Session.of(Console()))
    assert pinned(project) == (as_pinned(project, LINUX), as_pinned(project, WINDOWS))
    text = (project.directory / "lift.lock").read_text()
    each = as_pinned(project, LINUX)
    assert f'    {{ name = "{LINUX}", sha256 = "{each.sha256}", size = {each.size} }},\n' in text
    project.manifest(platforms=(WINDOWS,))
    update_lock(project.directory / "lift.toml", Upgrade(), Session.of(Console()))
    assert pinned(project) == (as_pinned(project, WINDOWS),)


@pytest.mark.parametrize("use", LockUse)
def test_another_launcher_than_the_locked_one_is_refused(project: Project, use: LockUse) -> None:
    """It is that of the same source."""
    project.manifest()
    project.build()
    before = pinned(project)[0].sha256
    kept(project, LINUX).write_bytes(b"another")
    with pytest.raises(CzscieError) as caught:
        project.build(use=use)
    assert caught.value.what == f"the launcher for {LINUX} differs from the lock"
    found = hashlib.sha256(b"another").hexdigest()
    assert caught.value.why == (f"locked SHA-256 {before}", f"here   SHA-256 {found}")
    assert "czscie lock --upgrade-only czscie" in (caught.value.hint or "")


def test_an_upgrade_locks_the_launcher_that_is_here(project: Project) -> None:
    manifest = project.manifest()
    project.build()
    kept(project, LINUX).write_bytes(b"another")
    update_lock(manifest, Upgrade(), Session.of(Console()))
    assert pinned(project)[0].sha256 != hashlib.sha256(b"another").hexdigest()
    update_lock(manifest, Upgrade(names=frozenset({"czscie"})), Session.of(Console()))
    assert pinned(project)[0].sha256 == hashlib.sha256(b"another").hexdigest()
    [built] = project.build(use=LockUse.LOCKED)
    assert built.manifest.scie.jump.hash == pinned(project)[0].sha256


def without_launchers(manifest: Path) -> None:
    """The lock as an earlier czscie wrote it."""
    lock = read_lock(manifest.with_suffix(".lock"))
    assert lock is not None
    launcher = LockedLaunchers(source=lock.launcher.source)
    write_lock(manifest.with_suffix(".lock"), msgspec.structs.replace(lock, launcher=launcher))


def test_a_lock_without_launchers_gets_them_and_keeps_the_rest(project: Project) -> None:
    manifest = project.manifest()
    project.build()
    before = manifest.with_suffix(".lock").read_bytes()
    without_launchers(manifest)
    assert check_lock(manifest, Session.of(Console())) == (f"the launcher for {LINUX} is not locked",)
    with pytest.raises(CzscieError, match="is not up to date"):
        project.build(use=LockUse.LOCKED)
    project.build(use=LockUse.FROZEN)
    project.build()
    assert manifest.with_suffix(".lock").read_bytes() == before


def test_a_launcher_that_cannot_be_made_is_not_locked_and_no_other_platforms_affair(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.manifest(platforms=(LINUX, WINDOWS))
    kept(project, WINDOWS).unlink()
    update_lock(project.directory / "lift.toml", Upgrade(), Session.of(Console()))
    told = f"warning: the launcher for {WINDOWS} is not locked: there is no compiler for {WINDOWS}"
    assert told in capsys.readouterr().err
    assert pinned(project) == (as_pinned(project, LINUX),)
    project.build(LINUX, use=LockUse.LOCKED)
    with pytest.raises(CzscieError, match=f"there is no compiler for {WINDOWS}"):
        project.build(WINDOWS)


def test_a_damaged_launcher_is_not_locked(project: Project) -> None:
    """Its digest was kept when it was compiled."""
    manifest = project.manifest()
    path = kept(project, LINUX)
    path.with_name(f"{path.name}{launchers.DIGEST_SUFFIX}").write_text(as_pinned(project, LINUX).sha256)
    path.write_bytes(b"damaged")
    update_lock(manifest, Upgrade(), Session.of(Console()))
    assert pinned(project) == ()


def test_no_launcher_that_was_carried_here_is_taken_without_a_lock_that_pins_it(
    project: Project, tmp_path: Path
) -> None:
    path = tmp_path / "carried" / launchers.file_name(LINUX)
    path.parent.mkdir()
    path.write_bytes(b"from anywhere")
    network = Network(offline=True, directories=(path.parent,))
    with pytest.raises(CzscieError, match="cannot be used") as caught:
        provide.provide_launcher(LINUX, Console(), network)
    assert caught.value.why == (f"the lock does not pin the launcher for {LINUX}",)
    with pytest.raises(CzscieError, match="differs from the lock"):
        provide.provide_launcher(LINUX, Console(), network, as_pinned(project, LINUX).sha256)
    found = provide.provide_launcher(LINUX, Console(), network, hashlib.sha256(b"from anywhere").hexdigest())
    assert found == path
