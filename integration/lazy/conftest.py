from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from integration.lazy.app import LazyApp
from network.proxy import Proxy, proxy_server
from network.server import MirrorServer, mirror_server


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def server(authority: trustme.CA) -> Iterator[MirrorServer]:
    """An HTTPS server called localhost, whose certificate a private authority issued."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with mirror_server(context) as served:
        yield served


@pytest.fixture
def proxy(server: MirrorServer) -> Iterator[Proxy]:
    with proxy_server() as made:
        made.hosts["localhost"] = server.port
        yield made


@pytest.fixture
def app(authority: trustme.CA, tmp_path: Path) -> LazyApp:
    certificates = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(certificates))
    return LazyApp(tmp_path, certificates)
