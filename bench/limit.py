"""The limit of a cold start: a native loop that only writes what the installation of our scie consists of."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from czscie.cache import cache_directory
from czscie.errors import Code, CzscieError
from czscie.launchers.build import TARGETS
from czscie.platforms import current_launcher
from czscie.scie.inspect import Contents, PartContents

_SOURCE = Path(__file__).with_name("limit.zig")


@dataclass(frozen=True, slots=True)
class Totals:
    """What an installation consists of; `size` is the bytes of its files."""

    files: int
    directories: int
    size: int


def compile_limit(directory: Path) -> Path:
    """The program, compiled into `directory`. Raises CzscieError when ziglang is missing or fails."""
    program = directory / "limit"
    cache = cache_directory("launchers") / "zig"
    command = [sys.executable, "-m", "ziglang", "build-exe", str(_SOURCE), "-O", "ReleaseFast"]
    command += ["-target", TARGETS[current_launcher()], f"-femit-bin={program}"]
    command += ["--cache-dir", str(cache), "--global-cache-dir", str(cache)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        raise CzscieError(
            "limit.zig does not compile", code=Code.PROGRAM_FAILED, why=done.stderr.strip().splitlines()[:20]
        )
    return program


def write_list(contents: Contents, path: Path) -> Totals:
    """Writes to `path` the list for the program: every installation of the scie below one directory."""
    files = directories = size = 0
    with path.open("w", encoding="utf-8", errors="surrogateescape") as output:
        for number, part in enumerate(contents.parts):
            output.write(f"dir\t{number}\n")
            for directory in sorted(_directories(part)):
                output.write(f"dir\t{number}/{directory}\n")
                directories += 1
            for file in part.plan.files:
                output.write(f"file\t{file.content.size}\t{number}/{file.path}\n")
                files += 1
                size += file.content.size
            for link in part.plan.links:
                output.write(f"link\t{link.target}\t{number}/{link.path}\n")
    return Totals(files, directories + len(contents.parts), size)


def _directories(part: PartContents) -> set[str]:
    """Every directory of an installation but its own."""
    plan = part.plan
    found = set(plan.directories)
    for path in (*plan.directories, *(f.path for f in plan.files), *(link.path for link in plan.links)):
        found.update(str(parent) for parent in PurePosixPath(path).parents)
    return found - {"."}
