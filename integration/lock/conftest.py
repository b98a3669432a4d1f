from __future__ import annotations

from lock.conftest import index, pex_environment

__all__ = ("index", "pex_environment")
