"""Every reader under changed input, in six groups: 10 seconds each in CI, 3 elsewhere, and the corpus always.

`FUZZ_SECONDS=60 pytest integration/test_fuzzed_readers.py` takes longer.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fuzz.targets import CORPUS, GROUPS, TARGETS

SECONDS = int(os.environ.get("FUZZ_SECONDS", "10" if os.environ.get("CI") else "3"))


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory and audit events are Linux's")
@pytest.mark.parametrize("group", GROUPS)
def test_no_input_gets_more_than_an_answer_or_an_error(group: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", "--seed", os.environ.get("FUZZ_SEED", "0"), str(SECONDS), group],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=SECONDS + 300,
    )
    assert done.returncode == 0, done.stderr
    for target in TARGETS:
        assert target.group != group or f"{target.name}: " in done.stdout, "the fuzzer says what it did"


def test_every_target_has_a_corpus() -> None:
    assert {path.name for path in CORPUS.iterdir()} == {target.name for target in TARGETS}
    assert sum(path.stat().st_size for path in CORPUS.rglob("*") if path.is_file()) < 1 << 20
