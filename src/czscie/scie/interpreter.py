"""An interpreter as a zip with a plan: what the launcher unpacks below `interpreters/`."""

from __future__ import annotations

from pathlib import Path

from czscie.container.content import File, Link
from czscie.container.packer import Packer, write_atomically
from czscie.container.plan import Plan, PlannedFile, PlannedLink
from czscie.pbs.distribution import Distribution


def write_interpreter(distribution: Distribution, path: Path, level: int) -> Plan:
    """Writes the zip of `distribution` to `path`, compressed by zstd's `level`, and returns its plan."""
    files = [item for item in distribution.items if isinstance(item, File)]
    links = tuple(PlannedLink(item.path, item.target) for item in distribution.items if isinstance(item, Link))
    packer = Packer(level)
    slices = packer.add("", files)
    planned = tuple(PlannedFile(file.path, slices[file.path], executable=file.executable) for file in files)
    plans: list[Plan] = []
    write_atomically(
        path,
        lambda stream: plans.append(packer.write(stream, lambda entries: Plan(entries, planned, links))),
    )
    return plans[0]
