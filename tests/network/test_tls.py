from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path

import pytest
import trustme

from czscie.errors import CzscieError
from czscie.network.client import Client
from czscie.network.network import Network, Patience
from czscie.network.retry import Watch
from czscie.network.tls import tls_context
from network.server import MirrorServer, mirror_server

QUICK = Patience(attempts=1)


def read(url: str, environ: dict[str, str]) -> bytes:
    with Client(Network(QUICK, environ=environ)) as client, client.open(url, Watch(20)) as body:
        return b"".join(body.chunks)


def certificate(path: Path, *issued: trustme.Blob) -> str:
    path.write_bytes(b"".join(blob.bytes() for blob in issued))
    return str(path)


def test_a_file_of_authorities_may_hold_several(
    tls_server: MirrorServer, authority: trustme.CA, tmp_path: Path
) -> None:
    tls_server.files["/x"] = b"moo"
    both = certificate(tmp_path / "both.pem", trustme.CA().cert_pem, authority.cert_pem)
    assert read(f"{tls_server.url}/x", {"SSL_CERT_FILE": both}) == b"moo"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl, which names such files")
def test_a_directory_of_authorities_is_looked_into_by_hash(
    tls_server: MirrorServer, authority: trustme.CA, tmp_path: Path
) -> None:
    tls_server.files["/x"] = b"moo"
    directory = tmp_path / "authorities"
    directory.mkdir()
    file = certificate(tmp_path / "authority.pem", authority.cert_pem)
    command = ["openssl", "x509", "-noout", "-subject_hash", "-in", file]
    subject = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    certificate(directory / f"{subject}.0", authority.cert_pem)
    assert read(f"{tls_server.url}/x", {"SSL_CERT_DIR": str(directory)}) == b"moo"


def test_another_authority_is_not_believed_and_the_file_to_mend_is_named(
    tls_server: MirrorServer, tmp_path: Path
) -> None:
    wrong = certificate(tmp_path / "wrong.pem", trustme.CA().cert_pem)
    with pytest.raises(CzscieError) as caught:
        read(f"{tls_server.url}/x", {"SSL_CERT_FILE": wrong})
    assert caught.value.what == "the certificate of localhost is not trusted"
    assert caught.value.hint == f"add the authority that signed it to {wrong}, which SSL_CERT_FILE names"
    assert tls_server.requests == []


def test_a_certificate_for_another_name_is_refused(authority: trustme.CA, authority_file: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("elsewhere.test").configure_cert(context)
    with mirror_server(context) as server, pytest.raises(CzscieError) as caught:
        read(f"{server.url}/x", {"SSL_CERT_FILE": str(authority_file)})
    assert caught.value.what == "the certificate of localhost is not trusted"
    assert caught.value.hint == "ask its operator for a certificate that is valid for this name and date"


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_authorities_that_are_not_there_are_an_error(variable: str, tmp_path: Path) -> None:
    nowhere = str(tmp_path / "nowhere")
    with pytest.raises(CzscieError) as caught:
        tls_context({variable: nowhere})
    assert str(caught.value) == (
        f"error: {variable} is {nowhere!r}, which does not exist\nhint: correct or unset {variable}"
    )


def test_a_file_without_a_certificate_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "authorities.pem"
    path.write_text("no certificate\n")
    with pytest.raises(CzscieError) as caught:
        tls_context({"SSL_CERT_FILE": str(path)})
    assert str(caught.value) == (
        f"error: SSL_CERT_FILE is {str(path)!r}, which cannot be used\n  it contains no PEM certificate"
    )


def test_a_machine_without_authorities_of_its_own_believes_mozillas(monkeypatch: pytest.MonkeyPatch) -> None:
    import certifi

    nothing = ssl.DefaultVerifyPaths(None, None, "", "", "", "")
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: nothing)
    monkeypatch.setattr("czscie.network.tls._BUNDLES", ())
    monkeypatch.setattr("sys.platform", "linux")
    certifis = ssl.create_default_context(cafile=certifi.where())
    assert tls_context({}).get_ca_certs() == certifis.get_ca_certs() != []


def test_plain_http_where_tls_is_asked_for_is_said(server: MirrorServer) -> None:
    with pytest.raises(CzscieError) as caught:
        read(server.url.replace("http:", "https:") + "/x", {})
    assert caught.value.what == "the TLS handshake with 127.0.0.1 failed"
