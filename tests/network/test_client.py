from __future__ import annotations

from pathlib import Path

import pytest

from czscie.errors import CzscieError
from czscie.network.client import Client, NotFound, RangeRefused
from czscie.network.network import Network, Patience
from czscie.network.retry import Watch
from network.server import MirrorServer, Reply, mirror_server

QUICK = Network(Patience(attempts=1))


def read(url: str, start: int = 0) -> bytes:
    with Client(QUICK) as client, client.open(url, Watch(20), start) as body:
        return b"".join(body.chunks)


def test_a_file_url_is_read_from_any_byte_on(tmp_path: Path) -> None:
    path = tmp_path / "a file+%2B"
    path.write_bytes(b"0123456789")
    assert read(path.as_uri()) == b"0123456789"
    assert read(path.as_uri(), 4) == b"456789"
    with pytest.raises(RangeRefused):
        read(path.as_uri(), 11)


@pytest.mark.parametrize("name", ["nothing", "file/below", "."])
def test_a_file_url_of_nothing_is_missing(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NotFound):
        read(f"{tmp_path.as_uri()}/{name}")


def test_the_size_of_the_whole_is_known_from_any_part(server: MirrorServer) -> None:
    server.files["/x"] = b"0123456789"
    with Client(QUICK) as client:
        for start in (0, 4):
            with client.open(f"{server.url}/x", Watch(20), start) as body:
                assert (body.start, body.total) == (start, 10)
                assert b"".join(body.chunks) == b"0123456789"[start:]


def test_a_redirect_that_never_ends_is_an_error(server: MirrorServer) -> None:
    server.replies["/x"] = [Reply(302, {"Location": "/x"}, b"")] * 50
    with pytest.raises(CzscieError) as caught:
        read(f"{server.url}/x")
    assert str(caught.value) == (f"error: cannot read {server.url}/x\n  it redirects too many times")


def test_a_netrc_that_cannot_be_read_is_named(server: MirrorServer, tmp_path: Path) -> None:
    netrc = tmp_path / "home" / ".netrc"
    netrc.write_text("machine\n")
    with pytest.raises(CzscieError) as caught:
        read(f"{server.url}/x")
    assert caught.value.what == f"cannot read {netrc}"


def test_a_certificate_that_nobody_vouches_for_is_refused_at_once(tls_server: MirrorServer) -> None:
    with pytest.raises(CzscieError) as caught:
        read(f"{tls_server.url}/x")
    assert caught.value.what == "the certificate of localhost is not trusted"
    assert caught.value.hint == "set SSL_CERT_FILE to a file with your certificate authorities"


def test_a_certificate_of_ssl_cert_file_is_trusted(
    tls_server: MirrorServer, authority_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority_file))
    tls_server.files["/x"] = b"moo"
    assert read(f"{tls_server.url}/x") == b"moo"


def test_a_redirect_from_tls_to_plain_http_is_refused(
    tls_server: MirrorServer, authority_file: Path, server: MirrorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority_file))
    tls_server.replies["/away"] = [Reply(302, {"Location": f"{server.url}/x"}, b"")]
    server.files["/x"] = b"anybody's"
    with pytest.raises(CzscieError) as caught:
        read(f"{tls_server.url}/away")
    assert (
        str(caught.value) == f"error: {tls_server.url}/away redirects to a URL without TLS\n  {server.url}/x"
    )
    assert server.requests == []


def test_a_password_stays_with_its_host_when_that_leads_to_another(
    server: MirrorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CZSCIE_AUTH_127_0_0_1_BEARER", "secret")
    with mirror_server() as other:
        other.files["/x"] = b"moo"
        server.replies["/x"] = [Reply(302, {"Location": f"{other.url}/x"}, b"")]
        assert read(f"{server.url}/x") == b"moo"
        assert server.authorizations == ["Bearer secret"]
        assert other.authorizations == [None]


def test_a_password_goes_along_to_another_place_of_the_same_host(
    server: MirrorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CZSCIE_AUTH_127_0_0_1_BEARER", "secret")
    server.files["/y"] = b"moo"
    server.replies["/x"] = [Reply(302, {"Location": "/y"}, b"")]
    assert read(f"{server.url}/x") == b"moo"
    assert server.authorizations == ["Bearer secret"] * 2


def test_a_password_in_the_place_that_a_server_leads_to_is_not_shown(server: MirrorServer) -> None:
    place = server.url.replace("//", "//me:secret@")
    server.replies["/x"] = [Reply(302, {"Location": f"{place}/y?token=secret"}, b"")]
    server.replies["/y?token=secret"] = [Reply(403, body=b"")]
    with pytest.raises(CzscieError) as caught:
        read(f"{server.url}/x")
    assert "secret" not in str(caught.value)


def test_what_was_shown_and_refused_is_named_and_not_told(
    server: MirrorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CZSCIE_AUTH_127_0_0_1_BEARER", "secret")
    server.wants = "Bearer other"
    with pytest.raises(CzscieError) as caught:
        read(f"{server.url}/x")
    assert caught.value.why == (
        "the server returned 401 Unauthorized",
        "the credentials come from CZSCIE_AUTH_127_0_0_1_BEARER",
    )
    assert "secret" not in str(caught.value)


def test_offline_no_server_is_asked(server: MirrorServer, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"moo")
    with Client(Network(offline=True)) as client:
        with pytest.raises(CzscieError) as caught, client.open(f"{server.url}/x", Watch(20)):
            pass
        with client.open((tmp_path / "x").as_uri(), Watch(20)) as body:
            assert b"".join(body.chunks) == b"moo"
    assert str(caught.value) == (
        "error: cannot download a file: czscie is offline\n"
        f"  {server.url}/x: --offline or CZSCIE_OFFLINE is set"
    )
    assert server.requests == []
