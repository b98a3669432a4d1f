from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

import no_files
from building import RELEASE, Project, pex
from czex.factories import metadata, record, write_zip
from czscie.build import build
from czscie.errors import CzscieError
from czscie.launchers.build import file_name
from czscie.loader import load_lift
from czscie.lock.use import LockUse
from czscie.pbs.assets import Asset
from czscie.platforms import find_platform
from czscie.scie.inspect import Contents
from czscie.session import Session
from czscie.vendor.verify import verify_vendor
from czscie.vendor.write import write_vendor
from czscie.vendor_directory import faults, open_vendor, read_checksums, write_checksums
from libc.factories import mirror
from lock.test_locking import WINDOWS, add_wheels
from network.server import MirrorServer
from pbs.factories import cpython, members, tar_gz

ARCHIVE = f"archives/cpython-3.13.9+{RELEASE}-x86_64-pc-windows-msvc-install_only_stripped.tar.gz"
LAUNCHER = f"launchers/{file_name('windows-x86_64')}"


def vendor(project: Project, directory: Path) -> None:
    lift, targets = load_lift(project.directory / "lift.toml", ())
    write_vendor(lift, targets, directory, Session.of())


def build_of(project: Project, directory: Path) -> list[Contents]:
    session = Session.of(offline=True, vendor=directory)
    manifest = project.directory / "lift.toml"
    return build(manifest, project.directory / "dist", (), session, LockUse.LOCKED)


@pytest.fixture
def parcel(project: Project, server: MirrorServer, tmp_path: Path) -> Path:
    """What is vendored of a project with a wheel, an embedded file from the server, for Windows."""
    add_wheels(project, server)
    server.files["/cows.json"] = b"[]"
    digest = hashlib.sha256(b"[]").hexdigest()
    rest = (
        f'[[lift.files]]\nname = "cows.json"\nsource = {{ url = "{server.url}/cows.json", lazy = false }}\n'
        f'digest = {{ size = 2, fingerprint = "{digest}" }}\n'
    )
    project.manifest(platforms=("windows-x86_64",), payload='lock = "pylock.toml"', rest=rest)
    vendor(project, tmp_path / "parcel")
    return tmp_path / "parcel"


def names(directory: Path) -> set[str]:
    return {path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file()}


def test_everything_that_a_build_takes_is_there(parcel: Path, project: Project) -> None:
    found = names(parcel)
    assert {ARCHIVE, LAUNCHER, f"wheels/{WINDOWS}", "files/cows.json"} <= found
    assert {"lift.lock", "index.html", "SHA256SUMS", "sbom/moo-windows-x86_64.cdx.json"} <= found
    assert (parcel / "lift.lock").read_bytes() == (project.directory / "lift.lock").read_bytes()
    assert json.loads((parcel / "sbom/moo-windows-x86_64.cdx.json").read_bytes())["specVersion"] == "1.6"
    assert faults(parcel) == []


def test_a_build_of_it_gives_the_same_bytes_and_asks_nobody(
    parcel: Path, project: Project, server: MirrorServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [connected] = project.build()
    server.requests.clear()
    monkeypatch.setenv("CZSCIE_CACHE", str(tmp_path / "empty"))
    monkeypatch.setenv("CZSCIE_PBS_URL", "https://nowhere.example")
    [carried] = build_of(project, parcel)
    assert carried.sha256 == connected.sha256
    assert server.requests == []


def test_its_checksums_are_those_of_coreutils(parcel: Path) -> None:
    done = subprocess.run(
        ["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=parcel, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_every_link_of_its_page_leads_to_a_file_of_it(parcel: Path) -> None:
    page = (parcel / "index.html").read_text()
    links = set(re.findall(r'href="([^"]*)"', page))
    assert {link.replace("%2B", "+") for link in links} <= names(parcel)
    assert f"wheels/{WINDOWS}" in links
    assert "src=" not in page and "http" not in page


@pytest.mark.parametrize("path", [ARCHIVE, LAUNCHER, f"wheels/{WINDOWS}"])
@pytest.mark.parametrize("damage", ["changed", "missing"])
def test_what_is_damaged_is_found_and_never_built_with(
    parcel: Path,
    project: Project,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    damage: str,
) -> None:
    monkeypatch.setenv("CZSCIE_CACHE", str(tmp_path / "empty"))
    if damage == "changed":
        (parcel / path).write_bytes((parcel / path).read_bytes() + b"?")
    else:
        (parcel / path).unlink()
    assert faults(parcel) == [f"{path} {'differs from SHA256SUMS' if damage == 'changed' else 'is missing'}"]
    with pytest.raises(CzscieError):
        build_of(project, parcel)
    assert not list(project.directory.glob("dist/*"))


#: A file of each kind that a vendor directory has; those in READ are read by a build, the others by people.
READ = {
    "archives": "archives/*.tar.gz",
    "debian": "debian/libc6_*.deb",
    "files": "files/cows.json",
    "launchers": "launchers/linux-x86_64-*",
    "wheels": "wheels/*.whl",
}
SHOWN = {
    "index.html": "index.html",
    "lift.lock": "lift.lock",
    "licence of a wheel": "licences/cow-1.0/LICENSE",
    "licence of an interpreter": "licences/cpython-3.13.9/LICENSE.txt",
    "sbom": "sbom/*.cdx.json",
}


@pytest.fixture
def complete(project: Project, server: MirrorServer, tmp_path: Path) -> Path:
    """A vendor directory with files of all kinds, for Linux."""
    add_licences(project, server)
    server.files["/cows.json"] = b"[]"
    digest = hashlib.sha256(b"[]").hexdigest()
    (project.directory / "debian.json").write_bytes(msgspec.json.encode(mirror(tmp_path / "debian")))
    rest = (
        f'[[lift.files]]\nname = "cows.json"\nsource = {{ url = "{server.url}/cows.json", lazy = false }}\n'
        f'digest = {{ size = 2, fingerprint = "{digest}" }}\n'
        '[lift.libc]\nbundle = "always"\npackages = "debian.json"\n'
    )
    project.manifest(payload='lock = "pylock.toml"', rest=rest)
    vendor(project, tmp_path / "complete")
    return tmp_path / "complete"


def add_licences(project: Project, server: MirrorServer) -> None:
    """An interpreter and a wheel that have licence texts."""
    asset = Asset("3.13.9", RELEASE, find_platform("linux-x86_64").triple, "install_only_stripped")
    data = tar_gz(members({**cpython(), "LICENSE.txt": b"of CPython"}))
    server.files[f"/{RELEASE}/{asset.url_name}"] = data
    sums = server.files[f"/{RELEASE}/SHA256SUMS"].decode().splitlines(keepends=True)
    others = [line for line in sums if not line.endswith(f"  {asset.name}\n")]
    line = f"{hashlib.sha256(data).hexdigest()}  {asset.name}\n"
    server.files[f"/{RELEASE}/SHA256SUMS"] = "".join([*others, line]).encode()
    name, info = "cow-1.0-py3-none-any.whl", "cow-1.0.dist-info"
    content = {**metadata("cow"), f"{info}/licenses/LICENSE": b"of cow"}
    content[f"{info}/RECORD"] = record(content, f"{info}/RECORD")
    wheel = write_zip(project.directory / name, content).read_bytes()
    (project.directory / name).unlink()
    server.files[f"/wheels/{name}"] = wheel
    (project.directory / "pylock.toml").write_text(
        'lock-version = "1.0"\ncreated-by = "hand"\n[[packages]]\nname = "cow"\nversion = "1.0"\n'
        f'wheels = [{{ name = "{name}", url = "{server.url}/wheels/{name}", '
        f'hashes = {{ sha256 = "{hashlib.sha256(wheel).hexdigest()}" }} }}]\n'
    )


def exchange(directory: Path, pattern: str) -> str:
    """Another file of the name, with its line in SHA256SUMS; returns its path."""
    [path] = directory.glob(pattern)
    name = path.relative_to(directory).as_posix()
    path.write_bytes(path.read_bytes() + b"\n")
    before = read_checksums(directory)
    write_checksums(directory, {**before, name: hashlib.sha256(path.read_bytes()).hexdigest()})
    return name


def verified(project: Project, directory: Path) -> tuple[str, ...]:
    lift, _ = load_lift(project.directory / "lift.toml", ())
    return verify_vendor(lift, (), directory, Session.of())


def test_the_kinds_are_all_kinds(complete: Path, project: Project) -> None:
    patterns = {**READ, **SHOWN}.values()
    kinds = {pattern.partition("/")[0] for pattern in patterns}
    assert {name.partition("/")[0] for name in names(complete)} == {*kinds, "SHA256SUMS"}
    assert all(len(list(complete.glob(pattern))) == 1 for pattern in patterns)
    assert verified(project, complete) == ()


@pytest.mark.parametrize("kind", [*READ, *SHOWN])
@pytest.mark.parametrize("cache", ["full", "empty"])
def test_what_is_exchanged_together_with_its_digest_is_refused(
    complete: Path, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, cache: str
) -> None:
    [whole] = build_of(project, complete)
    shutil.rmtree(project.directory / "dist")
    name = exchange(complete, {**READ, **SHOWN}[kind])
    if cache == "empty":
        monkeypatch.setenv("CZSCIE_CACHE", str(tmp_path / "empty"))
    assert faults(complete) == []
    [found] = verified(project, complete)
    assert found.startswith(f"{name} differs from ")
    if kind in SHOWN or (cache == "full" and kind not in ("files", "launchers")):
        # No build reads what is for people, and none that has the parts already the files that they are of.
        assert build_of(project, complete)[0].sha256 == whole.sha256
        return
    with pytest.raises(CzscieError, match="differs from the lock"):
        build_of(project, complete)
    assert not list(project.directory.glob("dist/*"))


def test_a_file_that_the_lock_does_not_ask_for_is_found(complete: Path, project: Project) -> None:
    (complete / "wheels" / "more.whl").write_bytes(b"")
    digest = hashlib.sha256(b"").hexdigest()
    write_checksums(complete, {**read_checksums(complete), "wheels/more.whl": digest})
    assert verified(project, complete) == ("wheels/more.whl is not in the lock",)


def test_a_file_that_is_left_out_together_with_its_digest_is_found(complete: Path, project: Project) -> None:
    (complete / "files" / "cows.json").unlink()
    listed = {name: digest for name, digest in read_checksums(complete).items() if name != "files/cows.json"}
    write_checksums(complete, listed)
    assert verified(project, complete) == ("files/cows.json is missing",)


def test_a_directory_of_no_lock_or_of_another_czscie_is_told(complete: Path, project: Project) -> None:
    path = project.directory / "lift.lock"
    lock = path.read_bytes()
    path.unlink()
    with pytest.raises(CzscieError, match="there is no lock"):
        verified(project, complete)
    path.write_bytes(lock.replace(b'created-by = "czscie ', b'created-by = "czscie 9'))
    [found] = verified(project, complete)
    assert found.startswith("the rest cannot be compared: czscie 9")


def test_what_is_too_much_is_found(parcel: Path) -> None:
    (parcel / "wheels" / "more.whl").write_bytes(b"")
    assert faults(parcel) == ["wheels/more.whl is not listed"]


def test_an_older_one_is_brought_up_to_date(parcel: Path, project: Project) -> None:
    before = (parcel / ARCHIVE).stat().st_mtime_ns
    pex(project.directory / "moo.pex")
    project.manifest(platforms=("windows-x86_64",))
    vendor(project, parcel)
    found = names(parcel)
    assert f"wheels/{WINDOWS}" not in found and "files/cows.json" not in found
    assert faults(parcel) == []
    assert (parcel / ARCHIVE).stat().st_mtime_ns == before


def test_what_somebody_else_put_there_stays(project: Project, tmp_path: Path) -> None:
    project.manifest(platforms=("windows-x86_64",))
    (tmp_path / "mine").write_text("precious")
    with pytest.raises(CzscieError, match="is not empty, and czscie vendor did not write it"):
        vendor(project, tmp_path)
    assert (tmp_path / "mine").read_text() == "precious"


@pytest.mark.parametrize(
    "line", ["x", f"{'0' * 64}  ../outside", f"{'0' * 64}  /etc/passwd", f"{'0' * 63}  a"]
)
def test_a_list_that_leads_elsewhere_is_no_list(tmp_path: Path, line: str) -> None:
    (tmp_path / "SHA256SUMS").write_text(f"{line}\n")
    with pytest.raises(CzscieError, match="is not a list of digests"):
        open_vendor(tmp_path)


def test_a_directory_that_is_none_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CzscieError, match="was not written by czscie vendor"):
        open_vendor(tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="there are no FIFOs")
@pytest.mark.parametrize("damage", no_files.KINDS)
def test_a_list_that_is_no_file_is_named(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    (tmp_path / "SHA256SUMS").touch()
    damage(tmp_path / "SHA256SUMS")
    with pytest.raises(CzscieError, match="SHA256SUMS cannot be read"):
        open_vendor(tmp_path)
