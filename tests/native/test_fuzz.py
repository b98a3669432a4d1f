"""The parsers of what the launcher reads of its own file, under mutated input (native/src/fuzz.zig)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from czscie.cache import cache_directory
from czscie.launchers.build import native_source
from czscie.launchers.libzstd import libzstd_source

#: Half a minute each where time is not a person's.
SECONDS = 30 if os.environ.get("CI") else 3


@pytest.mark.parametrize("target", ["manifest", "zip", "plan", "placeholders"])
def test_mutated_input_crashes_no_parser(target: str, tmp_path: Path) -> None:
    cache = cache_directory("launchers")
    command = [sys.executable, "-m", "ziglang", "build", "fuzz", f"-Dlibzstd={libzstd_source(cache)}"]
    done = subprocess.run(
        [*command, "--", str(SECONDS), target],
        cwd=native_source(),
        env=os.environ
        | {"ZIG_LOCAL_CACHE_DIR": str(cache / "zig"), "ZIG_GLOBAL_CACHE_DIR": str(cache / "zig")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert f"{target}: " in done.stderr, "the fuzzer says what it did"
