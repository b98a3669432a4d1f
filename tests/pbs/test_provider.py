from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest

from czscie.errors import CzscieError
from czscie.lift.interpreter import Host, Local, PythonBuildStandalone
from czscie.network.network import Network, Patience
from czscie.network.remote import WrongContent
from czscie.pbs.asset_list import AssetList
from czscie.pbs.assets import Asset
from czscie.pbs.provider import Provider
from czscie.platforms import PLATFORMS, current_platform, find_platform
from network.server import MirrorServer
from pbs.factories import AARCH64_PYTHON, cpython, members, tar_gz, tar_zst

PATIENCE = Patience(connect=2, read=1, attempts=2, first_wait=0.01)
QUICK = Network(PATIENCE)
LINUX = find_platform("linux-x86_64")
TAG = "20260101"
ASSET = Asset("3.13.9", TAG, LINUX.triple, "install_only_stripped")
ARCHIVE = tar_gz(members(cpython("3.13.9")))


def standalone(
    base_url: str | None = None,
    version: str = "3.13",
    release: str | None = None,
    flavor: str = "install_only_stripped",
    libc: str | None = None,
) -> PythonBuildStandalone:
    base_urls = () if base_url is None else (base_url,)
    return PythonBuildStandalone("cpython", version, release, flavor, libc, base_urls, lazy=False)


def fill(server: MirrorServer, files: dict[str, bytes], directory: str = f"/{TAG}") -> None:
    """A release with these assets, whatever is in them."""
    server.files["/latest-release.json"] = json.dumps({"tag": TAG}).encode()
    lines = (f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in sorted(files.items()))
    server.files[f"{directory}/SHA256SUMS"] = "".join(lines).encode()
    server.files |= {f"{directory}/{name.replace('+', '%2B')}": content for name, content in files.items()}


def test_what_only_a_download_needs_is_not_imported_before() -> None:
    code = "import sys, czscie.pbs.provider; print(sorted({'httpx', 'zstandard', 'rich'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_newest_release_is_found_verified_and_read(server: MirrorServer) -> None:
    fill(server, {ASSET.name: ARCHIVE})
    source = Provider(network=QUICK).resolve(standalone(server.url), LINUX)
    assert source.digest == hashlib.sha256(ARCHIVE).hexdigest()
    assert source.description == "cpython 3.13.9+20260101 x86_64-unknown-linux-gnu install_only_stripped"
    assert source.url == f"{server.url}/{TAG}/{ASSET.url_name}"
    assert source.size is None
    assert [path for path, _ in server.requests] == ["/latest-release.json", f"/{TAG}/SHA256SUMS"]
    distribution = source.load()
    assert (distribution.platform, distribution.layout.version, distribution.glibc) == (
        LINUX,
        "3.13.9",
        (2, 17),
    )
    assert [item.path for item in distribution.items] == sorted(cpython("3.13.9"))


def test_a_second_build_with_a_pinned_release_asks_nobody(server: MirrorServer) -> None:
    fill(server, {ASSET.name: ARCHIVE})
    interpreter = standalone(server.url, release=TAG)
    Provider(network=QUICK).resolve(interpreter, LINUX).load()
    asked = len(server.requests)
    Provider(network=QUICK).resolve(interpreter, LINUX).load()
    assert len(server.requests) == asked


def test_all_platforms_of_a_build_get_the_same_release(server: MirrorServer) -> None:
    arm = Asset("3.13.9", TAG, "aarch64-unknown-linux-gnu", "install_only_stripped")
    fill(server, {ASSET.name: ARCHIVE, arm.name: tar_gz(members(cpython(python=AARCH64_PYTHON)))})
    provider = Provider(network=QUICK)
    for platform in (LINUX, find_platform("linux-aarch64")):
        assert provider.resolve(standalone(server.url), platform).load().platform == platform
    assert server.asked("/latest-release.json") == [None]


@pytest.mark.parametrize("directory", [f"/{TAG}", f"/download/{TAG}", ""])
@pytest.mark.parametrize("plus", ["+", "%2B", "%252B"])
def test_the_plus_of_a_name_may_be_written_either_way(
    server: MirrorServer, directory: str, plus: str
) -> None:
    fill(server, {ASSET.name: ARCHIVE}, directory)
    content = server.files.pop(f"{directory}/{ASSET.url_name}")
    server.files[f"{directory}/{ASSET.name.replace('+', plus)}"] = content
    source = Provider(network=QUICK).resolve(standalone(server.url), LINUX)
    if plus == "%252B":
        with pytest.raises(CzscieError) as caught:
            source.load()
        assert caught.value.why == (
            f"there is nothing at {server.url}{directory}/{ASSET.url_name}",
            f"there is nothing at {server.url}{directory}/{ASSET.name}",
        )
    else:
        assert source.load().layout.version == "3.13.9"


@pytest.mark.parametrize("plus", ["+", "%2B"])
def test_a_mirror_may_be_a_directory_with_either_plus(tmp_path: Path, plus: str) -> None:
    release = tmp_path / "the mirror" / TAG
    release.mkdir(parents=True)
    (release.parent / "latest-release.json").write_text(json.dumps({"tag": TAG}))
    (release / ASSET.name.replace("+", plus)).write_bytes(ARCHIVE)
    (release / "SHA256SUMS").write_text(f"{hashlib.sha256(ARCHIVE).hexdigest()}  {ASSET.name}\n")
    interpreter = standalone((tmp_path / "the mirror").as_uri())
    assert Provider(network=QUICK).resolve(interpreter, LINUX).load().layout.version == "3.13.9"


def fill_as_science(server: MirrorServer, asset: Asset, directory: str, name: str) -> None:
    """What `science download` writes: a list of the asset in `directory`, and the archive."""
    assets = AssetList.of(TAG).with_asset(asset, hashlib.sha256(ARCHIVE).hexdigest(), len(ARCHIVE))
    server.files[f"{directory}/{quote(name)}"] = assets.rendered()
    server.files[f"/download/{TAG}/{asset.url_name}"] = ARCHIVE


@pytest.mark.parametrize("version", ["3.13", "3.13.9"])
@pytest.mark.parametrize(
    ("directory", "release"),
    [(f"/download/{TAG}", TAG), ("/latest/download", None), ("/latest/download", TAG)],
)
def test_a_mirror_that_science_wrote_has_lists_in_place_of_checksums(
    server: MirrorServer, directory: str, release: str | None, version: str
) -> None:
    fill_as_science(server, ASSET, directory, "distributions-3.13-install_only_stripped.json")
    source = Provider(network=QUICK).resolve(standalone(server.url, version, release), LINUX)
    assert source.load().layout.version == "3.13.9"
    assert source.url == f"{server.url}/download/{TAG}/{ASSET.url_name}"


def test_a_mirror_that_science_wrote_may_be_a_directory(tmp_path: Path) -> None:
    debug = replace(ASSET, flavor="debug-full")
    archive = tar_zst(members(cpython("3.13.9")))
    assets = AssetList.of(TAG).with_asset(debug, hashlib.sha256(archive).hexdigest(), len(archive))
    directory = tmp_path / "download" / TAG
    directory.mkdir(parents=True)
    (directory / r"distributions-3.13-debug\-full.json").write_bytes(assets.rendered())
    (directory / debug.name).write_bytes(archive)
    interpreter = standalone(tmp_path.as_uri(), "3.13d", TAG)
    assert Provider(network=QUICK).resolve(interpreter, LINUX).digest == hashlib.sha256(archive).hexdigest()


def test_where_there_is_no_stripped_build_the_other_one_is_taken(server: MirrorServer) -> None:
    whole = replace(ASSET, flavor="install_only")
    fill_as_science(server, whole, "/latest/download", "distributions-3.13-install_only.json")
    assert Provider(network=QUICK).resolve(standalone(server.url), LINUX).load().layout.version == "3.13.9"


def test_the_digest_in_a_list_of_science_counts(server: MirrorServer) -> None:
    fill_as_science(server, ASSET, f"/download/{TAG}", "distributions-3.13-install_only_stripped.json")
    server.files[f"/download/{TAG}/{ASSET.url_name}"] = ARCHIVE + b"?"
    source = Provider(network=QUICK).resolve(standalone(server.url, release=TAG), LINUX)
    with pytest.raises(WrongContent):
        source.load()


def test_a_list_of_science_that_is_none_is_refused(server: MirrorServer) -> None:
    path = f"/download/{TAG}/distributions-3.13-install_only_stripped.json"
    server.files[path] = b"<html>"
    with pytest.raises(CzscieError) as caught:
        Provider(network=QUICK).resolve(standalone(server.url, release=TAG), LINUX)
    assert caught.value.what == f"{server.url}{path} is not a list of archives as science writes it"


def test_a_mirror_without_any_list_is_said_to_lack_that_of_science_too(server: MirrorServer) -> None:
    name = "distributions-3.13-install_only_stripped.json"
    with pytest.raises(CzscieError) as caught:
        Provider(network=QUICK).resolve(standalone(server.url, release=TAG), LINUX)
    assert caught.value.why[-1] == f"that release is not listed at {server.url}/download/{TAG}/{name}"
    with pytest.raises(CzscieError) as caught:
        Provider(network=QUICK).resolve(standalone(server.url), LINUX)
    assert caught.value.why == (
        f"there is nothing at {server.url}/latest-release.json",
        f"there is nothing at {server.url}/latest/download/{name}",
    )


def test_the_environment_names_a_mirror(server: MirrorServer) -> None:
    fill(server, {ASSET.name: ARCHIVE})
    provider = Provider(network=Network(PATIENCE, environ={"UV_PYTHON_INSTALL_MIRROR": f"{server.url}/"}))
    assert provider.resolve(standalone(), LINUX).url.startswith(f"{server.url}/{TAG}/")


def test_a_password_of_the_mirror_is_in_no_text(server: MirrorServer) -> None:
    fill(server, {ASSET.name: ARCHIVE})
    source = Provider(network=QUICK).resolve(standalone(server.url.replace("//", "//me:secret@")), LINUX)
    assert source.load().layout.version == "3.13.9"
    assert server.authorizations == ["Basic bWU6c2VjcmV0"] * 3
    assert "secret" not in source.url + source.description + repr(source)


def test_a_full_archive_is_found_and_read(server: MirrorServer) -> None:
    full = Asset("3.13.9", TAG, LINUX.triple, "pgo+lto-full")
    fill(server, {full.name: tar_zst(members(cpython("3.13.9")), 27)})
    interpreter = standalone(server.url, flavor="full")
    assert Provider(network=QUICK).resolve(interpreter, LINUX).load().layout.version == "3.13.9"


def test_a_wrong_digest_makes_the_next_build_ask_for_the_index_again(server: MirrorServer) -> None:
    fill(server, {ASSET.name: b"what the index was made for"})
    server.files[f"/{TAG}/{ASSET.url_name}"] = ARCHIVE
    interpreter = standalone(server.url, release=TAG)
    with pytest.raises(WrongContent):
        Provider(network=QUICK).resolve(interpreter, LINUX).load()
    fill(server, {ASSET.name: ARCHIVE})
    assert Provider(network=QUICK).resolve(interpreter, LINUX).load().layout.version == "3.13.9"


def test_an_asset_that_came_after_the_kept_index_is_found(server: MirrorServer) -> None:
    fill(server, {ASSET.name: ARCHIVE})
    interpreter = standalone(server.url, release=TAG)
    Provider(network=QUICK).resolve(interpreter, LINUX)
    older = Asset("3.12.1", TAG, LINUX.triple, "install_only_stripped")
    fill(server, {ASSET.name: ARCHIVE, older.name: ARCHIVE})
    found = Provider(network=QUICK).resolve(standalone(server.url, "3.12", TAG), LINUX)
    assert found.description.startswith("cpython 3.12.1+")


def test_an_archive_of_the_wrong_platform_is_noticed(server: MirrorServer) -> None:
    fill(server, {ASSET.name: tar_gz(members(cpython(python=AARCH64_PYTHON)))})
    with pytest.raises(CzscieError) as caught:
        Provider(network=QUICK).resolve(standalone(server.url), LINUX).load()
    assert caught.value.what == f"the interpreter of {ASSET.name} does not run on linux-x86_64"


def test_a_libc_that_is_not_the_platforms_chooses_the_interpreter_for_it(server: MirrorServer) -> None:
    musl = Asset("3.13.9", TAG, "x86_64-unknown-linux-musl", "install_only_stripped")
    fill(server, {musl.name: b""})
    found = Provider(network=QUICK).resolve(standalone(server.url, libc="musl"), LINUX)
    assert "x86_64-unknown-linux-musl" in found.description


def test_a_libc_that_a_platform_has_not_is_refused() -> None:
    with pytest.raises(CzscieError) as caught:
        Provider(network=QUICK).resolve(standalone(libc="musl"), find_platform("linux-s390x"))
    assert str(caught.value) == (
        "error: the interpreter cpython is for musl, and there is none for linux-s390x\n"
        'hint: leave out libc = "musl"'
    )


def test_a_libc_does_not_matter_where_there_is_no_choice_of_one(server: MirrorServer) -> None:
    windows = Asset("3.13.9", TAG, "x86_64-pc-windows-msvc", "install_only_stripped")
    fill(server, {windows.name: b""})
    platform = find_platform("windows-x86_64")
    assert Provider(network=QUICK).resolve(standalone(server.url, libc="gnu"), platform).size is None


def test_a_local_directory_is_found_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "cpython.tar.gz"
    path.write_bytes(ARCHIVE)
    assert (
        Provider(Network.of()).resolve(Local("cpython", path), LINUX).digest
        == hashlib.sha256(ARCHIVE).hexdigest()
    )


def test_the_host_serves_its_own_platform_only() -> None:
    here = current_platform()
    other = next(platform for platform in PLATFORMS if platform != here)
    with pytest.raises(CzscieError) as caught:
        Provider(Network.of()).resolve(Host("cpython"), other)
    assert str(caught.value) == (
        f"error: the provider Host has no interpreter for {other.name}\n"
        f"  it ships the CPython that runs czscie, which is for {here.name}\n"
        'hint: use provider = "PythonBuildStandalone"'
    )
