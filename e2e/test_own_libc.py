"""One file in an empty root directory, and nothing else: the executable brings its C library along."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from e2e import foreign
from e2e.bare import BareRoot
from e2e.build import Scie
from e2e.conftest import PYTHONS, BuildScie, MakeRoot
from e2e.pexes import COWSAY, FIGURES, LONER

USER = 12345


@pytest.fixture
def empty(tmp_path: Path) -> BareRoot:
    """A root with /tmp, /dev/shm and /dev/null; glibc keeps semaphores in the one, and in the other is what
    `multiprocessing` gives its children to read.
    """
    root = BareRoot.empty(tmp_path / "root")
    root.add_shared_memory()
    root.add_null_device()
    return root


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("proc", [True, False], ids=["proc", "no-proc"])
@pytest.mark.parametrize("user", [0, USER])
def test_a_whole_python_works_in_an_empty_root(
    build_scie: BuildScie, empty: BareRoot, python: str, proc: bool, user: int
) -> None:
    if user and os.geteuid() != 0:
        pytest.skip("only root becomes another user")
    program = empty.install(build_scie(Scie(LONER, python, libc="when-missing")))
    for start in ("cold", "warm"):
        done = empty.run(program, proc=proc, user=user)
        assert done.returncode == 0, f"{start}: {done.stderr}"
        told = json.loads(done.stdout)
        executable = told.pop("executable")
        assert executable == told.pop("child")
        base = f"/tmp/czscie-{user}" if user or os.geteuid() else "/var/cache/czscie"
        assert executable.startswith(f"{base}/apps/") and executable.endswith("/bin/python")
        assert told == {
            "pools": [[1, 4, 9]] * 3,
            "environment": [True],
            "threads": 8,
            "ssl": "OpenSSL",
            "sqlite": ["moo"],
            "ctypes": [True, 4],
            "addresses": ["127.0.0.1"],
            "locale": "C.UTF-8",
            "encoding": "utf-8",
            "libc": "glibc",
            "program": f"python{python}" if proc else None,
            "user": user,
        }


@pytest.mark.parametrize("proc", [True, False], ids=["proc", "no-proc"])
def test_manylinux_wheels_work_in_an_empty_root(build_scie: BuildScie, empty: BareRoot, proc: bool) -> None:
    program = empty.install(build_scie(Scie(FIGURES, "3.13", libc="when-missing")))
    done = empty.run(program, "pool", proc=proc)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert (figures["solution"], figures["pool"]) == (5.0, [5.0, 10.0])


def test_a_host_with_a_c_library_keeps_its_own(build_scie: BuildScie, make_root: MakeRoot) -> None:
    root = make_root()
    program = root.install(build_scie(Scie(COWSAY, "3.13", libc="when-missing")))
    done = root.run(program, "-t", "moo")
    assert done.returncode == 0, done.stderr
    assert not (root.base / "libcs").exists()
    assert "| moo |" in root.run(program, "-t", "moo", environment={"CZSCIE_LIBC": "own"}).stdout
    assert (root.base / "libcs").exists()


def test_what_is_patched_is_verified_and_removed(build_scie: BuildScie, empty: BareRoot) -> None:
    program = empty.install(build_scie(Scie(COWSAY, "3.13", libc="always")))
    assert empty.run(program, "-t", "moo").returncode == 0
    verified = empty.run(program, environment={"SCIE": "verify"})
    assert verified.stdout.endswith("no problems found\n"), verified.stdout
    assert empty.run(program, environment={"SCIE": "uninstall"}).returncode == 0
    assert [path for path in empty.base.glob("*/*") if path.parent.name != "locks"] == []


def test_an_executable_for_aarch64_runs_in_an_empty_root_under_emulation(
    build_scie: BuildScie, tmp_path: Path
) -> None:
    if reason := foreign.why_not():
        pytest.skip(reason)
    root = BareRoot.empty(tmp_path / "root", foreign.enter())
    program = root.install(build_scie(Scie(COWSAY, "3.11", "linux-aarch64", libc="when-missing")))
    for _ in range(2):
        done = root.run(program, "-t", "moo")
        assert done.returncode == 0, done.stderr
        assert "| moo |" in done.stdout
