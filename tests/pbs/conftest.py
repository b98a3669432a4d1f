from __future__ import annotations

from network.conftest import authority, authority_file, cache, proxy, server, tls_server

__all__ = ["authority", "authority_file", "cache", "proxy", "server", "tls_server"]
