"""Root starts scies while another user exchanges what that user can exchange, as fast as one can.

A launcher that looked at the base directory alone started the foreign program in each of these ways.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from integration.native.small_scie import SmallScie, make_small_scie, program

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="renameat2(2) is Linux's"),
    pytest.mark.skipif(os.geteuid() != 0, reason="another user needs root"),
]

BOB = 12346
AS_BOB = ["setpriv", f"--reuid={BOB}", f"--regid={BOB}", "--clear-groups"]

#: What neighbour.zig ends with in the place of another program.
FOREIGN = 66

#: Of each way; all of them are more than 20,000.
STARTS = 2300


@dataclass
class Stage:
    """Two directories of the same names: what root would find, and what Bob would like root to find."""

    path: Path
    scie: Path
    environment: dict[str, str | Path] = field(default_factory=dict)

    @property
    def neighbour(self) -> Path:
        return self.path / "neighbour"

    def directory(self, path: Path, owner: int = BOB, mode: int = 0o755) -> Path:
        path.mkdir(parents=True)
        path.chmod(mode)
        os.chown(path, owner, owner)
        return path

    def roots(self, base: Path) -> None:
        """A base directory that root installed into, before it knew whom the directories above belong to."""
        shutil.copytree(self.path / "installed", base, symlinks=True)
        base.chmod(0o700)

    def bobs(self, base: Path) -> None:
        """The same with another program in it."""
        self.roots(base)
        [python] = base.glob("interpreters/*/bin/python")
        python.unlink()
        shutil.copy(self.neighbour, python)
        python.chmod(0o755)
        subprocess.run(["chown", "-R", f"{BOB}:{BOB}", base], check=True)
        base.chmod(0o755)

    def pair(self, one: Path, other: Path, below: str = "") -> tuple[str, Path, Path]:
        """Bob's directory `one` with root's base directory somewhere below, and `other` with Bob's."""
        for directory, make in ((one, self.roots), (other, self.bobs)):
            if below:
                self.directory(directory)
                (directory / below).parent.mkdir(parents=True, exist_ok=True)
            make(directory / below)
        return "exchange", one, other


Attack = tuple[str | Path, ...]


def home(stage: Stage) -> Attack:
    stage.environment["HOME"] = bobs = stage.directory(stage.path / "bob")
    return stage.pair(bobs / ".cache", bobs / ".evil", "czscie")


def cache_home(stage: Stage) -> Attack:
    stage.environment["XDG_CACHE_HOME"] = bobs = stage.directory(stage.path / "bob")
    return stage.pair(bobs / "czscie", bobs / "evil")


def base_itself(stage: Stage) -> Attack:
    bobs = stage.directory(stage.path / "bob")
    stage.environment["CZSCIE_BASE"] = bobs / "base"
    return stage.pair(bobs / "base", bobs / "evil")


def far_above(stage: Stage) -> Attack:
    bobs = stage.directory(stage.path / "bob")
    stage.environment["CZSCIE_BASE"] = bobs / "a/b/c/base"
    return stage.pair(bobs / "a", bobs / "evil", "b/c/base")


def below_a_sticky_directory(stage: Stage) -> Attack:
    shared = stage.directory(stage.path / "tmp", 0, 0o1777)
    stage.environment["CZSCIE_BASE"] = shared / "a/base"
    return stage.pair(shared / "a", shared / "evil", "base")


def directory_for_all(stage: Stage) -> Attack:
    shared = stage.directory(stage.path / "all", 0, 0o777)
    stage.environment["CZSCIE_BASE"] = shared / "base"
    return stage.pair(shared / "base", shared / "evil")


def directory_for_a_group(stage: Stage) -> Attack:
    shared = stage.directory(stage.path / "group", 0, 0o775)
    os.chown(shared, 0, BOB)
    stage.environment["CZSCIE_BASE"] = shared / "base"
    return stage.pair(shared / "base", shared / "evil")


def link_of_his(stage: Stage) -> Attack:
    bobs = stage.directory(stage.path / "bob")
    stage.pair(bobs / "a", bobs / "evil", "base")
    (bobs / "link").symlink_to("a")
    stage.environment["CZSCIE_BASE"] = bobs / "link/base"
    return "relink", bobs / "link", "a", "evil"


def link_of_roots(stage: Stage) -> Attack:
    bobs = stage.directory(stage.path / "bob")
    roots = stage.directory(stage.path / "root", 0)
    (roots / "link").symlink_to(bobs / "a")
    stage.environment["CZSCIE_BASE"] = roots / "link/base"
    return stage.pair(bobs / "a", bobs / "evil", "base")


WAYS: list[Callable[[Stage], Attack]] = [
    home,
    cache_home,
    base_itself,
    far_above,
    below_a_sticky_directory,
    directory_for_all,
    directory_for_a_group,
    link_of_his,
    link_of_roots,
]


def starts(stage: Stage, way: Callable[[Stage], Attack], number: int) -> Counter[int]:
    """How often each exit status came of `number` starts while Bob attacks in `way`."""
    attack = way(stage)
    variables = [f"{name}={value}" for name, value in stage.environment.items()]
    with subprocess.Popen([*AS_BOB, stage.neighbour, *attack]) as attacker:
        command = [stage.neighbour, "start", str(number), stage.scie, *variables]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
        assert attacker.poll() is None, "the attack came to an end by itself"
        attacker.kill()
    return Counter({int(status): int(times) for status, times in map(str.split, done.stdout.splitlines())})


@pytest.fixture(scope="module")
def scie(tmp_path_factory: pytest.TempPathFactory) -> SmallScie:
    return make_small_scie(tmp_path_factory.mktemp("neighbour"))


@pytest.fixture
def stage(scie: SmallScie) -> Iterator[Stage]:
    with tempfile.TemporaryDirectory(prefix="neighbour", dir="/tmp") as directory:
        yield make_stage(Path(directory), scie.path)


def make_stage(path: Path, scie: Path) -> Stage:
    path.chmod(0o755)
    stage = Stage(path, scie)
    stage.neighbour.write_bytes(program("neighbour"))
    stage.neighbour.chmod(0o755)
    subprocess.run([scie], env={"CZSCIE_BASE": str(path / "installed")}, check=True, capture_output=True)
    stage.environment["TMPDIR"] = stage.directory(path / "safe", 0)
    return stage


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_no_foreign_program_is_started(stage: Stage, way: Callable[[Stage], Attack]) -> None:
    assert starts(stage, way, STARTS) == {0: STARTS}
    assert any(stage.path.glob("safe/czscie-0/interpreters/*")), (
        "it was not the attacked directory that was tried"
    )


def test_there_are_twenty_thousand_starts() -> None:
    assert STARTS * len(WAYS) > 20_000
