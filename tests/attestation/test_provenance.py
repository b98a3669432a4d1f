from __future__ import annotations

import base64
import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from attestation.instance import RUN, Attestation, Instance
from czscie.attestation.provenance import REPOSITORY, WORKFLOW, Refused, Verifiers
from czscie.errors import CzscieError

DIGEST = "a" * 64
OTHER = "b" * 64


def bundle(instance: Instance, **said: Any) -> bytes:
    return json.dumps(instance.attest(Attestation([DIGEST, OTHER], **said))).encode()


def test_what_the_release_workflow_signed_is_about_its_files(
    instance: Instance, verifiers: Verifiers
) -> None:
    provenance = verifiers.verify(bundle(instance))
    assert provenance.covers(DIGEST)
    assert provenance.covers(OTHER)
    assert not provenance.covers("c" * 64)
    assert provenance.run == RUN


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"identity": WORKFLOW.replace("heads/main", "heads/other")}, "actual SANs"),
        ({"identity": WORKFLOW.replace("release.yml", "linux.yml")}, "actual SANs"),
        ({"identity": WORKFLOW.replace("astral-sh", "someone")}, "actual SANs"),
        ({"issuer": "https://accounts.example.com"}, "OIDCIssuerV2 does not match"),
        (
            {"repository": REPOSITORY.replace("astral-sh", "someone")},
            "OIDCSourceRepositoryURI does not match",
        ),
        ({"predicate_type": "https://example.com/v1"}, "it is a https://example.com/v1, not SLSA provenance"),
        ({"payload_type": "text/plain"}, "it signs a text/plain, not an in-toto statement"),
        ({"logged_after": timedelta(minutes=11)}, "failed to build timestamp certificate chain"),
    ],
    ids=["branch", "workflow", "signer", "issuer", "repository", "predicate", "payload", "expired"],
)
def test_what_anybody_else_signed_is_refused(
    instance: Instance, verifiers: Verifiers, said: dict[str, Any], why: str
) -> None:
    with pytest.raises(Refused, match=why):
        verifiers.verify(bundle(instance, **said))


def test_a_statement_that_was_changed_after_it_was_signed_is_refused(
    instance: Instance, verifiers: Verifiers
) -> None:
    made = instance.attest(Attestation([OTHER]))
    payload = base64.b64decode(made["dsseEnvelope"]["payload"]).replace(OTHER.encode(), DIGEST.encode())
    made["dsseEnvelope"]["payload"] = base64.b64encode(payload).decode()
    with pytest.raises(Refused, match="DSSE: invalid signature"):
        verifiers.verify(json.dumps(made).encode())


def test_a_log_entry_of_another_statement_is_refused(instance: Instance, verifiers: Verifiers) -> None:
    made, other = instance.attest(Attestation([DIGEST])), instance.attest(Attestation([OTHER]))
    made["verificationMaterial"]["tlogEntries"] = other["verificationMaterial"]["tlogEntries"]
    with pytest.raises(Refused, match="log entry"):
        verifiers.verify(json.dumps(made).encode())


@pytest.mark.parametrize("part", ["authority", "certificate_log", "transparency_log"])
def test_another_instance_is_not_trusted(instance: Instance, verifiers: Verifiers, part: str) -> None:
    """Whichever of its three keys is not the one of the root of trust."""
    keys = {name: getattr(instance, name) for name in ("authority", "certificate_log", "transparency_log")}
    keys[part] = getattr(Instance(), part)
    with pytest.raises(Refused):
        verifiers.verify(bundle(Instance(**keys)))


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"mediaType": "text/plain"}'])
def test_what_is_no_bundle_is_refused(verifiers: Verifiers, text: bytes) -> None:
    with pytest.raises(Refused, match="it is not a Sigstore bundle"):
        verifiers.verify(text)


def test_any_root_of_a_file_will_do_and_one_without_a_log_is_passed_over(
    instance: Instance, tmp_path: Path
) -> None:
    """`gh attestation trusted-root` prints one a line, GitHub's own among them, which has no log."""
    without_log = {**instance.trusted_root(), "tlogs": []}
    roots = [without_log, Instance().trusted_root(), instance.trusted_root()]
    path = tmp_path / "trusted_root.jsonl"
    path.write_text("".join(f"{json.dumps(root)}\n" for root in roots))
    assert Verifiers(path, offline=True).verify(bundle(instance)).covers(DIGEST)


@pytest.mark.parametrize("text", ["", "{}", "[]", "{", '{"tlogs": [{}], "mediaType": "text/plain"}'])
def test_what_is_no_root_of_trust_is_an_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "trusted_root.json"
    path.write_text(text)
    with pytest.raises(CzscieError, match="is not a Sigstore trusted root"):
        Verifiers(path, offline=True)
    with pytest.raises(CzscieError, match="cannot read"):
        Verifiers(tmp_path / "nothing", offline=True)


def test_offline_the_root_of_trust_is_the_one_that_came_with_the_package(
    instance: Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for variable in ("XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    public = Verifiers(None, offline=True)
    with pytest.raises(Refused, match="certificate chain"):
        public.verify(bundle(instance))
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("module", ["sigstore", "cramjam"])
def test_without_the_extra_it_is_said_how_to_get_it(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(sys.modules):
        if name.partition(".")[0] == module:
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(CzscieError) as error:
        Verifiers(None, offline=True)
    assert error.value.what == "attestations cannot be verified here"
    assert error.value.hint == "pip install 'czscie[attest]'"
