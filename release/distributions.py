"""The source distribution, and the wheel with the launchers of all platforms."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from czscie.cache import cache_directory
from czscie.errors import Code, CzscieError
from czscie.launchers.build import all_programs, compile_launcher, find_launcher
from czscie.leftovers import directory_beside


@dataclass(frozen=True, slots=True)
class Distributions:
    """The two files that a package index takes."""

    sdist: Path
    wheel: Path


def compile_programs() -> tuple[Path, ...]:
    """All launchers and fetchers as files, compiled unless they are in the cache. Raises CzscieError."""
    cache = cache_directory("launchers")
    return tuple(
        find_launcher(program, cache) or compile_launcher(program, cache, cache) for program in all_programs()
    )


def build_distributions(checkout: Path, programs: Iterable[Path], out: Path) -> Distributions:
    """Builds the source distribution of `checkout`, and from it the wheel with `programs`, into `out`.

    Both have the same bytes whenever the files are the same. Raises CzscieError.
    """
    out.mkdir(parents=True, exist_ok=True)
    with directory_beside(out) as directory:
        sdist = _build("sdist", checkout, directory / "sdist")
        with tarfile.open(sdist) as archive:
            archive.extractall(directory, filter="data")
        source = directory / sdist.name.removesuffix(".tar.gz")
        for program in programs:
            shutil.copyfile(program, source / "src/czscie/launchers" / program.name)
        wheel = _build("wheel", source, directory / "wheel")
        return Distributions(*(path.replace(out / path.name) for path in (sdist, wheel)))


def _build(target: str, source: Path, directory: Path) -> Path:
    """Runs hatchling, and returns the file that it wrote into the new `directory`."""
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", directory],
        cwd=source,
        # hatchling's own time for reproducible builds counts, not that of whoever runs this.
        env={name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"}
        | {"CZSCIE_LAUNCHERS": "all"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise CzscieError(
            f"hatchling cannot build the {target} of czscie",
            code=Code.PROGRAM_FAILED,
            why=(done.stderr or done.stdout).splitlines(),
        )
    [path] = directory.iterdir()
    return path
