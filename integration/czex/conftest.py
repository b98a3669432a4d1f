from __future__ import annotations

from czex.conftest import make_moo, pex_environment, run_pex, wheelhouse

__all__ = ("make_moo", "pex_environment", "run_pex", "wheelhouse")
