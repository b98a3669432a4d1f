"""Real control groups: a cold start within little memory, or an error that names the limit; one process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from czscie.container.content import Data, File
from integration.native.control_groups import control_group, run_in
from integration.native.small_scie import SmallScie, installed, make_small_scie
from integration.native.test_faults import assert_refused, assert_started, root_only

pytestmark = [pytest.mark.skipif(sys.platform != "linux", reason="Linux's control groups"), root_only]

MIB = 1 << 20
#: Ten groups of files, of 4 MiB each: enough for all threads.
MANY = tuple(File(f"lib/{n:02}", Data(bytes([n]) + os.urandom(64) * (MIB // 65))) for n in range(40))
#: An entry that is unpacked in pieces.
LARGE = File("lib/large", Data(os.urandom(1024) * 8000))


@pytest.fixture(scope="module")
def scie(tmp_path_factory: pytest.TempPathFactory) -> SmallScie:
    return make_small_scie(tmp_path_factory.mktemp("groups"), *MANY, LARGE)


def start(
    scie: SmallScie, base: Path, limit: str, value: int, **environment: str
) -> subprocess.CompletedProcess[str]:
    with control_group(limit, value) as group:
        return run_in(group, [scie.path], {"CZSCIE_BASE": str(base), **environment})


@pytest.mark.parametrize("mebibytes", [128, 32, 12, 8])
def test_a_cold_start_keeps_within_the_memory_that_it_may_have(
    scie: SmallScie, tmp_path: Path, mebibytes: int
) -> None:
    assert_started(start(scie, tmp_path, "memory.max", mebibytes * MIB))
    assert installed(tmp_path) == scie.contents


def test_the_limit_is_named_when_it_is_too_small(scie: SmallScie, tmp_path: Path) -> None:
    done = start(scie, tmp_path, "memory.max", 4 * MIB)
    assert_refused(
        done, "the memory limit of 4 MB is too small", "raise the memory limit of the control group"
    )
    assert installed(tmp_path) is None


def test_what_is_mended_keeps_within_it_too(scie: SmallScie, tmp_path: Path) -> None:
    assert_started(scie.start(tmp_path))
    [root] = (tmp_path / "interpreters").iterdir()
    (root / "lib/text").write_bytes(bytes(len(scie.contents["lib/text"])))
    os.utime(root, (0, 0))
    assert_started(start(scie, tmp_path, "memory.max", 16 * MIB))
    assert installed(tmp_path) == scie.contents


def test_memory_is_no_base_where_the_limit_does_not_hold_it(scie: SmallScie, tmp_path: Path) -> None:
    done = start(scie, tmp_path, "memory.max", 32 * MIB, CZSCIE_MEMORY="always")
    assert_refused(done, "and the memory limit is 33 MB")


@pytest.mark.parametrize("memory", ["", "always"])
def test_one_process_is_enough(scie: SmallScie, tmp_path: Path, memory: str) -> None:
    done = start(scie, tmp_path, "pids.max", 1, CZSCIE_MEMORY=memory)
    assert_started(done)
    if not memory:
        assert installed(tmp_path) == scie.contents
