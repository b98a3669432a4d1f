"""The libraries whose output is in executables: pinned, told of, and refused where nothing may change."""

from __future__ import annotations

from types import MappingProxyType

import pytest

from building import Project
from czscie import toolchain
from czscie.console import Console
from czscie.errors import CzscieError
from czscie.image.build import ImageOptions, make_images
from czscie.lock.command import check_lock, update_lock
from czscie.lock.lock import read_lock
from czscie.lock.upgrade import Upgrade
from czscie.lock.use import LockUse
from czscie.session import Session
from image.factories import AMD64, saved, tar


def change(monkeypatch: pytest.MonkeyPatch, **versions: str) -> None:
    """Other versions of libraries are here."""
    here = MappingProxyType({**toolchain.libraries(), **versions})
    monkeypatch.setattr(toolchain, "libraries", lambda: here)
    toolchain.digest.cache_clear()


@pytest.fixture(autouse=True)
def own_digest() -> object:
    toolchain.digest.cache_clear()
    yield
    toolchain.digest.cache_clear()


def test_a_lock_pins_them_one_a_line(project: Project) -> None:
    manifest = project.manifest()
    project.build()
    lock = read_lock(manifest.with_suffix(".lock"))
    assert lock is not None and lock.libraries == toolchain.libraries()
    assert {"zstandard", "libzstd", "packaging", "msgspec", "cyclonedx-python-lib", "xz"} <= set(
        lock.libraries
    )
    text = manifest.with_suffix(".lock").read_text()
    assert f'\n[libraries]\ncyclonedx-python-lib = "{lock.libraries["cyclonedx-python-lib"]}"\n' in text


@pytest.mark.parametrize("use", [LockUse.UPDATE, LockUse.FROZEN])
def test_another_version_is_told_and_the_lock_stays(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], use: LockUse
) -> None:
    manifest = project.manifest()
    project.build()
    before = manifest.with_suffix(".lock").read_bytes()
    locked = toolchain.libraries()["zstandard"]
    change(monkeypatch, zstandard="0.1")
    capsys.readouterr()
    project.build(use=use)
    install = f"pip install zstandard=={locked}"
    told = f"warning: zstandard is 0.1, the lock pins {locked}: bytes may differ ({install})"
    assert told in capsys.readouterr().err
    assert manifest.with_suffix(".lock").read_bytes() == before
    assert check_lock(manifest, Session.of(Console())) == ()


def test_locked_refuses_another_version_and_says_how_to_get_the_pinned_one(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.manifest()
    project.build()
    locked = toolchain.libraries()
    change(monkeypatch, libzstd="1.5.2", packaging="1")
    with pytest.raises(CzscieError) as caught:
        project.build(use=LockUse.LOCKED)
    assert caught.value.why == (
        f"libzstd is 1.5.2, locked {locked['libzstd']}",
        f"packaging is 1, locked {locked['packaging']}",
    )
    assert caught.value.hint is not None
    install = f"pip install zstandard=={locked['zstandard']} packaging=={locked['packaging']}; "
    assert caught.value.hint.startswith(install)
    assert "czscie lock --upgrade-only czscie" in caught.value.hint


def test_what_comes_with_python_is_told_only(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project.manifest()
    project.build()
    change(monkeypatch, xz="4", zlib="0.9")
    capsys.readouterr()
    project.build(use=LockUse.LOCKED)
    [warning] = [line for line in capsys.readouterr().err.splitlines() if "the lock pins" in line]
    assert warning.startswith("warning: xz is 4, the lock pins ")


def test_zlib_matters_to_images(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    base = saved({"layer.tar": tar({"etc/a": b"a"})}, platform=AMD64, config={})
    (project.directory / "base.tar").write_bytes(base)
    manifest = project.manifest(lift='image = { base = ["base.tar"] }')
    project.build()
    change(monkeypatch, zlib="0.9")
    capsys.readouterr()
    make_images(
        manifest, [], ImageOptions.parse(project.directory / "moo.tar", None, None, ()), Session.of(Console())
    )
    assert "warning: zlib is 0.9, the lock pins " in capsys.readouterr().err


def test_an_upgrade_locks_those_that_are_here(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = project.manifest()
    project.build()
    change(monkeypatch, packaging="1")
    update_lock(manifest, Upgrade(), Session.of(Console()))
    with pytest.raises(CzscieError, match="library versions differ"):
        project.build(use=LockUse.LOCKED)
    update_lock(manifest, Upgrade(names=frozenset({"czscie"})), Session.of(Console()))
    project.build(use=LockUse.LOCKED)


def test_a_lock_of_an_earlier_version_gets_them(project: Project) -> None:
    manifest = project.manifest()
    project.build()
    before = manifest.with_suffix(".lock").read_text()
    head, _, rest = before.partition("[libraries]\n")
    manifest.with_suffix(".lock").write_text(head + rest[rest.index("\n[") + 1 :])
    assert check_lock(manifest, Session.of(Console())) == ("the versions of the libraries are not locked",)
    project.build()
    assert manifest.with_suffix(".lock").read_text() == before
