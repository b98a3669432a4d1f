"""Small Windows programs and libraries, compiled by Zig."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from e2e.cache import cache_directory

TARGET = "x86_64-windows-gnu"


def compile_c(*arguments: str | Path) -> None:
    """Runs Zig's C compiler for Windows. Raises RuntimeError with what it printed when that fails."""
    _run_zig("cc", "-target", TARGET, "-O1", "-s", *arguments)


def import_library(definition: Path, library: Path) -> None:
    """Writes the import library of a module-definition file (`LIBRARY`, `EXPORTS`)."""
    _run_zig("dlltool", "-m", "i386:x86-64", "-d", definition, "-l", library)


def _run_zig(*arguments: str | Path) -> None:
    caches = dict.fromkeys(("ZIG_LOCAL_CACHE_DIR", "ZIG_GLOBAL_CACHE_DIR"), str(cache_directory() / "zig"))
    done = subprocess.run(
        [sys.executable, "-m", "ziglang", *arguments],
        env=os.environ | caches,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise RuntimeError(f"zig {' '.join(map(str, arguments))} failed:\n{done.stderr}")
