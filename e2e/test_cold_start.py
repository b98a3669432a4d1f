"""Cold starts that meet each other, and cold starts that are killed."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.build import Scie
from e2e.conftest import BuildScie
from e2e.pexes import TOOLBOX
from e2e.run import start
from e2e.snapshot import contents
from e2e.trace import Trace, read_trace, start_trace

SCIE = Scie(TOOLBOX, "3.13")
ARGUMENTS = ("files", "sources")

#: The bytecode that Python writes beside its modules names the directory they are in, and is not czscie's.
ENVIRONMENT = {"PYTHONDONTWRITEBYTECODE": "1"}

#: Bytes that several installations take.
ROOM = 1 << 30

PROCESSES = 20
KILLS = 50
SEED = 20260101


@pytest.fixture(scope="module")
def executable(build_scie: BuildScie) -> Path:
    return build_scie(SCIE)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A directory in memory if there can be one: installations come and go in it by the dozen."""
    memory = Path("/dev/shm")
    usable = memory.is_dir() and not os.statvfs(memory).f_flag & os.ST_NOEXEC
    roomy = usable and shutil.disk_usage(memory).free > ROOM
    with tempfile.TemporaryDirectory(dir=memory if roomy else tmp_path_factory.mktemp("cold")) as directory:
        yield Path(directory)


@pytest.fixture(scope="module")
def installed(executable: Path, scratch: Path) -> Path:
    """A base directory after one undisturbed cold start."""
    base = scratch / "installed"
    done = start(executable, *ARGUMENTS, base=base, environment=ENVIRONMENT)
    assert done.returncode == 0, done.stderr.decode()
    return base


def _installations(base: Path) -> list[str]:
    """The directories that hold something installed, relative to the base."""
    return sorted(
        f"{kind}/{path.name}" for kind in ("apps", "interpreters") for path in (base / kind).iterdir()
    )


def test_twenty_processes_start_cold_at_once_and_one_unpacks(
    executable: Path, installed: Path, scratch: Path, tmp_path: Path
) -> None:
    base = scratch / "at-once"
    processes = []
    for number in range(PROCESSES):
        logs = tmp_path / f"logs-{number}"
        logs.mkdir()
        calls = "mkdir,mkdirat"
        command: list[str | Path] = [executable, *ARGUMENTS]
        processes.append((logs, start_trace(command, logs, {"CZSCIE_BASE": str(base), **ENVIRONMENT}, calls)))
    traces = []
    for logs, process in processes:
        stdout, stderr = process.communicate(timeout=300)
        traces.append(
            read_trace(logs, subprocess.CompletedProcess([executable], process.returncode, stdout, stderr))
        )

    assert [trace.process.stderr for trace in traces if trace.process.returncode != 0] == []
    assert len({trace.process.stdout.replace(str(base), "") for trace in traces}) == 1
    begun = [name for trace in traces for name in _begun(trace, base)]
    assert sorted(begun) == _installations(installed), "each is unpacked by one process"
    assert contents(base) == contents(installed)


def _begun(trace: Trace, base: Path) -> list[str]:
    """The installations for which a process made a directory, `<kind>/<digest>`, to unpack into."""
    made = [Path(call.path) for call in trace.calls if call.name.startswith("mkdir") and not call.failed]
    return [f"{path.parent.name}/{path.stem}" for path in made if path.parent.parent == base]


def test_a_start_after_a_kill_at_any_instant_succeeds(
    executable: Path, installed: Path, scratch: Path
) -> None:
    expected = contents(installed)
    chance = random.Random(SEED)
    latest = _installation_duration(executable, scratch)
    hits = 0
    for number in range(4 * KILLS):
        base = scratch / f"killed-{number}"
        instant = chance.uniform(0.0, latest)
        _kill_after(executable, base, instant)
        unfinished = not base.exists() or contents(base) != expected
        done = start(executable, *ARGUMENTS, base=base, environment=ENVIRONMENT)
        assert done.returncode == 0, f"killed after {instant:.3f} s:\n{done.stderr.decode()}"
        assert contents(base) == expected, f"killed after {instant:.3f} s"
        shutil.rmtree(base)
        hits += unfinished
        if hits == KILLS:
            break
        # The machine's speed changes: stay with instants at which there is something to interrupt.
        latest *= 1.05 if unfinished else 0.9
    assert hits == KILLS, "the kills must hit the installation itself"


def test_several_kills_in_a_row_leave_nothing_behind(
    executable: Path, installed: Path, scratch: Path
) -> None:
    chance = random.Random(SEED)
    duration = _installation_duration(executable, scratch)
    base = scratch / "killed"
    for _ in range(5):
        _kill_after(executable, base, chance.uniform(0.0, duration))
    done = start(executable, *ARGUMENTS, base=base, environment=ENVIRONMENT)
    assert done.returncode == 0, done.stderr.decode()
    assert contents(base) == contents(installed)


def _installation_duration(executable: Path, directory: Path) -> float:
    """Seconds by which a cold start takes longer than a warm one: what the installation takes here."""
    base = directory / "measured"
    durations: list[float] = []
    for _ in ("cold", "warm"):
        began = time.monotonic()
        done = start(executable, *ARGUMENTS, base=base, environment=ENVIRONMENT)
        durations.append(time.monotonic() - began)
        assert done.returncode == 0, done.stderr.decode()
    shutil.rmtree(base)
    return durations[0] - durations[1]


def _kill_after(executable: Path, base: Path, seconds: float) -> None:
    """Start cold and send SIGKILL to the process, and to any it started, after a time."""
    with subprocess.Popen(
        [executable, *ARGUMENTS],
        env={"CZSCIE_BASE": str(base), **ENVIRONMENT},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        time.sleep(seconds)
        os.killpg(process.pid, signal.SIGKILL)
