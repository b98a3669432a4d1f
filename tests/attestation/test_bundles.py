from __future__ import annotations

import json
from pathlib import Path

import cramjam
import pytest

from czscie.attestation.bundles import BundlesInFiles, BundlesOfGitHub
from czscie.errors import CzscieError
from czscie.network.network import Network, Patience
from czscie.progress import Progress
from network.server import MirrorServer

DIGEST = "a" * 64
PATH = f"/attestations/sha256:{DIGEST}"
BUNDLE = b'{"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json"}'
PATIENCE = Patience(connect=2, read=1, attempts=2, first_wait=0.01)


def find(server: MirrorServer, environ: dict[str, str] | None = None) -> list[bytes]:
    network = Network(PATIENCE, environ=environ or {})
    return BundlesOfGitHub(network, Progress(), f"{server.url}/attestations").find(DIGEST)


def answer(*entries: object) -> bytes:
    return json.dumps({"attestations": entries}).encode()


def test_a_bundle_in_the_answer_is_taken_as_it_is(server: MirrorServer) -> None:
    server.files[PATH] = answer({"bundle": json.loads(BUNDLE), "repository_id": 1, "initiator": "user"})
    assert find(server) == [BUNDLE]


def test_a_bundle_elsewhere_is_fetched_and_unpacked(server: MirrorServer) -> None:
    server.files[PATH] = answer(
        {"bundle": None, "bundle_url": f"{server.url}/1.json.sn?sig=secret"},
        {"bundle_url": f"{server.url}/2.json"},
    )
    server.files["/1.json.sn?sig=secret"] = bytes(cramjam.snappy.compress_raw(BUNDLE))
    server.files["/2.json"] = BUNDLE
    assert find(server) == [BUNDLE, BUNDLE]


def test_a_token_for_github_is_shown_to_nobody_else(server: MirrorServer) -> None:
    server.files[PATH] = answer({"bundle_url": f"{server.url.replace('127.0.0.1', 'localhost')}/1.json"})
    server.files["/1.json"] = BUNDLE
    assert find(server, {"CZSCIE_AUTH_127_0_0_1_BEARER": "secret"}) == [BUNDLE]
    assert server.authorizations == ["Bearer secret", None]


@pytest.mark.parametrize("body", [None, answer(), answer({"bundle": None}), answer({"initiator": "user"})])
def test_an_archive_may_have_no_attestation(server: MirrorServer, body: bytes | None) -> None:
    if body is not None:
        server.files[PATH] = body
    assert find(server) == []


def test_what_is_no_answer_of_the_api_is_an_error(server: MirrorServer) -> None:
    server.files[PATH] = b"<html>"
    with pytest.raises(CzscieError, match="is not a list of attestations"):
        find(server)


@pytest.mark.parametrize(
    ("packed", "message"),
    [
        (bytes(cramjam.snappy.compress_raw(bytes((16 << 20) + 1))), "is too large"),
        (b"\x80\x80\x40\0", "is damaged"),
        (bytes(cramjam.snappy.compress_raw(BUNDLE))[:-1], "is damaged"),
    ],
    ids=["bomb", "nonsense", "cut"],
)
def test_a_damaged_bundle_is_an_error_that_shows_no_secret(
    server: MirrorServer, packed: bytes, message: str
) -> None:
    server.files[PATH] = answer({"bundle_url": f"{server.url}/1.json.sn?sig=secret"})
    server.files["/1.json.sn?sig=secret"] = packed
    with pytest.raises(CzscieError, match=message) as error:
        find(server)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("separator", [":", "-"])
def test_a_directory_is_read_as_gh_writes_it(tmp_path: Path, separator: str) -> None:
    (tmp_path / f"sha256{separator}{DIGEST}.jsonl").write_bytes(BUNDLE + b"\n" + BUNDLE + b"\n")
    assert BundlesInFiles(tmp_path).find(DIGEST) == [BUNDLE, BUNDLE]
    assert BundlesInFiles(tmp_path).find("b" * 64) == []


def test_a_file_holds_one_bundle_or_one_a_line(tmp_path: Path) -> None:
    spread = json.dumps(json.loads(BUNDLE), indent=2).encode()
    path = tmp_path / "bundles"
    for text, found in (
        (BUNDLE, [BUNDLE]),
        (spread, [spread]),
        (BUNDLE + b"\n\n" + BUNDLE, [BUNDLE, BUNDLE]),
    ):
        path.write_bytes(text)
        assert BundlesInFiles(path).find(DIGEST) == found
