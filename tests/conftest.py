from __future__ import annotations

from building import project, server

__all__ = ("project", "server")
