"""Across an air gap: vendored on a machine with network access, built where there is none."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from e2e.build import Builder, read_results
from e2e.mirror.release import TAG

#: A namespace of the kernel's without any interface but a loopback that is down.
NO_NETWORK = ("unshare", "--net")
#: Writes every call that has to do with a network into the file that follows.
STRACE = (*NO_NETWORK, "strace", "-f", "-qq", "-e", "trace=%network", "-e", "signal=none", "-o")
#: At this level packing is fast: it is not what is looked at here.
MANIFEST = f"""\
[lift]
name = "cowsay"
platforms = ["{{platform}}"]
compression_level = 1

[[lift.interpreters]]
id = "cpython"
provider = "PythonBuildStandalone"
release = "{TAG}"
version = "3.11"

[lift.payload]
requirements = ["cowsay==6.1"]
entry_point = "cowsay"
"""
_CALL = re.compile(r"(?:\[pid +\d+\] |\d+ +)?(\w+)\(([^,)]*)")


def network_calls(log: Path) -> list[tuple[str, str]]:
    """The calls that strace wrote down with their first arguments."""
    return [match.groups() for line in log.read_text().splitlines() if (match := _CALL.match(line))]  # type: ignore[misc]


@pytest.fixture
def namespaces() -> None:
    for program in ("unshare", "strace"):
        if shutil.which(program) is None:
            pytest.skip(f"there is no {program}")
    if subprocess.run([*NO_NETWORK, "true"], capture_output=True).returncode != 0:
        pytest.skip("no network namespace can be made: root is needed")


def test_what_is_vendored_is_built_without_a_network_to_the_same_bytes(
    builder: Builder, namespaces: None, tmp_path: Path
) -> None:
    here, there = tmp_path / "connected", tmp_path / "isolated"
    here.mkdir()
    # For another platform: this machine's interpreter comes along to pack the modules.
    (here / "lift.toml").write_text(MANIFEST.format(platform="linux-aarch64"))
    built = builder.run("lift.toml", directory=here)
    assert built.returncode == 0, built.stderr
    done = builder.run("parcel", directory=here, command="vendor")
    assert done.returncode == 0, done.stderr

    there.mkdir()
    for name in ("lift.toml", "lift.lock"):
        shutil.copy(here / name, there)
    shutil.copytree(here / "parcel", there / "parcel")
    log = tmp_path / "build.log"
    alone = builder.run(
        *("-v", "--offline", "--locked", "--vendor", "parcel"),
        directory=there,
        prefix=(*STRACE, log),
        environment={"HOME": str(there), "CZSCIE_CACHE": "", "CZSCIE_PBS_URL": "", "TMPDIR": str(tmp_path)},
    )
    assert alone.returncode == 0, alone.stderr
    assert "packed: " in alone.stderr and "not packed" not in alone.stderr
    assert alone.stdout == built.stdout
    for result in read_results(alone.stdout):
        assert hashlib.sha256((there / result.path).read_bytes()).hexdigest() == result.sha256
    assert {argument for _, argument in network_calls(log)} <= {"AF_UNIX"}
    assert (there / ".cache").is_dir()


def test_an_executable_opens_no_socket(builder: Builder, namespaces: None, tmp_path: Path) -> None:
    (tmp_path / "lift.toml").write_text(MANIFEST.format(platform="linux-x86_64"))
    built = builder.run("lift.toml", directory=tmp_path)
    [result] = read_results(built.stdout)
    for start in ("cold", "warm"):
        log = tmp_path / f"{start}.log"
        done = subprocess.run(
            [*STRACE, log, tmp_path / result.path, "-t", "moo"],
            env={**os.environ, "CZSCIE_BASE": str(tmp_path / "base")},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        assert "moo" in done.stdout
        assert log.read_text() == ""
