"""An interpreter as a zip with a plan: what the launcher unpacks below `interpreters/`."""

from __future__ import annotations

from pathlib import Path

from czscie.container import zip as zip_records
from czscie.container.packer import write_items
from czscie.container.plan import ENTRY_NAME, Plan, parse
from czscie.pbs.distribution import Distribution


def write_interpreter(distribution: Distribution, path: Path, level: int) -> Plan:
    """Writes the zip of `distribution` to `path`, compressed by zstd's `level`, and returns its plan."""
    return write_items(distribution.items, path, level)


def read_file(path: Path, wanted: str) -> bytes | None:
    """The file that the zip at `path` installs at `wanted`; None when it installs none there."""
    with path.open("rb") as file:
        directory = zip_records.read_directory(file, path.stat().st_size)
        plan = parse(zip_records.read_entry(file, directory.entry(ENTRY_NAME)))
        for planned in plan.files:
            if planned.path == wanted:
                content = zip_records.read_entry(file, directory.entry(planned.content.entry))
                return content[planned.content.offset :][: planned.content.size]
    return None
