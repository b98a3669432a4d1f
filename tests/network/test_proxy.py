from __future__ import annotations

from pathlib import Path

import pytest

from czscie.errors import CzscieError
from czscie.network.client import Client
from czscie.network.network import Network, Patience
from czscie.network.retry import Transient, Watch
from network.proxy import Proxy
from network.server import MirrorServer

QUICK = Patience(attempts=1)
PASSWORD = "set user and password in HTTPS_PROXY and HTTP_PROXY: http://user:password@proxy:8080"
BASIC = "Basic bWU6c2VjcmV0"


def read(url: str) -> bytes:
    with Client(Network(QUICK)) as client, client.open(url, Watch(20)) as body:
        return b"".join(body.chunks)


@pytest.fixture
def far(proxy: Proxy, server: MirrorServer) -> MirrorServer:
    """A server that only the proxy knows, as mirror.test."""
    server.files["/x"] = b"moo"
    proxy.hosts["mirror.test"] = server.port
    return server


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_the_proxy_of_the_environment_is_used(
    far: MirrorServer, proxy: Proxy, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, proxy.url)
    assert read("http://mirror.test/x") == b"moo"
    assert proxy.asked == ["mirror.test"]


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "ALL_PROXY"])
def test_tls_goes_through_a_proxy_to_the_server_itself(
    tls_server: MirrorServer,
    authority_file: Path,
    proxy: Proxy,
    variable: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tls_server.files["/x"] = b"moo"
    proxy.hosts["mirror.test"] = tls_server.port
    monkeypatch.setenv(variable, proxy.url)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority_file))
    assert read("https://mirror.test/x") == b"moo"
    assert proxy.asked == ["mirror.test"]


@pytest.mark.parametrize("names", ["127.0.0.1", "*", "example.com, 127.0.0.1"])
def test_no_proxy_is_heeded(
    server: MirrorServer, proxy: Proxy, names: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.files["/x"] = b"moo"
    monkeypatch.setenv("ALL_PROXY", proxy.url)
    monkeypatch.setenv("NO_PROXY", names)
    assert read(f"{server.url}/x") == b"moo"
    assert proxy.asked == []


def test_user_and_password_of_a_proxy_are_shown_to_it_and_nobody_else(
    far: MirrorServer, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy.wants = BASIC
    monkeypatch.setenv("HTTP_PROXY", proxy.url.replace("//", "//me:secret@"))
    assert read("http://mirror.test/x") == b"moo"
    assert far.authorizations == [None]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_wants_a_password_is_said(
    far: MirrorServer, proxy: Proxy, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy.wants = BASIC
    monkeypatch.setenv(f"{scheme.upper()}_PROXY", proxy.url.replace("//", "//me:wrong-secret@"))
    with pytest.raises(CzscieError) as caught:
        read(f"{scheme}://mirror.test/x")
    assert caught.value.what.startswith(f"cannot read {scheme}://mirror.test/x")
    assert "407 Proxy Authentication Required" in caught.value.why[0]
    assert caught.value.hint == PASSWORD
    assert "secret" not in str(caught.value)


def test_a_proxy_that_lets_nobody_through_is_named(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    with pytest.raises(CzscieError) as caught:
        read("https://mirror.test/x")
    assert str(caught.value) == (
        f"error: cannot read https://mirror.test/x through the proxy {proxy.url}\n"
        "  the proxy returned 403 Forbidden\n"
        "hint: correct HTTPS_PROXY, or name the host in NO_PROXY"
    )


def test_a_proxy_that_is_not_there_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://me:secret@127.0.0.1:1")
    with pytest.raises(Transient) as caught:
        read("https://mirror.test/x")
    assert caught.value.cause.startswith(
        "no connection to mirror.test through the proxy http://127.0.0.1:1: "
    )
    assert "secret" not in caught.value.cause


def test_a_socks_proxy_asks_for_the_package_that_speaks_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "socksio", None)
    monkeypatch.setenv("ALL_PROXY", "socks5://me:secret@127.0.0.1:1")
    with pytest.raises(CzscieError) as caught:
        read("https://mirror.test/x")
    assert caught.value.hint == "pip install 'httpx[socks]'"
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("proxy_url", ["ftp://me:secret@proxy", "http://me:secret@proxy:port"])
def test_what_is_no_proxy_is_said_without_its_password(
    proxy_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy_url)
    with pytest.raises(CzscieError) as caught:
        read("https://mirror.test/x")
    assert str(caught.value) == (
        "error: the proxy that HTTPS_PROXY, HTTP_PROXY or ALL_PROXY names cannot be used\n"
        "  it is not a URL such as http://proxy:8080"
    )
