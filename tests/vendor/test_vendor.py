from __future__ import annotations

import hashlib
import json
import re
import subprocess
from pathlib import Path

import pytest

from building import RELEASE, Project, pex
from czscie.build import build, read_order
from czscie.console import Console
from czscie.errors import CzscieError
from czscie.launchers.build import file_name
from czscie.lock.settle import LockUse
from czscie.network.network import Network
from czscie.scie.inspect import Contents
from czscie.vendor.checksums import faults
from czscie.vendor.directory import open_vendor
from czscie.vendor.write import write_vendor
from lock.test_locking import WINDOWS, add_wheels
from network.server import MirrorServer

ARCHIVE = f"archives/cpython-3.13.9+{RELEASE}-x86_64-pc-windows-msvc-install_only_stripped.tar.gz"
LAUNCHER = f"launchers/{file_name('windows-x86_64')}"


def vendor(project: Project, directory: Path) -> None:
    lift, targets = read_order(project.directory / "lift.toml", ())
    write_vendor(lift, targets, directory, Console())


def build_of(project: Project, directory: Path) -> list[Contents]:
    network = Network(offline=True, directories=open_vendor(directory))
    manifest = project.directory / "lift.toml"
    return build(manifest, project.directory / "dist", (), Console(), LockUse.LOCKED, network)


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
    assert faults(parcel) == [f"{path} {'has another content' if damage == 'changed' else 'is missing'}"]
    with pytest.raises(CzscieError):
        build_of(project, parcel)
    assert not list(project.directory.glob("dist/*"))


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
    with pytest.raises(CzscieError, match="is not empty, and not what czscie vendor wrote"):
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
    with pytest.raises(CzscieError, match="is not what czscie vendor writes"):
        open_vendor(tmp_path)
