"""What a run ran on; figures mean nothing without it."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Machine:
    """`load` is the load average of the last minute, before the run and after it."""

    system: str
    cores: int
    file_system: str
    load: tuple[float, float]

    @classmethod
    def find(cls, directory: Path, load_before: float) -> Machine:
        """This machine, and the file system that `directory` lies on."""
        return cls(
            system=f"{platform.system()} {platform.release()} {platform.machine()}",
            cores=os.cpu_count() or 1,
            file_system=_file_system(directory.resolve()),
            load=(load_before, os.getloadavg()[0]),
        )

    def __str__(self) -> str:
        before, after = self.load
        return (
            f"{self.system}, {self.cores} cores, {self.file_system}, "
            f"load {before:.1f} before and {after:.1f} after"
        )


def _file_system(directory: Path) -> str:
    """Its type, where the system tells (proc(5))."""
    try:
        mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    except OSError:
        return "unknown file system"
    best = ("", "unknown file system")
    for line in mounts:
        place = line.split()[4]
        if directory.is_relative_to(place) and len(place) >= len(best[0]):
            best = (place, line.partition(" - ")[2].split()[0])
    return best[1]
