from __future__ import annotations

from network.conftest import cache, server

__all__ = ["cache", "server"]
