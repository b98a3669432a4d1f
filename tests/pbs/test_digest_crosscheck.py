from __future__ import annotations

from pathlib import Path

import pytest

from czscie.console import Console
from czscie.errors import CzscieError
from czscie.network.network import Network, Patience
from czscie.pbs.digest_crosscheck import Witness
from czscie.pbs.releases import Release
from czscie.progress import Progress
from network.server import MirrorServer
from pbs.real import REAL_ASSETS, checksums

TAG = "20261021"
PATIENCE = Patience(connect=2, read=1, attempts=3, first_wait=0.01)


class Warnings(Console):
    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def warn(self, text: str) -> None:
        self.said.append(text)


def witness(digests: str, warnings: Console, *, offline: bool = False) -> Witness:
    network = Network(PATIENCE, offline=offline, environ={"CZSCIE_PBS_DIGESTS": digests})
    return Witness(network, Progress(warnings))


def check(by: Witness, directory: str = "https://mirror.test/x", digest: str | None = None) -> None:
    """Every asset of the release, as a mirror lists it; `digest` is what it says instead of the right one."""
    from czscie.pbs.releases import parse_checksums

    digests = parse_checksums(checksums(TAG), directory)
    release = Release(TAG, directory, digests, None, fresh=True)
    for asset, right in digests.items():
        by.check(asset, digest or right, release)


@pytest.fixture
def other(server: MirrorServer) -> MirrorServer:
    server.files[f"/{TAG}/SHA256SUMS"] = checksums(TAG)
    return server


def test_a_mirror_that_says_what_the_other_list_says_is_believed_in_silence(other: MirrorServer) -> None:
    warnings = Warnings()
    check(witness(other.url, warnings))
    assert warnings.said == []
    assert len(other.requests) == 1


def test_a_mirror_with_another_digest_is_refused(other: MirrorServer) -> None:
    with pytest.raises(CzscieError) as caught:
        check(witness(other.url, Warnings()), digest="0" * 64)
    [first] = [real for real in REAL_ASSETS if real["release"] == TAG][:1]
    assert str(caught.value) == (
        f"error: a mirror and CZSCIE_PBS_DIGESTS have different digests for {first['filename']}\n"
        f"  {'0' * 64} at https://mirror.test/x\n"
        f"  {first['sha256']} at {other.url}/{TAG}\n"
        "hint: use another mirror, and report it to the operator of this one"
    )


def test_a_list_that_is_out_of_reach_is_warned_about_once_and_soon() -> None:
    warnings = Warnings()
    check(witness("http://127.0.0.1:1", warnings), "https://me:secret@mirror.test/x")
    [said] = warnings.said
    assert said.startswith(
        f"only https://mirror.test/x says which digests release {TAG} has: "
        f"http://127.0.0.1:1/{TAG}/SHA256SUMS: no connection to 127.0.0.1: "
    )
    assert said.endswith(" (CZSCIE_PBS_DIGESTS names another list, or none)")


def test_a_release_that_the_other_list_does_not_have_is_warned_about(server: MirrorServer) -> None:
    warnings = Warnings()
    check(witness(server.url, warnings))
    assert len(warnings.said) == 1
    assert "that release is not listed at" in warnings.said[0]


def test_an_asset_that_the_other_list_does_not_have_is_warned_about(server: MirrorServer) -> None:
    first = checksums(TAG).splitlines(keepends=True)[0]
    server.files[f"/{TAG}/SHA256SUMS"] = first
    warnings = Warnings()
    check(witness(server.url, warnings))
    assert len(warnings.said) == checksums(TAG).count(b"\n") - 1
    assert all("does not list it" in said for said in warnings.said)


def test_offline_nobody_is_asked_and_that_is_said(other: MirrorServer) -> None:
    warnings = Warnings()
    check(witness(other.url, warnings, offline=True))
    assert "--offline or CZSCIE_OFFLINE is set" in warnings.said[0]
    assert other.requests == []


@pytest.mark.parametrize("directory", ["file:///mirror/x", "same"])
def test_a_directory_of_this_machine_and_the_list_itself_need_no_witness(
    server: MirrorServer, directory: str
) -> None:
    warnings = Warnings()
    check(witness(server.url, warnings), directory.replace("same", f"{server.url}/{TAG}"))
    assert (warnings.said, server.requests) == ([], [])


def test_it_can_be_switched_off() -> None:
    warnings = Warnings()
    check(witness("none", warnings))
    assert warnings.said == []


def test_without_a_setting_the_project_itself_is_the_witness(cache: Path) -> None:
    warnings = Warnings()
    check(witness("", warnings, offline=True))
    [said] = warnings.said
    assert (
        "https://github.com/astral-sh/python-build-standalone/releases/download/20261021/SHA256SUMS" in said
    )
