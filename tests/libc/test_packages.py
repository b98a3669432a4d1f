from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from czscie.errors import CzscieError
from czscie.libc.library import host_loader, optional_libraries, packages_of
from czscie.libc.packages import MIRROR, PackageTable, fetch_packages
from czscie.lift.libc import Libc
from czscie.network.network import Network, Patience
from czscie.network.remote import WrongContent
from czscie.platforms import PLATFORMS, find_platform
from libc.factories import X86_64, mirror


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CZSCIE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv(MIRROR, raising=False)


@pytest.mark.parametrize("platform", [each for each in PLATFORMS if each.os == "linux"], ids=lambda p: p.name)
def test_czscies_own_table_has_every_package_of_every_linux(platform) -> None:  # type: ignore[no-untyped-def]
    assert host_loader(platform).startswith("/lib")
    for package in packages_of(PackageTable.builtin(), platform, optional_libraries(platform)):
        assert package.path.startswith("pool/main/") and package.path.endswith(f"_{package.architecture}.deb")
        assert package.size > 1000 and len(package.sha256) == 64


def test_a_platform_without_packages_is_told() -> None:
    with pytest.raises(CzscieError) as caught:
        PackageTable("Debian 13", "file:///m", ()).find("libc6", X86_64)
    assert str(caught.value) == (
        "error: there is no C library to bundle for linux-x86_64\n"
        "  Debian 13 has no libc6 for amd64\n"
        'hint: set bundle = "never" in [lift.libc]'
    )
    with pytest.raises(CzscieError, match="macos-aarch64"):
        host_loader(find_platform("macos-aarch64"))


def test_packages_are_fetched_and_verified(tmp_path: Path) -> None:
    table = mirror(tmp_path / "mirror")
    package = table.find("libstdc++6", X86_64)
    path = fetch_packages(table, (package,), Network.of())["libstdc++6"]
    assert path.read_bytes() == (tmp_path / "mirror" / package.path).read_bytes()


def test_a_mirror_is_named_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = mirror(tmp_path / "mirror")
    far = msgspec.structs.replace(table, url="https://192.0.2.1/debian")
    monkeypatch.setenv(MIRROR, (tmp_path / "mirror").as_uri() + "/")
    assert fetch_packages(far, (table.packages[0],), Network.of())
    monkeypatch.setenv(MIRROR, "/srv/debian")
    with pytest.raises(CzscieError) as caught:
        fetch_packages(far, (table.packages[1],), Network.of())
    assert str(caught.value) == (
        "error: CZSCIE_DEBIAN_URL is '/srv/debian', which is not the URL of a mirror\n"
        "  it must begin with https://, http:// or file://"
    )


def test_another_package_of_the_same_name_is_refused(tmp_path: Path) -> None:
    table = mirror(tmp_path / "mirror")
    package = table.find("libc6", X86_64)
    (tmp_path / "mirror" / package.path).write_bytes(b"another")
    with pytest.raises(WrongContent, match="has the wrong SHA-256 or size"):
        fetch_packages(table, (package,), Network.of())


def test_a_missing_package_names_the_setting(tmp_path: Path) -> None:
    table = mirror(tmp_path / "mirror")
    package = table.find("libc6", X86_64)
    (tmp_path / "mirror" / package.path).unlink()
    with pytest.raises(CzscieError) as caught:
        fetch_packages(table, (package,), Network.of())
    assert caught.value.hint == (
        "name a mirror of Debian that has it: CZSCIE_DEBIAN_URL, or base_url in [lift.libc]"
    )


def test_what_one_mirror_lacks_or_cannot_be_reached_comes_from_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = mirror(tmp_path / "mirror")
    (tmp_path / "empty").mkdir()
    far, empty, near = "http://127.0.0.1:1/debian", (tmp_path / "empty").as_uri(), table.url
    without = msgspec.structs.replace(table, url=far)
    places = [
        msgspec.structs.replace(without, others=(empty, near)),
        msgspec.structs.replace(without, named=(empty, near)),
    ]
    package = table.find("libc6", X86_64)
    for each in places:
        [path] = fetch_packages(each, (package,), Network.of()).values()
        path.unlink()
    monkeypatch.setenv(MIRROR, f"{empty} {near}")
    assert fetch_packages(without, (package,), Network.of())


def test_all_places_that_were_asked_are_told(tmp_path: Path) -> None:
    table = mirror(tmp_path / "mirror")
    (tmp_path / "empty").mkdir()
    places = ("http://127.0.0.1:1/debian", (tmp_path / "empty").as_uri())
    network = Network(Patience(attempts=1))
    with pytest.raises(CzscieError) as caught:
        fetch_packages(msgspec.structs.replace(table, named=places), table.packages[:1], network)
    told = "\n".join(caught.value.why)
    assert "127.0.0.1" in told and f"there is nothing at {places[1]}/pool" in told


def test_the_mirrors_of_the_manifest_come_before_the_variable(tmp_path: Path) -> None:
    settings = Libc(base_url=("https://one.example/debian", "https://two.example/debian"))
    table = PackageTable.of(settings)
    urls = table.remote(table.packages[0], {MIRROR: "https://three.example"}).urls
    assert [url.partition("/pool/")[0] for url in urls][:: len(urls) // 2] == list(settings.base_url)
    default = PackageTable.builtin().remote(table.packages[0], {}).urls
    assert default[0].startswith("https://snapshot.debian.org/")
    assert default[-1].startswith("https://deb.debian.org/debian/pool/")


def test_a_table_of_ones_own_is_read(tmp_path: Path) -> None:
    table = mirror(tmp_path / "mirror")
    path = tmp_path / "debian.json"
    path.write_bytes(msgspec.json.encode(table))
    assert PackageTable.read(path) == table
    path.write_text("{}")
    with pytest.raises(CzscieError, match="is not a table of Debian packages"):
        PackageTable.read(path)
    with pytest.raises(CzscieError, match="cannot read"):
        PackageTable.read(tmp_path / "none")


def test_a_package_has_a_purl_and_a_licence(tmp_path: Path) -> None:
    package = mirror(tmp_path).find("libstdc++6", X86_64)
    assert package.package_url == "pkg:deb/debian/libstdc++6@2.41-12%2Bdeb13u4?arch=amd64"
    assert package.licence == "GPL-3.0-or-later WITH GCC-exception-3.1"
    assert mirror(tmp_path).find("libc6", X86_64).licence == "LGPL-2.1-or-later"
