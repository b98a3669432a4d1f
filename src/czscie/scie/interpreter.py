"""An interpreter as a zip with a plan, which the launcher unpacks below `interpreters/`."""

from __future__ import annotations

from pathlib import Path

from czscie.container.packer import write_items
from czscie.container.plan import Plan
from czscie.pbs.distribution import Distribution
from czscie.progress import Count, no_count


def write_interpreter(distribution: Distribution, path: Path, level: int, count: Count = no_count) -> Plan:
    """Writes the zip of `distribution` to `path`, compressed by zstd's `level`, and returns its plan.

    `count` counts the bytes.
    """
    return write_items(distribution.items, path, level, count=count)
