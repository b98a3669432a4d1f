"""File systems that refuse, forget or fold: a start, or an error in plain words and nothing half installed.

docs/explained/bare.md has the table. Those of passthrough.py are mounted with FUSE, the others by the kernel.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from integration.native.small_scie import SmallScie, installed, make_small_scie
from integration.native.test_faults import assert_refused, assert_started, in_namespace, root_only, run

pytestmark = [pytest.mark.skipif(sys.platform != "linux", reason="Linux's file systems"), root_only]

Mounted = Callable[..., Path]


@pytest.fixture(scope="module")
def scie(tmp_path_factory: pytest.TempPathFactory) -> SmallScie:
    return make_small_scie(tmp_path_factory.mktemp("small"))


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Mounted]:
    """A function that mounts passthrough.py with faults."""
    pytest.importorskip("mfusepy")
    if not Path("/dev/fuse").exists():
        pytest.skip("there is no /dev/fuse")
    servers: list[tuple[subprocess.Popen[bytes], Path]] = []

    def mount(**faults: object) -> Path:
        behind, point = tmp_path / "behind", tmp_path / "mounted"
        behind.mkdir(exist_ok=True)
        point.mkdir()
        program = Path(__file__).with_name("passthrough.py")
        server = subprocess.Popen([sys.executable, program, behind, point, json.dumps(faults)])
        servers.append((server, point))
        deadline = time.monotonic() + 30
        while not os.path.ismount(point):
            assert server.poll() is None and time.monotonic() < deadline, "it was not mounted"
            time.sleep(0.01)
        return point

    yield mount
    for server, point in servers:
        subprocess.run(["umount", "--lazy", point], check=True)
        server.wait(timeout=30)


def start(scie: SmallScie, base: Path, home: Path) -> subprocess.CompletedProcess[str]:
    environment = {"CZSCIE_BASE": str(base), "HOME": str(home), "PATH": os.environ["PATH"]}
    return run([scie.path], environment)


def test_fuse_is_a_file_system_like_others(scie: SmallScie, mounted: Mounted, tmp_path: Path) -> None:
    base = mounted() / "base"
    for _ in ("cold", "warm"):
        done = start(scie, base, tmp_path)
        assert_started(done)
        assert str(base) in done.stdout
        assert done.stderr == ""
    assert installed(base) == scie.contents


@pytest.mark.parametrize("after", [0, 3000, 1_000_000])
@pytest.mark.parametrize(
    ("operation", "error", "text"),
    [
        ("write", "EIO", "input/output error"),
        ("write", "EDQUOT", "disk quota exceeded"),
        ("write", "ENOSPC", "no space left on device"),
        ("create", "EDQUOT", "disk quota exceeded"),
        ("rename", "EIO", "input/output error"),
        ("symlink", "EDQUOT", "disk quota exceeded"),
    ],
)
def test_an_error_of_the_file_system_is_told_and_leaves_nothing(
    scie: SmallScie, mounted: Mounted, tmp_path: Path, operation: str, error: str, text: str, after: int
) -> None:
    base = mounted(errors={operation: error}, after=after) / "base"
    done = start(scie, base, tmp_path)
    if done.returncode == 0 and str(base) in done.stdout:  # the last write came after the last of these
        assert (operation, after) == ("create", 1_000_000)
        return
    if done.returncode == 0:  # the base was refused, and the next is used
        assert_started(done)
        assert f"cannot use {base} (CZSCIE_BASE)" in done.stderr and text in done.stderr
    else:
        assert_refused(done, f"into {base}: {text}", "CZSCIE_BASE")
    assert installed(base) is None
    assert not list(base.glob("*/*.partial"))


@pytest.mark.parametrize("error", ["ENOSYS", "EOPNOTSUPP", "ENOLCK"])
def test_a_file_system_without_locks_is_passed_over(
    scie: SmallScie, mounted: Mounted, tmp_path: Path, error: str
) -> None:
    base = mounted(errors={"flock": error}) / "base"
    done = start(scie, base, tmp_path)
    assert_started(done)
    assert str(tmp_path / ".cache") in done.stdout
    assert (
        f"cannot use {base} (CZSCIE_BASE): cannot lock files in it: the file system does not support locks"
        in done.stderr
    )
    assert installed(base) is None


def test_an_installation_on_a_file_system_without_locks_is_started(
    scie: SmallScie, mounted: Mounted, tmp_path: Path
) -> None:
    (tmp_path / "behind").mkdir()
    assert_started(start(scie, tmp_path / "behind/base", tmp_path))
    base = mounted(errors={"flock": "ENOSYS"}) / "base"
    done = start(scie, base, tmp_path)
    assert_started(done)
    assert str(base) in done.stdout
    assert done.stderr == ""


def test_names_may_be_the_same_in_upper_and_lower_case(
    scie: SmallScie, mounted: Mounted, tmp_path: Path
) -> None:
    base = mounted(folds=True) / "base"
    assert_started(start(scie, base, tmp_path))
    assert (base / "INTERPRETERS").is_dir()
    again = start(scie, base.parent / "BASE", tmp_path)
    assert_started(again)
    assert again.stderr == ""
    assert installed(base) == scie.contents


def test_an_overlay_keeps_an_installation_and_mends_one(scie: SmallScie, tmp_path: Path) -> None:
    lower = tmp_path / "lower"
    assert_started(start(scie, lower / "base", tmp_path))
    [root] = (lower / "base/interpreters").iterdir()
    (root / "lib/numbers").unlink()
    os.utime(root, (0, 0))
    script = (
        'mount -t tmpfs tmpfs "$1"; mkdir "$1/upper" "$1/work" "$1/merged"; '
        'mount -t overlay -o lowerdir="$2",upperdir="$1/upper",workdir="$1/work" overlay "$1/merged"; '
        'export CZSCIE_BASE="$1/merged/base"; "$3"; "$3"; CZSCIE_BASE="$1/merged/cold" "$3"; '
        'SCIE=verify "$3"; ls "$1/upper/base/interpreters"/*/lib'
    )
    (tmp_path / "mounts").mkdir()
    done = in_namespace(script, tmp_path / "mounts", lower, scie.path)
    assert done.returncode == 0, done
    assert done.stdout.count("started\n") == 3
    assert "no problems found\n" in done.stdout
    assert done.stdout.endswith("numbers\n"), "only what was damaged came up"
    assert done.stderr == ""
