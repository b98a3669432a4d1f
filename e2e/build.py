"""`czscie build`, run as a user runs it: in a process of its own, on a manifest in a directory of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from e2e import debian
from e2e.mirror.release import TAG
from e2e.pexes import Recipe


@dataclass(frozen=True, slots=True)
class Scie:
    """What to build: one PEX on one CPython (`3.13`) for one platform. `pack` is TOML: `lift.pack`. `libc` is
    when the C library that comes along is used, if one does.
    """

    recipe: Recipe
    python: str
    platform: str = "linux-x86_64"
    entry_point: str | None = None
    pack: str = ""
    libc: str | None = None

    @property
    def name(self) -> str:
        return self.recipe.name

    def manifest(self, pex: Path) -> str:
        libc = ""
        if self.libc is not None:
            libc = f'\n[lift.libc]\nbundle = "{self.libc}"\npackages = "{debian.table()}"\n'
        entry_point = "" if self.entry_point is None else f'entry_point = "{self.entry_point}"\n'
        return f"""\
[lift]
name = "{self.name}"
platforms = ["{self.platform}"]
compression_level = 1

[[lift.interpreters]]
id = "cpython"
provider = "PythonBuildStandalone"
release = "{TAG}"
version = "{self.python}"
flavor = "install_only_stripped"

[lift.payload]
pex = "{pex}"
{entry_point}
[lift.pack]
{self.pack}
{libc}"""


@dataclass(frozen=True, slots=True)
class Builder:
    """Where builds get their interpreters and keep their cache, and the Python that runs czscie."""

    mirror_url: str
    cache: Path
    python: str | Path = sys.executable

    def settings(self) -> dict[str, str]:
        """Variables of the environment."""
        return {
            "CZSCIE_PBS_URL": self.mirror_url,
            "CZSCIE_PBS_DIGESTS": "none",
            "CZSCIE_CACHE": str(self.cache),
        }

    def run(
        self,
        *arguments: str | Path,
        directory: Path,
        prefix: Sequence[str | Path] = (),
        environment: Mapping[str, str] | None = None,
        command: str = "build",
    ) -> subprocess.CompletedProcess[str]:
        """Run `czscie build`, or another `command`; `prefix` is a command that starts it."""
        source = Path(__file__).parent.parent / "src"
        path = os.pathsep.join([str(source), *filter(None, [os.environ.get("PYTHONPATH")])])
        return subprocess.run(
            [*prefix, self.python, "-m", "czscie", command, *arguments],
            env={**os.environ, **self.settings(), "PYTHONPATH": path, **(environment or {})},
            cwd=directory,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
        )

    def build(
        self,
        scie: Scie,
        pex: Path,
        directory: Path,
        prefix: Sequence[str | Path] = (),
        environment: Mapping[str, str] | None = None,
    ) -> Path:
        """Build one scie in `directory`, which is made, and return its path."""
        directory.mkdir(parents=True)
        (directory / "lift.toml").write_text(scie.manifest(pex))
        done = self.run(
            "lift.toml", "-o", "dist", directory=directory, prefix=prefix, environment=environment
        )
        assert done.returncode == 0, f"czscie build failed ({done.returncode}):\n{done.stderr}{done.stdout}"
        (built,) = read_results(done.stdout)
        return directory / built.path


@dataclass(frozen=True, slots=True)
class Result:
    """One line of a build's standard output."""

    path: Path
    sha256: str


def read_results(stdout: str) -> list[Result]:
    """The standard output of a build: one line a file, path, two spaces, SHA-256."""
    results = []
    for line in stdout.splitlines():
        match = re.fullmatch(r"(.+)  ([0-9a-f]{64})", line)
        assert match is not None, f"not a line of results: {line!r}"
        results.append(Result(Path(match[1]), match[2]))
    return results
