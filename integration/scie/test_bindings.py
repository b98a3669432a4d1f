"""Bindings that are killed, that run in many processes at once, and that keep results where others cannot."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from czscie.build import build
from czscie.session import Session
from integration.native.small_scie import files_below
from interrupts import take_interrupts

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="starts programs of Linux")

#: It tells when it has begun, takes its time, and writes a result of two lines with a pause between them.
LIFT = """
[lift]
name = "app"

[[lift.commands]]
exe = "/bin/echo"
args = ["{scie.bindings.make:ONE}", "{scie.bindings.make:TWO}"]

[[lift.bindings]]
name = "make"
exe = "/bin/sh"
args = ["-c", '''
echo $$ >> "$RUNS"
echo ONE=1 >> "$SCIE_BINDING_ENV"
sleep "$PAUSE"
echo TWO=2 >> "$SCIE_BINDING_ENV"
''']

[[lift.files]]
name = "data"

[[lift.commands]]
name = "directory"
exe = "/bin/echo"
args = ["{scie.bindings.make}"]
"""


@dataclass(frozen=True)
class App:
    """A scie whose binding writes the numbers of its processes to the file `runs`."""

    path: Path
    directory: Path
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def base(self) -> Path:
        return self.directory / "base"

    @property
    def runs(self) -> list[int]:
        file = self.directory / "runs"
        return [int(line) for line in file.read_text().split()] if file.exists() else []

    def begin(
        self,
        pause: float = 0,
        command: str = "",
        path: Path | None = None,
        arguments: Sequence[str] = (),
        **variables: str,
    ) -> subprocess.Popen[str]:
        environment = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(self.directory / "home"),
            "CZSCIE_BASE": str(self.base),
            "RUNS": str(self.directory / "runs"),
            "PAUSE": str(pause),
            "SCIE_BOOT": command,
            **variables,
        }
        start = subprocess.Popen(
            [path or self.path, *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=take_interrupts,
            text=True,
            start_new_session=True,
        )
        self.started.append(start)
        return start

    def end(self) -> None:
        """Kills what still runs: the boot directories of all tests here have the same name."""
        for start in self.started:
            with suppress(ProcessLookupError):
                os.killpg(start.pid, signal.SIGKILL)
            start.communicate()

    def output(self, command: str = "", path: Path | None = None) -> str:
        output, errors = self.begin(command=command, path=path).communicate(timeout=60)
        assert errors == ""
        return output

    def left(self) -> list[str]:
        """What is kept for bindings, but for locks and the directory that belongs to them."""
        names = (path.name for path in self.base.glob("boot/*/*"))
        return [name for name in names if not name.endswith(".lock") and name != "bindings"]


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    (tmp_path / "lift.toml").write_text(LIFT)
    # What other test processes run has another name, so that it does not keep this from being removed.
    (tmp_path / "data").write_text(str(os.getpid()))
    [made] = build(tmp_path / "lift.toml", tmp_path / "dist", [], Session.of())
    app = App(made.path, tmp_path)
    yield app
    app.end()


def wait_for(condition: Callable[[], object], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it does not happen"
        time.sleep(0.005)


def is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_twenty_starts_at_once_run_a_binding_once(app: App) -> None:
    starts = [app.begin(0.3) for _ in range(20)]
    assert {start.communicate(timeout=60) for start in starts} == {("1 2\n", "")}
    assert len(app.runs) == 1


def test_a_killed_start_leaves_neither_a_result_nor_a_binding_that_goes_on(app: App) -> None:
    start = app.begin(60)
    wait_for(lambda: app.runs)
    start.kill()
    start.wait()  # not for the end of its output, which the binding's own child has open
    [process] = app.runs
    wait_for(lambda: not is_running(process))
    assert all(name.endswith(".partial") for name in app.left())
    assert app.output() == "1 2\n"
    assert len(app.runs) == 2
    assert [name for name in app.left() if "." in name] == []
    assert app.output() == "1 2\n"
    assert len(app.runs) == 2


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
@pytest.mark.parametrize("call", ["openat", "mkdirat", "write", "pwrite64", "unlinkat", "renameat"])
def test_after_a_kill_at_any_system_call_the_next_start_leaves_nothing_behind(app: App, call: str) -> None:
    def start(*command: str | Path) -> int:
        environment = {
            "PATH": os.environ["PATH"], "CZSCIE_BASE": str(app.base), "RUNS": "/dev/null", "PAUSE": "0"
        }  # fmt: skip
        done = subprocess.run(
            [*command, app.path], env=environment, capture_output=True, check=False, timeout=60
        )
        return done.returncode

    assert start() == 0
    expected = files_below(app.base)
    for number in range(1, 100):
        shutil.rmtree(app.base)
        inject = f"inject={call}:signal=KILL:when={number}"
        if start("strace", "-qq", "-o", "/dev/null", "-e", inject) == 0:
            break
        assert start() == 0
        assert files_below(app.base) == expected, inject
    assert number > 1, f"no {call} was called"


def test_whenever_starts_are_killed_no_start_sees_half_a_result(app: App) -> None:
    dice = random.Random(7)
    for _ in range(25):
        shutil.rmtree(app.base, ignore_errors=True)
        starts = [app.begin(0.02) for _ in range(3)]
        time.sleep(dice.uniform(0, 0.1))
        for start in starts[:2]:
            start.kill()
        outputs = [start.communicate(timeout=60)[0] for start in starts]
        assert set(outputs) <= {"", "1 2\n"} and outputs[2] == "1 2\n"
        assert app.output() == "1 2\n"


def is_pausing(start: subprocess.Popen[str]) -> bool:
    """Whether `sleep` runs in the process group. A shell loses a Ctrl-C that comes before."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            name, _, rest = stat.read_text().partition("(")[2].rpartition(")")
            if name == "sleep" and int(rest.split()[2]) == start.pid:
                return True
    return False


def test_ctrl_c_ends_a_start_as_it_ends_its_binding(app: App) -> None:
    start = app.begin(60)
    wait_for(lambda: is_pausing(start))
    os.killpg(start.pid, signal.SIGINT)
    assert start.wait(timeout=30) == -signal.SIGINT
    assert app.output() == "1 2\n"


def test_a_result_that_is_damaged_is_made_again(app: App) -> None:
    assert app.output() == "1 2\n"
    [name] = app.left()
    [result] = app.base.glob(f"boot/*/{name}")
    for damaged in (b"", b"czscie-binding 1\nvalue\tONE", b"\xff" * 5000):
        result.write_bytes(damaged)
        assert app.output() == "1 2\n"
    assert len(app.runs) == 4


def test_what_is_kept_is_the_users_alone(app: App) -> None:
    directory = Path(app.output("directory").strip())
    assert directory.is_dir()
    for path in (directory, *list(directory.parents)[:2]):
        assert path.stat().st_mode & 0o077 == 0, path
    assert {path.stat().st_mode & 0o077 for path in directory.parent.iterdir()} == {0}


def test_a_permanent_installation_keeps_nothing_that_bindings_told(app: App) -> None:
    place = app.directory / "opt"
    installed, errors = app.begin(SCIE="install", arguments=[str(place)]).communicate(timeout=60)
    assert installed.split()[0] == f"{place}/bin/app", errors
    for _ in range(2):
        assert app.output(path=place / "bin" / "app") == "1 2\n"
    assert len(app.runs) == 1
    assert not (place / "boot").exists()
    assert len(app.left()) == 1


def test_uninstall_removes_what_bindings_keep(app: App) -> None:
    assert app.output() == "1 2\n"
    [kept] = app.base.glob("boot/*")
    removed, errors = app.begin(SCIE="uninstall").communicate(timeout=60)
    assert f"removed {kept}\n" in removed, errors
    assert not (app.base / "boot").exists()
    assert app.output() == "1 2\n"
    assert len(app.runs) == 2


def cache(app: App, *arguments: str) -> Any:
    output, errors = app.begin(SCIE="cache", arguments=[*arguments, "--json"]).communicate(timeout=60)
    assert errors == ""
    return json.loads(output)


def kinds(items: Sequence[Mapping[str, Any]]) -> list[str]:
    return [item["kind"] for item in items]


def test_cache_lists_and_prunes_what_bindings_keep(app: App) -> None:
    directory = Path(app.output("directory").strip())
    (directory / "large").write_bytes(bytes(100_000))
    [kept] = [item for item in cache(app)["items"] if item["kind"] == "boot"]
    assert (kept["digest"], kept["application"], kept["own"]) == (directory.parent.name, "app", True)
    assert kept["bytes"] > 100_000
    assert cache(app, "prune")["removed"] == []
    long_ago = time.time() - 40 * 86400
    os.utime(directory.parent, (long_ago, long_ago))
    assert kinds(cache(app, "prune")["removed"]) == ["boot"]
    assert not directory.parent.exists()
    assert app.output() == "1 2\n"
    assert len(app.runs) == 2


def test_a_start_records_that_it_uses_what_bindings_keep(app: App) -> None:
    assert app.output() == "1 2\n"
    [kept] = app.base.glob("boot/*")
    long_ago = time.time() - 40 * 86400
    os.utime(kept, (long_ago, long_ago))
    assert app.output() == "1 2\n"
    assert time.time() - kept.stat().st_mtime < 600
    assert cache(app, "prune")["removed"] == []


def test_what_a_program_uses_or_a_binding_makes_is_not_pruned(app: App) -> None:
    directory = Path(app.output("directory").strip())
    user = subprocess.Popen(["/bin/sleep", "60"], env={"MADE": str(directory)})
    try:
        wait_for(lambda: str(directory).encode() in Path(f"/proc/{user.pid}/environ").read_bytes())
        assert "boot" not in kinds(cache(app, "prune", "--max-size", "0")["removed"])
        removed, _ = app.begin(SCIE="uninstall").communicate(timeout=60)
        assert f"kept {directory.parent}: a process is using it\n" in removed
    finally:
        user.kill()
        user.wait()
    shutil.rmtree(app.base)
    start = app.begin(2)
    wait_for(lambda: len(app.runs) == 2)
    assert "boot" not in kinds(cache(app, "prune", "--max-size", "0")["removed"])
    assert start.communicate(timeout=60) == ("1 2\n", "")


def test_prune_breaks_no_start_that_uses_what_bindings_keep(app: App) -> None:
    """The default command needs what the binding told, and starts while others remove it."""
    stop = threading.Event()

    def prune() -> None:
        while not stop.is_set():
            cache(app, "prune", "--max-size", "0")

    pruning = threading.Thread(target=prune)
    pruning.start()
    try:
        for _ in range(100):
            assert app.output() == "1 2\n"
    finally:
        stop.set()
        pruning.join()
    assert len(app.runs) > 1
