"""The parsers of what the launcher reads of its own file, under mutated input (native/src/fuzz.zig)."""

from __future__ import annotations

import os

import pytest

from czscie.cache import cache_directory
from czscie.launchers.build import zig_build

#: Half a minute each where time is not a person's.
SECONDS = 30 if os.environ.get("CI") else 3


@pytest.mark.parametrize(
    "target", ["manifest", "zip", "plan", "placeholders", "mach_o", "pe", "expression", "dotenv", "binding"]
)
def test_mutated_input_crashes_no_parser(target: str) -> None:
    done = zig_build("fuzz", "--", str(SECONDS), target, cache=cache_directory("launchers"))
    assert done.returncode == 0, done.stderr
    assert f"{target}: " in done.stderr, "the fuzzer says what it did"
