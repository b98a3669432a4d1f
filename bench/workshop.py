"""Where contestants are built: wheels, virtual environments and tools, everything below one directory."""

from __future__ import annotations

import functools
import importlib.metadata
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import czscie
from bench.interpreter import Interpreter
from bench.measure import Sample, start
from bench.scenarios import Scenario
from czscie.cache import cache_directory
from czscie.errors import Code, CzscieError
from czscie.launchers import build as launchers
from czscie.lift.interpreter import Host, Local
from czscie.platforms import current_launcher
from czscie.scie.inspect import Contents, read_scie

_MANIFEST = """\
[lift]
name = "{name}"
platforms = ["current"]

[[lift.interpreters]]
id = "cpython"
{provider}

[lift.payload]
pex = "{pex}"
"""

#: Nothing packed, nothing left out.
_FILES = """[lift.pack]
stdlib = false
packages = "none"
"""


class LeftOut(Exception):
    """A contestant that does not take part, and why."""


@dataclass(frozen=True)
class Workshop:
    """`directory` is the scratch directory; `scie_jump` a scie-jump for the contestant that needs one."""

    directory: Path
    interpreter: Interpreter
    scenario: Scenario
    scie_jump: Path | None

    def room(self, name: str) -> Path:
        """A directory for the contestant `name` to be built in."""
        room = self.directory / "built" / name
        room.mkdir(parents=True, exist_ok=True)
        return room

    def sandbox(self, name: str) -> Sandbox:
        return Sandbox(self.directory / "sandboxes" / name)

    @functools.cached_property
    def wheels(self) -> Path:
        """The directory of the program's wheels: everybody installs these, from nowhere else."""
        wheels = self.directory / "wheels"
        wheels.mkdir(parents=True)
        if self.scenario.write_wheel is not None:
            self.scenario.write_wheel(wheels)
        if self.scenario.requirements:
            arguments = ("--only-binary", ":all:", "--dest", str(wheels), *self.scenario.requirements)
            _pip(self.interpreter.python, "download", *arguments)
        return wheels

    @property
    def from_wheels(self) -> tuple[str, ...]:
        """The arguments that make pip and shiv install the program from the wheels."""
        return ("--no-index", "--find-links", str(self.wheels), self.scenario.project)

    def make_venv(self, path: Path, *requirements: str) -> Path:
        """The Python of a new virtual environment that holds `requirements`."""
        venv = [str(self.interpreter.python), "-m", "venv", "--without-pip", str(path)]
        _run(venv, self.environment)
        python = path / "bin" / "python"
        if requirements:
            _pip(python, "install", *requirements)
        return python

    def tool(self, name: str) -> Path:
        """The Python of a virtual environment that holds the program and the tool `name` beside it.

        It is the version that is installed where this runs. Raises LeftOut when none is.
        """
        try:
            version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError as error:
            raise LeftOut(f"{name} is not installed (pip install '.[bench]', or {name} itself)") from error
        python = self.make_venv(self.room(name) / "venv", f"{name}=={version}", "pip")
        _pip(python, "install", *self.from_wheels)
        return python

    def build(self, name: str, *command: str) -> tuple[Sample, bytes]:
        """Runs a build in the room of the contestant `name`. Raises CzscieError when it fails."""
        return start(command, self.environment, self.room(name))

    @property
    def environment(self) -> dict[str, str]:
        """Of builds: that of the user without PYTHON… variables, with the caches below `directory`."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        return inherited | {
            "PEX_ROOT": str(self.pex_root),
            "SHIV_ROOT": str(self.directory / "shiv-root"),
            "CZSCIE_CACHE": str(self.build_cache),
            "PYTHONPATH": str(Path(czscie.__file__).parents[1]),
        }

    @property
    def build_cache(self) -> Path:
        return self.directory / "czscie-cache"

    def discard_caches(self) -> None:
        """Makes room for what runs: nothing is built any more."""
        for directory in (self.wheels, self.build_cache, self.directory / "shiv-root"):
            if directory.exists():
                shutil.rmtree(directory)

    @property
    def pex_root(self) -> Path:
        return self.directory / "pex-root"

    @functools.cached_property
    def pex(self) -> tuple[Path, Sample]:
        return self._make_pex("pex")

    @functools.cached_property
    def venv_pex(self) -> tuple[Path, Sample]:
        return self._make_pex("pex-venv", "--venv")

    @functools.cached_property
    def czex(self) -> tuple[Path, Sample]:
        """Our CZEX of the zipapp PEX."""
        output = self.room("czex") / f"{self.scenario.project}.czex"
        self._bring_launcher()
        command = (sys.executable, "-m", "czscie", "inject", str(self.pex[0]), "-o", str(output))
        sample, _ = self.build("czex", *command)
        return output, sample

    def _make_pex(self, name: str, *options: str) -> tuple[Path, Sample]:
        output = self.room(name) / f"{self.scenario.project}.pex"
        python = str(self.interpreter.python)
        # Nothing is resolved: for a new CPython, pex would download a pip first.
        wheels = ("--pre-resolved-dists", str(self.wheels), self.scenario.project)
        command = [sys.executable, "-m", "pex", *wheels, "--python", python]
        command += ["--console-script", self.scenario.script, *options, "--output-file", str(output)]
        sample, _ = self.build(name, *command)
        # pex keeps every wheel there three times: with torch that is eight gigabytes.
        shutil.rmtree(self.pex_root)
        return output, sample

    @functools.cached_property
    def scie(self) -> Scie:
        """Our scie, built with an empty cache (but for the launcher, which czscie brings) and once more."""
        return self._make_scie("czscie", "", "")

    @functools.cached_property
    def scie_of_files(self) -> Scie:
        """Our scie with the whole interpreter and every module a file."""
        return self._make_scie("czscie-files", 'keep = ["all"]\n', _FILES)

    def _make_scie(self, name: str, keep: str, rest: str) -> Scie:
        room = self.room(name)
        pex, _ = self.pex
        provider = f"{_settings(self.interpreter.provider)}\n{keep}"
        manifest = _MANIFEST.format(name=self.scenario.project, provider=provider, pex=pex)
        (room / "lift.toml").write_text(manifest + rest)
        self._bring_launcher()
        command = (sys.executable, "-m", "czscie", "build", "lift.toml", "-o", "dist")
        first, printed = self.build(name, *command)
        second, _ = self.build(name, *command)
        path = room / printed.decode().rsplit("  ", 1)[0]
        return Scie(read_scie(path), first, second)

    def _bring_launcher(self) -> None:
        name = current_launcher()
        cache = cache_directory("launchers")
        found = launchers.find_launcher(name, cache) or launchers.compile_launcher(name, cache, cache)
        target = self.build_cache / "launchers"
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy2(found, target)


@dataclass(frozen=True, slots=True)
class Scie:
    """Our scie, and what its first and its second build took."""

    contents: Contents
    first: Sample
    second: Sample


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The directory that a contestant has to itself when it runs: home, caches and temporary files."""

    directory: Path

    @property
    def environment(self) -> Mapping[str, str]:
        """All that a contestant finds in its environment."""
        places = {
            "HOME": "home",
            "TMPDIR": "tmp",
            "XDG_CACHE_HOME": "cache",
            "PEX_ROOT": "pex",
            "SHIV_ROOT": "shiv",
            "CZSCIE_BASE": "czscie",
            "SCIE_BASE": "nce",
        }
        return {
            "PATH": "/usr/bin:/bin",
            "LANG": "C.UTF-8",
            **{variable: str(self.directory / name) for variable, name in places.items()},
        }

    def clear(self) -> None:
        """Deletes whatever this contestant and the others have left, and lets the disk finish with it.

        So the disk has to hold one installation at a time.
        """
        if self.directory.parent.exists():
            shutil.rmtree(self.directory.parent)
        for name in ("home", "tmp", "cache"):
            (self.directory / name).mkdir(parents=True)
        os.sync()


def _settings(provider: Host | Local) -> str:
    """What a lift manifest says of the interpreter that it wants."""
    if isinstance(provider, Host):
        return 'provider = "Host"'
    return f'provider = "Local"\npath = "{provider.path}"'


def _pip(python: Path, *arguments: str) -> None:
    """Runs the pip that is installed here on behalf of `python`."""
    command = [sys.executable, "-m", "pip", "--python", str(python), "--quiet", "--no-input"]
    _run([*command, "--disable-pip-version-check", *arguments], dict(os.environ))


def _run(command: list[str], environment: Mapping[str, str]) -> None:
    done = subprocess.run(
        command, env=dict(environment), stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if done.returncode != 0:
        raise CzscieError(
            f"{' '.join(command[:4])} … ended with {done.returncode}",
            code=Code.PROGRAM_FAILED,
            why=done.stderr.strip().splitlines()[-5:],
        )
