"""Very much to install: tens of thousands of files."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from native.application import Application, Make
from scie.making import Tree

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="starts Linux programs")

FILES = 70_000


def tool(moo: Application, word: str) -> subprocess.CompletedProcess[str]:
    environment = {"CZSCIE_BASE": str(moo.base), "SCIE": word}
    return subprocess.run([moo.path], env=environment, capture_output=True, text=True, timeout=300)


def test_70_000_files_are_installed_verified_and_mended(make: Make) -> None:
    moo = make(Tree({f"lib/{number // 500}/{number}": b"%d" % number for number in range(FILES)}))
    done = moo.start()
    assert done.returncode == 0, done.stderr
    for number in (0, 12_345, FILES - 1):
        assert (moo.root / f"lib/{number // 500}/{number}").read_bytes() == b"%d" % number
    assert sum(len(names) for _, _, names in os.walk(moo.root)) == FILES
    verified = tool(moo, "verify")
    assert (verified.returncode, verified.stderr) == (0, "")
    (moo.root / "lib/24/12345").unlink()
    shutil.rmtree(moo.root / "lib/3")
    os.utime(moo.root, (0, 0))
    assert moo.start().returncode == 0
    assert tool(moo, "verify").returncode == 0
