from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from czscie.filesystem import write_atomically


@pytest.mark.skipif(os.name == "nt", reason="files there have no such modes")
@pytest.mark.parametrize(
    ("umask", "mode", "found"),
    [(0o022, 0o666, 0o644), (0o077, 0o666, 0o600), (0o002, 0o777, 0o775), (0o022, 0o600, 0o600)],
)
def test_the_umask_restricts_the_mode(tmp_path: Path, umask: int, mode: int, found: int) -> None:
    before = os.umask(umask)
    try:
        write_atomically(tmp_path / "moo", lambda stream: stream.write(b"moo"), mode=mode)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "moo").stat().st_mode) == found
