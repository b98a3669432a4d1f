from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from attestation.instance import RUN, Attestation, Instance
from czscie.attestation.attestor import Attestor
from czscie.attestation.provenance import WORKFLOW, Verifiers
from czscie.errors import CzscieError
from czscie.network.network import Network

DIGEST = "a" * 64
OTHER = "b" * 64


@dataclass
class Held:
    """Bundles by digest, and which were asked for."""

    bundles: Mapping[str, list[bytes]]
    asked: list[str] = field(default_factory=list)

    def find(self, sha256: str) -> list[bytes]:
        self.asked.append(sha256)
        return self.bundles.get(sha256, [])

    def __str__(self) -> str:
        return "here"


def made(instance: Instance, *digests: str, identity: str = WORKFLOW) -> bytes:
    return json.dumps(instance.attest(Attestation(digests, identity))).encode()


def test_one_attestation_of_a_release_is_looked_for_once(instance: Instance, verifiers: Verifiers) -> None:
    held = Held({DIGEST: [made(instance, DIGEST, OTHER)]})
    attestor = Attestor(held, verifiers)
    assert [attestor.attest(digest, "it").run for digest in (DIGEST, OTHER, DIGEST)] == [RUN] * 3
    assert held.asked == [DIGEST]


def test_one_that_can_be_verified_is_enough(instance: Instance, verifiers: Verifiers) -> None:
    """GitHub keeps others for the same file, such as that of the release, which GitHub itself signs."""
    held = Held({DIGEST: [b"{}", made(instance, OTHER), made(instance, DIGEST)]})
    assert Attestor(held, verifiers).attest(DIGEST, "it").covers(DIGEST)


def test_no_attestation_is_an_error(verifiers: Verifiers) -> None:
    with pytest.raises(CzscieError) as error:
        Attestor(Held({}), verifiers).attest(DIGEST, "cpython 3.13.9")
    assert str(error.value) == (
        "error: cpython 3.13.9 has no attestation\n"
        f"  there is none for sha256:{DIGEST} at here\n"
        "hint: choose release 20250212 or a later one, or lock without --attest"
    )


def test_an_attestation_of_another_file_proves_nothing(instance: Instance, verifiers: Verifiers) -> None:
    held = Held({DIGEST: [made(instance, OTHER)]})
    with pytest.raises(CzscieError) as error:
        Attestor(held, verifiers).attest(DIGEST, "cpython 3.13.9")
    assert error.value.what == f"no attestation of cpython 3.13.9 proves that {WORKFLOW} built it"
    assert error.value.why == (f"it does not attest sha256:{DIGEST}",)


def test_an_attestation_of_somebody_else_proves_nothing(instance: Instance, verifiers: Verifiers) -> None:
    identity = WORKFLOW.replace("astral-sh", "someone")
    held = Held({DIGEST: [made(instance, DIGEST, identity=identity)]})
    with pytest.raises(CzscieError) as error:
        Attestor(held, verifiers).attest(DIGEST, "it")
    assert identity in str(error.value)


def test_attestations_in_files_need_no_network(
    instance: Instance, trusted_root: Path, tmp_path: Path
) -> None:
    (tmp_path / f"sha256:{DIGEST}.jsonl").write_bytes(made(instance, DIGEST) + b"\n")
    attestor = Attestor.of(Network.of(), attestations=tmp_path, trusted_root=trusted_root)
    assert attestor.attest(DIGEST, "it").covers(DIGEST)
    with pytest.raises(CzscieError, match="there is no file or directory"):
        Attestor.of(Network.of(), attestations=tmp_path / "nothing", trusted_root=trusted_root)


def test_offline_attestations_have_to_be_brought_along(trusted_root: Path) -> None:
    with pytest.raises(CzscieError) as error:
        Attestor.of(trusted_root=trusted_root, network=Network(offline=True))
    assert error.value.hint == (
        "save them with `gh attestation download`, then run czscie lock --attest --attestations DIR"
    )
