"""Runs a module of pex whose pip is guarded: `python -m czscie.lock.guard_pex pex.cli lock create …`.

pex patches pip for the platforms that it resolves for; one more patch is added to those. Where there are none
to add to, or pex has them no more, pip is not guarded and takes no sources at all (PIP_ONLY_BINARY).
"""

from __future__ import annotations

import runpy
import sys
from importlib import resources
from typing import Any

_GUARD = "guard_pip"


def main() -> None:
    from pex.pip.download_observer import Patch, PatchSet

    emit = PatchSet.emit_patches
    code = resources.files("czscie.lock").joinpath(f"{_GUARD}.py").read_text(encoding="utf-8")

    def emit_with_guard(self: Any, package: str) -> Any:
        return emit(self + PatchSet((Patch(module=_GUARD, code=code),)), package)

    PatchSet.emit_patches = emit_with_guard
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
