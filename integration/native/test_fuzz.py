"""The parsers of what the launcher reads of its own file, under mutated input (native/src/fuzz.zig)."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from czscie.launchers.build import native_source
from integration.native.zig_program import compile_fuzzer

#: Ten each where time is not a person's. `FUZZ_SECONDS=60` takes longer.
SECONDS = int(os.environ.get("FUZZ_SECONDS", "10" if os.environ.get("CI") else "3"))


@pytest.fixture(scope="module")
def fuzzer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_fuzzer(tmp_path_factory.mktemp("fuzzer"))


@pytest.mark.parametrize(
    "target", ["manifest", "zip", "plan", "placeholders", "mach_o", "pe", "expression", "dotenv", "binding"]
)
def test_mutated_input_crashes_no_parser(fuzzer: Path, target: str, tmp_path: Path) -> None:
    command = [fuzzer, native_source() / "corpus", str(SECONDS), target]
    done = subprocess.run(command, cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"{target}: " in done.stderr, "the fuzzer says what it did"
