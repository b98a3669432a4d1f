from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

import no_files
from czscie.errors import Code, CzscieError
from czscie.network.client import Client
from czscie.network.network import Network, Patience
from czscie.pbs.assets import Asset
from czscie.pbs.mirror import Mirror
from czscie.pbs.releases import Release, Releases, parse_checksums
from czscie.progress import Progress
from network.server import MirrorServer, Reply
from pbs.real import REAL_ASSETS, checksums

QUICK = Network(Patience(connect=2, read=0.2, attempts=3, first_wait=0.01, longest_wait=1))
TAG = "20261021"


def releases(*bases: str) -> Releases:
    return Releases([Mirror(base, "base_url") for base in bases], Client(QUICK), Progress())


def test_the_newest_release_is_what_latest_release_json_says(server: MirrorServer) -> None:
    server.files["/latest-release.json"] = json.dumps({"version": 1, "tag": TAG}).encode()
    assert releases(server.url).newest() == TAG


@pytest.mark.parametrize("content", [b"<html>", b"{}", b"[]", b'{"tag": "v1"}', b'{"tag": 20261021}'])
def test_a_latest_release_json_without_a_release_is_refused(server: MirrorServer, content: bytes) -> None:
    server.files["/latest-release.json"] = content
    with pytest.raises(CzscieError) as caught:
        releases(server.url).newest()
    assert str(caught.value) == (
        f"error: {server.url}/latest-release.json does not name a release\n"
        '  expected JSON such as {"tag": "20261021"}'
    )


def test_a_flat_mirror_needs_no_latest_release_json(server: MirrorServer) -> None:
    server.files["/SHA256SUMS"] = checksums("20260414") + checksums(TAG) + checksums("20250702")
    assert releases(server.url).newest() == TAG


def test_a_mirror_that_does_not_say_what_is_newest_asks_for_a_release(server: MirrorServer) -> None:
    with pytest.raises(CzscieError) as caught:
        releases(server.url).newest()
    assert str(caught.value) == (
        f"error: {server.url} (base_url) does not say which release of python-build-standalone "
        "is the newest\n"
        f"  there is nothing at {server.url}/latest-release.json\n"
        'hint: name the release: release = "YYYYMMDD" in lift.interpreters'
    )


@pytest.mark.parametrize("directory", [f"/{TAG}", f"/download/{TAG}", ""])
def test_all_three_layouts_of_a_mirror_are_found(server: MirrorServer, directory: str) -> None:
    server.files[f"{directory}/SHA256SUMS"] = checksums(TAG) + (
        checksums("20260414") if not directory else b""
    )
    release = releases(server.url).find(TAG)
    assert release.directory == f"{server.url}{directory}"
    assert {asset.name: digest for asset, digest in release.digests.items()} == {
        real["filename"]: real["sha256"] for real in REAL_ASSETS if real["release"] == TAG
    }


def test_a_mirror_may_be_a_directory(tmp_path: Path) -> None:
    (tmp_path / "a mirror" / TAG).mkdir(parents=True)
    (tmp_path / "a mirror" / TAG / "SHA256SUMS").write_bytes(checksums(TAG))
    base = (tmp_path / "a mirror").as_uri()
    assert releases(base).find(TAG).directory == f"{base}/{TAG}"


def test_an_index_is_read_from_the_mirror_once(server: MirrorServer) -> None:
    server.files[f"/{TAG}/SHA256SUMS"] = checksums(TAG)
    first = releases(server.url).find(TAG)
    again = releases(server.url).find(TAG)
    assert (again.digests, again.directory) == (first.digests, first.directory)
    assert (first.fresh, again.fresh) == (True, False)
    assert len(server.requests) == 1


def test_a_fresh_index_is_asked_for_and_kept(server: MirrorServer) -> None:
    server.files[f"/{TAG}/SHA256SUMS"] = checksums(TAG)[: checksums(TAG).index(b"\n") + 1]
    assert len(releases(server.url).find(TAG).digests) == 1
    server.files[f"/{TAG}/SHA256SUMS"] = checksums(TAG)
    assert len(releases(server.url).find(TAG).digests) == 1
    assert len(releases(server.url).find(TAG, fresh=True).digests) > 1
    assert len(releases(server.url).find(TAG).digests) > 1


def test_an_index_of_one_mirror_is_not_taken_for_anothers(server: MirrorServer, tmp_path: Path) -> None:
    server.files[f"/one/{TAG}/SHA256SUMS"] = checksums(TAG)
    releases(f"{server.url}/one").find(TAG)
    with pytest.raises(CzscieError):
        releases(f"{server.url}/other").find(TAG)


def test_a_release_that_is_not_there_is_said_with_where_it_was_looked_for(server: MirrorServer) -> None:
    with pytest.raises(CzscieError) as caught:
        releases(server.url).find("20991231")
    assert str(caught.value) == (
        f"error: there is no release 20991231 of python-build-standalone at {server.url} (base_url)\n"
        f"  that release is not listed at {server.url}/20991231/SHA256SUMS\n"
        f"  that release is not listed at {server.url}/download/20991231/SHA256SUMS\n"
        f"  that release is not listed at {server.url}/SHA256SUMS\n"
        "hint: name a release that the mirror has, or another mirror"
    )


def test_a_release_from_before_checksums_is_said_to_be_one(server: MirrorServer) -> None:
    with pytest.raises(CzscieError) as caught:
        releases(server.url).find("20210724")
    assert caught.value.why == ("releases before 20220227 publish no SHA256SUMS, so nothing can be verified",)


def test_an_index_is_asked_for_again_when_the_server_errs(server: MirrorServer) -> None:
    server.files[f"/{TAG}/SHA256SUMS"] = checksums(TAG)
    server.replies[f"/{TAG}/SHA256SUMS"] = [Reply(500, body=b""), Reply(cut=10)]
    assert releases(server.url).find(TAG).tag == TAG


def test_an_index_that_cannot_be_had_is_an_error_and_not_a_missing_release(server: MirrorServer) -> None:
    server.replies[f"/{TAG}/SHA256SUMS"] = [Reply(503, body=b"")] * 3
    with pytest.raises(CzscieError) as caught:
        releases(server.url).find(TAG)
    assert str(caught.value) == (
        "error: cannot read an index of python-build-standalone\n"
        f"  {server.url}/{TAG}/SHA256SUMS: the server returned 503 Service Unavailable\n"
        "  gave up after attempt 3\n"
        "hint: try again later, set CZSCIE_PBS_URL to a mirror, or build with this machine's Python "
        '(provider = "Host")'
    )


def test_offline_an_index_is_not_read_and_what_needs_none_is_named() -> None:
    client = Client(Network(offline=True))
    with pytest.raises(CzscieError) as caught:
        Releases([Mirror("http://127.0.0.1:1", "base_url")], client, Progress()).find(TAG)
    assert str(caught.value) == (
        "error: cannot read an index of python-build-standalone: czscie is offline\n"
        f"  http://127.0.0.1:1/{TAG}/SHA256SUMS: --offline or CZSCIE_OFFLINE is set\n"
        "hint: run it once online, set CZSCIE_PBS_URL to a mirror on this machine, or build with this "
        'machine\'s Python (provider = "Host")'
    )
    assert caught.value.code == Code.OFFLINE


def test_a_page_that_is_no_list_of_digests_is_refused(server: MirrorServer) -> None:
    server.files[f"/{TAG}/SHA256SUMS"] = b"<!DOCTYPE html>\n<title>Sign in</title>\n"
    with pytest.raises(CzscieError) as caught:
        releases(server.url).find(TAG)
    assert str(caught.value) == (
        f"error: {server.url}/{TAG}/SHA256SUMS is not a list of SHA-256 digests\n"
        "  line 1 is '<!DOCTYPE html>'"
    )


@pytest.mark.parametrize("spelling", ["+", "%2B"])
@pytest.mark.parametrize("digest", [None, "0" * 64])
def test_a_list_that_has_a_name_twice_is_refused(spelling: str, digest: str | None) -> None:
    first = checksums(TAG).splitlines()[0].decode()
    right, name = first.split()
    raw = checksums(TAG) + f"{digest or right}  {name.replace('+', spelling)}\n".encode()
    with pytest.raises(CzscieError) as caught:
        parse_checksums(raw, "https://mirror.test")
    assert str(caught.value) == (
        "error: https://mirror.test/SHA256SUMS is not a list of SHA-256 digests\n"
        f"  line {raw.count(10)} is the second for {name}"
    )


@pytest.mark.parametrize(
    "line",
    [
        "",
        "0" * 63 + "  cpython.tar.gz",
        "A" * 64 + "  cpython.tar.gz",
        "0" * 64 + " cpython.tar.gz",
        "0" * 64 + "  cpython tar.gz",
        "0" * 64,
    ],
)
def test_a_line_that_is_no_digest_and_name_is_refused(line: str) -> None:
    with pytest.raises(CzscieError) as caught:
        parse_checksums(f"{line}\n".encode() + checksums(TAG), "https://me:secret@mirror.test")
    assert str(caught.value) == (
        f"error: https://mirror.test/SHA256SUMS is not a list of SHA-256 digests\n  line 1 is {line[:80]!r}"
    )


def test_the_next_mirror_is_asked_for_what_one_does_not_have(server: MirrorServer) -> None:
    server.files["/two/latest-release.json"] = json.dumps({"tag": TAG}).encode()
    server.files[f"/two/{TAG}/SHA256SUMS"] = checksums(TAG)
    both = releases(f"{server.url}/one", f"{server.url}/two")
    assert both.newest() == TAG
    assert both.find(TAG).directory == f"{server.url}/two/{TAG}"


def test_the_next_mirror_is_asked_where_one_cannot_be_reached(server: MirrorServer) -> None:
    server.files["/latest-release.json"] = json.dumps({"tag": TAG}).encode()
    server.files[f"/{TAG}/SHA256SUMS"] = checksums(TAG)
    both = releases("http://127.0.0.1:1", server.url)
    assert both.newest() == TAG
    assert both.find(TAG).directory == f"{server.url}/{TAG}"


def test_what_the_cache_knows_of_any_mirror_is_not_asked_of_another(server: MirrorServer) -> None:
    server.files[f"/two/{TAG}/SHA256SUMS"] = checksums(TAG)
    releases(f"{server.url}/two").find(TAG)
    assert releases("http://127.0.0.1:1", f"{server.url}/two").find(TAG).fresh is False
    assert len(server.requests) == 1


def test_a_mirror_that_answers_nonsense_is_not_passed_over(server: MirrorServer) -> None:
    server.files[f"/one/{TAG}/SHA256SUMS"] = b"<!DOCTYPE html>\n"
    server.files[f"/two/{TAG}/SHA256SUMS"] = checksums(TAG)
    with pytest.raises(CzscieError, match="is not a list of SHA-256 digests"):
        releases(f"{server.url}/one", f"{server.url}/two").find(TAG)


def test_where_no_mirror_has_it_all_are_named_with_their_reasons(server: MirrorServer) -> None:
    with pytest.raises(CzscieError) as caught:
        releases("http://127.0.0.1:1", server.url).find(TAG)
    assert caught.value.what == (
        f"there is no release {TAG} of python-build-standalone at http://127.0.0.1:1 (base_url), "
        f"{server.url} (base_url)"
    )
    assert caught.value.why[0].startswith(f"http://127.0.0.1:1/{TAG}/SHA256SUMS: no connection to ")
    assert caught.value.why[1:] == (
        "gave up after attempt 2",
        f"that release is not listed at {server.url}/{TAG}/SHA256SUMS",
        f"that release is not listed at {server.url}/download/{TAG}/SHA256SUMS",
        f"that release is not listed at {server.url}/SHA256SUMS",
    )


def test_a_password_of_a_mirror_is_not_kept_with_its_index(server: MirrorServer, cache: Path) -> None:
    server.files[f"/download/{TAG}/SHA256SUMS"] = checksums(TAG)
    base = server.url.replace("//", "//me:secret@")
    for _ in range(2):
        assert releases(base).find(TAG).directory == f"{base}/download/{TAG}"
    assert len(server.asked(f"/download/{TAG}/SHA256SUMS")) == 1
    [kept] = (cache / "indexes").iterdir()
    assert b"secret" not in kept.read_bytes()


def test_names_that_are_no_assets_are_passed_over() -> None:
    raw = (
        checksums(TAG)
        + f"{'0' * 64}  cpython-4.0.0+{TAG}-m68k-unknown-linux-gnu-install_only.tar.gz\n".encode()
    )
    assert len(parse_checksums(raw, "x")) == checksums(TAG).count(b"\n")


def test_an_index_without_end_is_refused(server: MirrorServer) -> None:
    server.files[f"/{TAG}/SHA256SUMS"] = bytes((4 << 20) + 1)
    with pytest.raises(CzscieError) as caught:
        releases(server.url).find(TAG)
    assert str(caught.value) == (
        f"error: {server.url}/{TAG}/SHA256SUMS is too large\n  it is larger than 4194304 bytes"
    )


def test_a_release_is_called_what_people_call_it() -> None:
    release = Release(TAG, "", {}, None, fresh=True)
    assert str(release) == "release 20261021 of python-build-standalone"
    assert str(Asset.parse(REAL_ASSETS[0]["filename"])) == (
        "cpython 3.10.18+20250702 x86_64-pc-windows-msvc install_only_stripped"
    )


@pytest.mark.parametrize("at", range(0, 400, 23))
def test_a_damaged_index_is_asked_for_again(server: MirrorServer, cache: Path, at: int) -> None:
    server.files[f"/{TAG}/SHA256SUMS"] = checksums(TAG)
    first = releases(server.url).find(TAG)
    [kept] = (cache / "indexes").iterdir()
    content = bytearray(kept.read_bytes())
    content[at] ^= 1
    kept.write_bytes(content)
    server.requests.clear()
    again = releases(server.url).find(TAG)
    assert (again.digests, again.directory, again.fresh) == (first.digests, first.directory, True)
    assert server.requests
    assert not releases(server.url).find(TAG).fresh


def test_half_an_index_is_asked_for_again(server: MirrorServer, cache: Path) -> None:
    server.files[f"/{TAG}/SHA256SUMS"] = checksums(TAG)
    first = releases(server.url).find(TAG)
    [kept] = (cache / "indexes").iterdir()
    for content in (b"", kept.read_bytes()[:-200], b"\xff\n\xff"):
        kept.write_bytes(content)
        assert releases(server.url).find(TAG).digests == first.digests


@pytest.mark.skipif(os.name == "nt", reason="there are no FIFOs")
@pytest.mark.parametrize("damage", no_files.KINDS)
def test_an_index_that_is_no_file_is_asked_for_again(
    server: MirrorServer, cache: Path, damage: Callable[[Path], None]
) -> None:
    server.files[f"/{TAG}/SHA256SUMS"] = checksums(TAG)
    first = releases(server.url).find(TAG)
    [kept] = (cache / "indexes").iterdir()
    damage(kept)
    assert releases(server.url).find(TAG).digests == first.digests
    assert kept.is_file()
