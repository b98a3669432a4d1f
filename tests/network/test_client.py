from __future__ import annotations

import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from czscie.errors import CzscieError
from czscie.network.client import Client, Missing, RangeRefused
from czscie.network.network import Network, Patience
from czscie.network.perseverance import Watch
from network.server import MirrorServer, Reply

QUICK = Network(Patience(connect=2, read=1, attempts=1, first_wait=0.01))


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
    with pytest.raises(Missing):
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
    assert caught.value.what == f"cannot read {server.url}/x"


def test_a_netrc_that_cannot_be_read_is_named(server: MirrorServer, tmp_path: Path) -> None:
    netrc = tmp_path / "home" / ".netrc"
    netrc.write_text("machine\n")
    with pytest.raises(CzscieError) as caught:
        read(f"{server.url}/x")
    assert caught.value.what == f"cannot read {netrc}"


class Redirecting(BaseHTTPRequestHandler):
    target = ""

    def do_GET(self) -> None:
        self.send_response(302 if self.path == "/away" else 200)
        self.send_header("Location", self.target)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def tls_server(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """An HTTPS server and the certificate that it would have to be trusted by."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl to make a certificate")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    server = HTTPServer(("127.0.0.1", 0), Redirecting)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda request, address: None  # type: ignore[method-assign]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield f"https://localhost:{server.server_address[1]}", certificate
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_certificate_that_nobody_vouches_for_is_refused_at_once(tls_server: tuple[str, Path]) -> None:
    url, _ = tls_server
    with pytest.raises(CzscieError) as caught:
        read(f"{url}/x")
    assert caught.value.what == "the certificate of localhost is not trusted"
    assert caught.value.mend == "set SSL_CERT_FILE to a file with your certificate authorities"


def test_a_certificate_of_ssl_cert_file_is_trusted(
    tls_server: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, certificate = tls_server
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert read(f"{url}/x") == b""


def test_a_redirect_from_tls_to_plain_http_is_refused(
    tls_server: tuple[str, Path], server: MirrorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, certificate = tls_server
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setattr(Redirecting, "target", f"{server.url}/x")
    server.files["/x"] = b"anybody's"
    with pytest.raises(CzscieError) as caught:
        read(f"{url}/away")
    assert str(caught.value) == f"error: {url}/away leads to a place without TLS\n  {server.url}/x"
    assert server.requests == []
