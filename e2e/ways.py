"""Where situations run: a plain virtual environment, an executable and a CZEX of the same wheels."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from packaging.utils import canonicalize_name

from czscie.czex.inject import Compression, inject
from e2e import pexes
from e2e.build import Builder, Scie
from e2e.cache import cache_directory, cached
from e2e.pexes import Recipe
from e2e.situation import CONSTRAINTS, Case, Situation, read_situations
from interrupts import take_interrupts
from scie.factories import launcher_of

_SECONDS = 60

#: The frames of tracebacks that are outside the situation: the script's, and those of the PEX's start.
_START_FRAMES = re.compile(
    r'^  File "(\{program\}|\{prefix\}/__main__\.py|[^"]*/czscie_boot\.py)", line .*\n(    .*\n)*',
    re.MULTILINE,
)

#: Where root's applications are installed, for one command alone (unshare(1)).
_OWN_CACHE = (
    *("unshare", "--mount", "sh", "-c"),
    'mount -t tmpfs -o mode=755 cache /var/cache && exec "$@"',
    "sh",
)

#: As pip writes it.
_SCRIPT = """\
#!{python}
import sys
from {module} import {function}
if __name__ == "__main__":
    sys.exit({function}())
"""
_ASK = "import json, sys; print(json.dumps([sys.prefix, sys.base_prefix, sys.path]))"


@dataclass(frozen=True, slots=True)
class Payload:
    """What the situations of one set install: wheels, all that they require among them, and sources."""

    names: tuple[str, ...]
    requires: frozenset[str]
    wheels: Path
    sources: Path

    @classmethod
    def write(cls, situations: Sequence[Situation], directory: Path) -> Payload:
        wheels, sources = directory / "wheels", directory / "sources"
        wheels.mkdir(parents=True)
        sources.mkdir()
        for situation in situations:
            situation.write_wheels(wheels)
            if situation.sources is not None:
                shutil.copytree(situation.sources, sources, dirs_exist_ok=True)
        names = tuple(situation.name for situation in situations)
        requires = frozenset(each for situation in situations for each in situation.requires)
        return cls(names, requires, wheels, sources)

    def make_environment(self, python: Path, directory: Path) -> Path:
        """A plain virtual environment with everything in it; the path of its Python."""
        environment = make_environment(self.names, self.wheels, self.requires, python, directory)
        site_packages = _ask([environment], {})[2][-1]
        shutil.copytree(self.sources, site_packages, dirs_exist_ok=True)
        return environment

    def make_pex(self, pythons: Sequence[Path], directory: Path) -> Path:
        """The same as a PEX for all these CPythons."""
        pex = directory / "situations.pex"
        return make_pex(self.names, self.wheels, self.requires, pythons, pex, self.sources)


def make_environment(
    names: Iterable[str], wheels: Path, requires: Iterable[str], python: Path, directory: Path
) -> Path:
    """A virtual environment with the distributions `names` of the directory `wheels`; the path of its Python.

    `requires` is what they require of the index.
    """
    subprocess.run([python, "-m", "venv", "--without-pip", directory], check=True)
    environment = directory / "bin/python"
    command: list[str | Path] = [sys.executable, "-m", "pip", "--python", environment, "install"]
    command += ["--quiet", "--no-index"]
    _succeed([*command, *_find_links(wheels, requires, [python]), *names])
    return environment


def make_pex(
    names: Iterable[str],
    wheels: Path,
    requires: Iterable[str],
    pythons: Sequence[Path],
    pex: Path,
    sources: Path | None = None,
) -> Path:
    """The same as a PEX for all these CPythons, and its path."""
    command: list[str | Path] = [sys.executable, "-m", "pex", *names, "-o", pex]
    command += ["--jobs", "1", "--venv", "--no-pypi"]
    command += [] if sources is None else ["--sources-directory", sources]
    for python in pythons:
        command += ["--python", python]
    # pex takes a pip from the index for these CPythons once, and here the index is out of reach.
    pexes.make_pex(pexes.COWSAY, [*pythons])
    settings = {"PEX_ROOT": str(cache_directory() / "pex-root")}
    _succeed([*command, *_find_links(wheels, requires, pythons)], settings)
    return pex


def _find_links(wheels: Path, requires: Iterable[str], pythons: Iterable[Path]) -> list[str | Path]:
    """The arguments with which pip and pex find every wheel and ask no index."""
    found: list[str | Path] = ["--find-links", wheels]
    wanted = sorted({*requires})
    for python in pythons if wanted else ():
        found += ["--find-links", download_wheels(python, wanted)]
    return found


def download_wheels(python: Path, requires: Sequence[str]) -> Path:
    """The wheels of these requirements and of theirs, for one CPython; kept between runs.

    The versions are those of `constraints.txt`, except for what `requires` itself pins.
    """
    pinned = {canonicalize_name(each.partition("==")[0]) for each in requires if "==" in each}
    lines = CONSTRAINTS.read_text().splitlines()
    constraints = [line for line in lines if canonicalize_name(line.partition("==")[0]) not in pinned]

    def download(out: Path) -> None:
        out.mkdir()
        file = out / "constraints.txt"
        file.write_text("\n".join(constraints))
        command: list[str | Path] = [sys.executable, "-m", "pip", "--python", python, "download"]
        command += ["--quiet", "--dest", out]
        _succeed([*command, "--only-binary", ":all:", "--constraint", file, *requires])
        file.unlink()

    return cached("situations-wheels", [*constraints, str(python), *requires], download)


@dataclass(frozen=True, slots=True)
class Way:
    """One way to start the situations of a set: `command` starts the PEX, or the environment's Python.

    `roots` are the directories that differ between the ways, and what stands for them.
    """

    command: tuple[str, ...]
    base: Path
    plain: bool
    roots: tuple[tuple[str, str], ...]
    minor: str

    @classmethod
    def find(cls, command: Sequence[str | Path], base: Path, minor: str, *, plain: bool) -> Way:
        words = tuple(map(str, command))
        variables = (
            {"CZSCIE_BASE": str(base)} if plain else {"CZSCIE_BASE": str(base), "PEX_INTERPRETER": "1"}
        )
        prefix, base_prefix, _ = _ask(words, variables)
        return cls(words, base, plain, ((prefix, "{prefix}"), (base_prefix, "{base}")), minor)

    def _variables(self, situation: Situation) -> dict[str, str]:
        """What chooses the situation among all that are in the PEX."""
        if self.plain:
            return {}
        wanted = situation.description
        base = {} if wanted.root else {"CZSCIE_BASE": str(self.base)}
        if wanted.script is not None:
            return {**base, "PEX_SCRIPT": wanted.script}
        return {**base, "PEX_MODULE": situation.entry or wanted.module or ""}

    def _start(self, situation: Situation, scratch: Path) -> list[str]:
        """The command that starts a situation, without its arguments."""
        wanted = situation.description
        *python, program = self.command
        if not self.plain:
            # What it was started as is in sys.argv[0], and in usages.
            named = scratch / "start" / situation.name
            named.parent.mkdir()
            named.hardlink_to(program)
            return [*python, str(named)]
        if wanted.module is not None:
            return [program, "-m", wanted.module]
        script = Path(program).with_name(wanted.script or situation.name)
        if situation.entry is not None:
            module, _, function = situation.entry.partition(":")
            script.write_text(_SCRIPT.format(python=program, module=module, function=function))
            script.chmod(0o755)
        return [str(script)]

    def run(self, case: Case, scratch: Path) -> str:
        """Everything that the situation prints, and its exit statuses where they are not 0.

        It runs in `scratch/here`, with nothing of this process's environment. In its PATH is a program of
        the situation's own name that starts it again.
        """
        situation = case.situation
        here, home, programs = (scratch / name for name in ("here", "home", "bin"))
        home.mkdir()
        programs.mkdir()
        if situation.here.exists():
            shutil.copytree(situation.here, here)
        else:
            here.mkdir()
        command = self._start(situation, scratch)
        namespace = _OWN_CACHE if situation.description.root else ()
        _write_program(
            programs / situation.name, [*namespace, "env", *_set(self._variables(situation)), *command]
        )
        environment = {
            "PATH": f"{programs}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin",
            "HOME": str(home),
            "LC_ALL": "C.UTF-8",
            "TMPDIR": str(scratch),
            **situation.description.environment,
        }
        printed = [
            self._run_once(programs / situation.name, words, situation, environment, here)
            for words in situation.description.runs
        ]
        roots = [(str(scratch), "{scratch}")]
        if situation.description.module is None:
            roots.append((command[-1], "{program}"))
        return self._normalise("".join(printed), roots)

    def _run_once(
        self,
        program: Path,
        arguments: Sequence[str],
        situation: Situation,
        environment: dict[str, str],
        here: Path,
    ) -> str:
        process = subprocess.Popen(
            [program, *arguments],
            env=environment,
            cwd=here,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="backslashreplace",
            start_new_session=True,
            preexec_fn=take_interrupts,
        )
        try:
            stdout, stderr = process.communicate(situation.description.stdin, timeout=_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            stdout, stderr = process.communicate()
            stderr += f"not ended after {_SECONDS} seconds\n"
        title = f"$ {shlex.join([situation.name, *arguments])}\n"
        stderr = f"--- stderr\n{stderr}" if stderr else ""
        status = f"--- exit {process.returncode}\n" if process.returncode else ""
        return f"{title}{stdout}{stderr}{status}"

    def _normalise(self, text: str, roots: Sequence[tuple[str, str]]) -> str:
        """Paths and addresses, which differ from run to run, replaced by words."""
        for path, word in sorted([*self.roots, *roots], key=lambda root: -len(root[0])):
            text = text.replace(path, word)
        text = text.replace(f"python{self.minor}", "pythonX")
        return re.sub(r"0x[0-9a-f]{6,}", "0x…", _START_FRAMES.sub("", text))


class Ways:
    """The ways of all sets, each made below `directory` when it is asked for."""

    def __init__(self, pythons: Mapping[str, Path], builder: Builder, directory: Path) -> None:
        self._pythons = pythons
        self._builder = builder
        self._directory = directory

    def of(self, case: Case) -> Way:
        return self._make(case.situation.description.set, case.python, case.way)

    @cache  # noqa: B019 (it lives as long as the tests)
    def _make(self, of_set: str, python: str, way: str) -> Way:
        base = self._directory / f"{of_set}-base"
        if way == "venv":
            directory = self._directory / f"{of_set}-{python}"
            command = [self._payload(of_set).make_environment(self._python(of_set, python), directory)]
        elif way == "czex":
            command = [self._python(of_set, python), self._czex(of_set)]
        else:
            command = [self._scie(of_set, python)]
        return Way.find(command, base, python, plain=way == "venv")

    @cache  # noqa: B019
    def _python(self, of_set: str, python: str) -> Path:
        """A CPython; where a situation is somebody else than root, one that everybody can read."""
        found = self._pythons[python]
        if not any(each.description.root for each in read_situations(of_set)):
            return found
        copy = self._directory / f"cpython-{python}"
        shutil.copytree(found.parents[1], copy, symlinks=True)
        return copy / "bin" / found.name

    @cache  # noqa: B019
    def _payload(self, of_set: str) -> Payload:
        return Payload.write(read_situations(of_set), self._directory / of_set)

    @cache  # noqa: B019
    def _pex(self, of_set: str) -> Path:
        used = {python for each in read_situations(of_set) for python in each.description.pythons}
        pythons = [path for minor, path in self._pythons.items() if minor in used]
        return self._payload(of_set).make_pex(pythons, self._directory / of_set)

    @cache  # noqa: B019
    def _czex(self, of_set: str) -> Path:
        czex = self._directory / of_set / "situations.czex"
        inject(self._pex(of_set), czex, (), launcher_of, Compression(1))
        return czex

    def _scie(self, of_set: str, python: str) -> Path:
        scie = Scie(Recipe("situations", ()), python)
        return self._builder.build(scie, self._pex(of_set), self._directory / of_set / python)


def _set(variables: Mapping[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in variables.items()]


def _write_program(path: Path, command: Sequence[str]) -> None:
    path.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
    path.chmod(0o755)


def _ask(command: Sequence[str | Path], variables: dict[str, str]) -> list[str]:
    done = subprocess.run(
        [*command, "-c", _ASK], env=variables, stdout=subprocess.PIPE, text=True, check=True, timeout=_SECONDS
    )
    told: list[str] = json.loads(done.stdout)
    return told


def _succeed(command: Sequence[str | Path], variables: dict[str, str] | None = None) -> None:
    environment = {**os.environ, **(variables or {})}
    done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 0, f"{command[:4]} failed:\n{done.stderr}{done.stdout}"
