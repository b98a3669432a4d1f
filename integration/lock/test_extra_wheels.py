"""What `[lift.bare]` adds to payloads: locked, built and vendored as wheels are."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from building import Project, pex
from czscie.errors import CzscieError
from czscie.launchers.build import source_digest
from czscie.loader import load_lift
from czscie.lock.command import check_lock, update_lock
from czscie.lock.inventory.comparison import OwnLauncher
from czscie.lock.lock import Lock, LockedPackage, read_lock
from czscie.lock.upgrade import Upgrade
from czscie.lock.use import LockUse
from czscie.sbom.read import read_bill
from czscie.scie.inspect import Contents, read_sbom
from czscie.session import Session
from czscie.vendor.write import write_vendor
from czscie.verify.lock import compare_with_lock
from lock.wheelhouse import distlib_file, wheel_file

BOTH = "[lift.bare]\ncertificates = true\ntzdata = true\n"
TZDATA = "[lift.bare]\ntzdata = true\n"


@pytest.fixture
def bare(project: Project, index: Path) -> Project:
    """A project, and an index that has what is added."""
    for name in ("certifi", "tzdata"):
        wheel_file(index, f"{name}-1.0-py3-none-any.whl")
    return project


def locked(project: Project, rest: str = BOTH, platforms: tuple[str, ...] = ("linux-x86_64",)) -> Lock:
    update_lock(project.manifest(rest=rest, platforms=platforms), Upgrade(), Session.of())
    return lock_of(project)


def lock_of(project: Project) -> Lock:
    lock = read_lock(project.directory / "lift.lock")
    assert lock is not None
    return lock


def versions(lock: Lock) -> list[tuple[str, str]]:
    return [(each.name, each.version) for each in lock.provisions]


def wheel_of(package: LockedPackage) -> tuple[str, int | None, str]:
    [wheel] = package.wheels
    return wheel.name, wheel.size, wheel.sha256


def upgrade(project: Project, *names: str) -> Lock:
    update_lock(
        project.directory / "lift.toml", Upgrade(everything=not names, names=frozenset(names)), Session.of()
    )
    return lock_of(project)


def test_a_lock_pins_the_wheels_that_are_added(bare: Project, index: Path) -> None:
    lock = locked(bare)
    names = ["certifi-1.0-py3-none-any.whl", "tzdata-1.0-py3-none-any.whl"]
    assert [wheel_of(each) for each in lock.provisions] == [
        (name, len(data), hashlib.sha256(data).hexdigest())
        for name in names
        if (data := (index / name).read_bytes())
    ]
    assert check_lock(bare.directory / "lift.toml", Session.of()) == ()
    assert locked(bare, rest="").provisions == ()


def test_what_czscie_is_installed_with_changes_no_lock(
    bare: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked(bare)
    before = (bare.directory / "lift.lock").read_bytes()
    other = tmp_path / "environment" / "certifi-2000.1.dist-info"
    other.mkdir(parents=True)
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: certifi\nVersion: 2000.1\n")
    (other / "RECORD").write_text("certifi/cacert.pem,,\n")
    monkeypatch.syspath_prepend(str(other.parent))
    assert check_lock(bare.directory / "lift.toml", Session.of()) == ()
    (bare.directory / "lift.lock").unlink()
    locked(bare)
    assert (bare.directory / "lift.lock").read_bytes() == before


def test_what_is_asked_for_later_is_told(bare: Project) -> None:
    locked(bare, rest=TZDATA)
    manifest = bare.manifest(rest=BOTH)
    assert check_lock(manifest, Session.of()) == ("lift.bare adds certifi",)
    with pytest.raises(CzscieError, match=r"certifi, which lift\.bare adds, is not locked"):
        bare.build(use=LockUse.FROZEN)
    assert check_lock(bare.manifest(), Session.of()) == ("lift.bare does not add tzdata",)


def test_what_is_locked_stays_until_it_is_upgraded(bare: Project, index: Path) -> None:
    locked(bare, platforms=("windows-x86_64",))
    for name in ("certifi", "tzdata"):
        wheel_file(index, f"{name}-2.0-py3-none-any.whl")
    # Windows has certificates: certifi comes with the other platform.
    lock = locked(bare, platforms=("linux-x86_64", "windows-x86_64"))
    assert versions(lock) == [("certifi", "2.0"), ("tzdata", "1.0")]
    wheel_file(index, "certifi-3.0-py3-none-any.whl")
    assert versions(upgrade(bare, "tzdata")) == [("certifi", "2.0"), ("tzdata", "2.0")]
    assert versions(upgrade(bare)) == [("certifi", "3.0"), ("tzdata", "2.0")]


def test_a_wheel_for_one_platform_alone_is_refused(project: Project, index: Path) -> None:
    wheel_file(index, "tzdata-1.0-cp313-cp313-manylinux_2_17_x86_64.whl")
    with pytest.raises(CzscieError, match=r"tzdata 1\.0, which lift\.bare adds, has no wheel for every"):
        locked(project, rest=TZDATA)


def listed(contents: Contents) -> dict[str, str | None]:
    bill = json.loads(read_sbom(contents.path))
    return {each["name"]: each.get("hashes", [{}])[0].get("content") for each in bill["components"]}


def test_a_build_adds_the_locked_wheels_and_the_lock_verifies_it(bare: Project) -> None:
    lock = locked(bare)
    [built] = bare.build(use=LockUse.LOCKED)
    found = listed(built)
    assert [found["certifi"], found["tzdata"]] == [each.wheels[0].sha256 for each in lock.provisions]
    own = OwnLauncher(source_digest(), built.manifest.scie.jump.hash)
    bill = read_bill(read_sbom(built.path), "moo")
    compared = compare_with_lock(built, bill, lock, own)
    assert (compared.differences, compared.unknown) == ([], [])


def test_another_file_in_the_place_of_a_locked_one_is_not_built(bare: Project, index: Path) -> None:
    locked(bare)
    wheel_file(index, "certifi-1.0-py3-none-any.whl", requires=["moo"])
    with pytest.raises(CzscieError, match=r"certifi-1\.0-py3-none-any\.whl"):
        bare.build(use=LockUse.LOCKED)


def test_vendoring_carries_them(bare: Project, tmp_path: Path) -> None:
    lift, targets = load_lift(bare.manifest(rest=BOTH), ())
    write_vendor(lift, targets, tmp_path / "parcel", Session.of())
    assert sorted(path.name for path in (tmp_path / "parcel" / "wheels").iterdir()) == [
        "certifi-1.0-py3-none-any.whl",
        "tzdata-1.0-py3-none-any.whl",
    ]


POINTS = "[console_scripts]\ncow = cow:main\n"


def scripted(project: Project) -> None:
    """Gives the project's PEX a script."""
    pex(project.directory / "moo.pex", files={"cow-1.0.dist-info/entry_points.txt": POINTS.encode()})


def test_scripts_on_windows_have_launchers_that_the_lock_pins(project: Project, index: Path) -> None:
    distlib = distlib_file(index)
    scripted(project)
    lock = locked(project, rest="", platforms=("linux-x86_64", "windows-x86_64"))
    data = distlib.read_bytes()
    assert [wheel_of(each) for each in lock.provisions] == [
        (distlib.name, len(data), hashlib.sha256(data).hexdigest())
    ]
    linux, windows = project.build(use=LockUse.LOCKED)
    assert "distlib" not in listed(linux)
    assert listed(windows)["distlib"] == hashlib.sha256(data).hexdigest()
    [payload] = [each.plan for each in windows.parts if each.part.name == "payload"]
    scripts = {file.path for file in payload.files if file.path.startswith("Scripts/")}
    assert scripts == {"Scripts/cow.exe", "Scripts/python.exe", "Scripts/pythonw.exe"}
    # Only the launchers go in: distlib itself is not installed.
    assert not any("distlib" in file.path for file in payload.files)
    for built in (linux, windows):
        own = OwnLauncher(source_digest(), None)
        compared = compare_with_lock(built, read_bill(read_sbom(built.path), "moo"), lock, own)
        assert (compared.differences, compared.unknown) == ([], [])


def test_other_launchers_of_scripts_than_the_locked_ones_are_found(project: Project, index: Path) -> None:
    distlib_file(index)
    scripted(project)
    lock = locked(project, rest="", platforms=("windows-x86_64",))
    [built] = project.build()
    distlib_file(index, "2.0")
    other = upgrade(project, "distlib")
    assert versions(other) == [("distlib", "2.0")]
    bill = read_bill(read_sbom(built.path), "moo")
    own = OwnLauncher(source_digest(), None)
    assert compare_with_lock(built, bill, lock, own).differences == []
    [difference] = compare_with_lock(built, bill, other, own).differences
    assert difference.startswith("the wheel distlib-2.0-py2.py3-none-any.whl differs from the lock")


def test_payloads_without_scripts_and_lifts_that_want_none_take_no_launchers(
    project: Project, index: Path
) -> None:
    assert locked(project, rest="", platforms=("windows-x86_64",)).provisions == ()
    scripted(project)
    rest = "[lift.windows]\nscripts = false\n"
    assert locked(project, rest=rest, platforms=("windows-x86_64",)).provisions == ()
    [built] = project.build()
    [payload] = [each.plan for each in built.parts if each.part.name == "payload"]
    assert "Scripts/cow-script.py" in {file.path for file in payload.files}
    assert check_lock(project.manifest(platforms=("windows-x86_64",)), Session.of()) == (
        "scripts on Windows need distlib",
    )


def test_vendoring_carries_the_launchers_of_scripts(project: Project, index: Path, tmp_path: Path) -> None:
    distlib_file(index)
    scripted(project)
    lift, targets = load_lift(project.manifest(platforms=("windows-x86_64",)), ())
    write_vendor(lift, targets, tmp_path / "parcel", Session.of())
    assert [path.name for path in (tmp_path / "parcel" / "wheels").iterdir()] == [
        "distlib-1.0-py2.py3-none-any.whl"
    ]
