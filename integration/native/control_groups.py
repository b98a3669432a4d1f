"""Control groups of a test's own, of version 1 or 2, with limits (cgroups(7))."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

_ROOT = Path("/sys/fs/cgroup")
#: Of each limit, the controller and its file in version 1; in version 2 the limit is the file.
_OF_VERSION_1 = {
    "memory.max": ("memory", "memory.limit_in_bytes"),
    "pids.max": ("pids", "pids.max"),
}


@contextmanager
def control_group(limit: str, value: int) -> Iterator[Path]:
    """A group with one limit: `memory.max` in bytes, or `pids.max`. Skips where none can be made."""
    controller, file = _OF_VERSION_1[limit]
    parent = _ROOT / controller if (_ROOT / controller).is_dir() else _ROOT
    group = parent / f"czscie-test-{os.getpid()}"
    name = file if parent != _ROOT else limit
    try:
        group.mkdir()
    except OSError as error:
        pytest.skip(f"no control group can be made in {parent}: {error.strerror}")
    try:
        if not (group / name).exists():
            pytest.skip(f"{parent} has no controller of {controller} for groups below it")
        (group / name).write_text(str(value))
        yield group
    finally:
        _remove(group)


def _remove(group: Path) -> None:
    # What was killed counts until it is waited for.
    deadline = time.monotonic() + 10
    while True:
        try:
            group.rmdir()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def run_in(
    group: Path, command: Sequence[str | Path], environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Runs the command in the group from its first instruction on."""
    script = 'echo $$ > "$0/cgroup.procs" && exec "$@"'
    return subprocess.run(
        ["/bin/sh", "-c", script, group, *command],
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=120,
    )
