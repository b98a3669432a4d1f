from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from network.proxy import Proxy, proxy_server
from network.server import MirrorServer, mirror_server

#: What a user may have set that says where files come from and how.
_SETTINGS = ("CZSCIE_", "SCIENCE_AUTH_", "UV_PYTHON_", "PBS_INSTALLER_", "SSL_CERT_", "NETRC")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache of this test, with nothing of the user's settings: no mirror, no proxy, no netrc."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name.startswith(_SETTINGS):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("CZSCIE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("CZSCIE_PBS_DIGESTS", "none")
    return tmp_path / "cache"


@pytest.fixture
def server() -> Iterator[MirrorServer]:
    with mirror_server() as mirror:
        yield mirror


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """A company's own certificate authority."""
    return trustme.CA()


@pytest.fixture
def authority_file(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture
def tls_server(authority: trustme.CA) -> Iterator[MirrorServer]:
    """A mirror that speaks TLS, by the names localhost and mirror.test."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "mirror.test").configure_cert(context)
    with mirror_server(context) as mirror:
        yield mirror


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with proxy_server() as server:
        yield server
