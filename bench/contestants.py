"""Who takes part: each is built from the same wheels and the same CPython, and says how it is started."""

from __future__ import annotations

import json
import os
import shutil
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench import limit
from bench.measure import Sample, start
from bench.workshop import LeftOut, Sandbox, Workshop
from czscie.errors import Code, CzscieError

OURS = "czscie"
CZEX = "czex"
#: The version of its crate.
_PYAPP = "0.29.0"


@dataclass(frozen=True, slots=True)
class Entrant:
    """A contestant that is built. `size` is the bytes of what would be shipped; `builds` what building took.

    `needs_python` says that the host has to have a CPython besides. `states` are the starts it takes part
    in, and `output` is part of what every start prints.
    """

    name: str
    description: str
    command: tuple[str, ...]
    size: int
    output: str
    needs_python: bool = False
    states: tuple[str, ...] = ("cold", "warm")
    builds: tuple[tuple[str, Sample], ...] = ()


@dataclass(frozen=True, slots=True)
class Start:
    """One kind of start of an entrant, `times` a turn: cold ones find none of its caches."""

    entrant: Entrant
    sandbox: Sandbox
    cold: bool
    times: int = 1

    @property
    def name(self) -> str:
        return self.entrant.name

    def prepare(self) -> None:
        if self.cold or not self.sandbox.directory.exists():
            self.sandbox.clear()

    def run(self) -> Sample:
        sample, printed = start(self.entrant.command, self.sandbox.environment, self.sandbox.directory)
        if self.entrant.output not in printed.decode(errors="replace"):
            raise CzscieError(
                f"{self.name} did not print {self.entrant.output!r}",
                code=Code.PROGRAM_FAILED,
                why=repr(printed[:200]),
            )
        if self.cold:
            os.sync()  # a warm start follows, which is not to wait for the disk
        return sample


def _ours(shop: Workshop) -> Entrant:
    scie = shop.scie
    return Entrant(
        OURS,
        "our scie",
        (str(scie.contents.path), *shop.scenario.arguments),
        scie.contents.size,
        shop.scenario.output,
        builds=(("empty cache", scie.first), ("second time", scie.second)),
    )


def _ours_of_files(shop: Workshop) -> Entrant:
    scie = shop.scie_of_files
    return Entrant(
        "czscie-files",
        "our scie, nothing packed or left out",
        (str(scie.contents.path), *shop.scenario.arguments),
        scie.contents.size,
        shop.scenario.output,
    )


def _czex(shop: Workshop) -> Entrant:
    path, built = shop.czex
    return _pex_entrant(shop, CZEX, "our CZEX of the zipapp PEX", path, built)


def _pex(shop: Workshop) -> Entrant:
    return _pex_entrant(shop, "pex", "zipapp PEX", *shop.pex)


def _venv_pex(shop: Workshop) -> Entrant:
    return _pex_entrant(shop, "pex-venv", "PEX made with --venv", *shop.venv_pex)


def _pex_entrant(shop: Workshop, name: str, description: str, path: Path, built: Sample) -> Entrant:
    return Entrant(
        name,
        description,
        (str(shop.interpreter.python), str(path), *shop.scenario.arguments),
        path.stat().st_size,
        shop.scenario.output,
        needs_python=True,
        builds=(("", built),),
    )


def _venv(shop: Workshop) -> Entrant:
    room = shop.room("venv") / "venv"
    python = shop.make_venv(room, *shop.from_wheels)
    return Entrant(
        "venv",
        "plain virtual environment",
        (str(python), "-m", shop.scenario.module, *shop.scenario.arguments),
        _size(room),
        shop.scenario.output,
        needs_python=True,
        states=("warm",),
    )


def _shiv(shop: Workshop) -> Entrant:
    python = shop.tool("shiv")
    output = shop.room("shiv") / f"{shop.scenario.project}.pyz"
    command = ("-m", "shiv", "-c", shop.scenario.script, "-o", str(output), *shop.from_wheels)
    built, _ = shop.build("shiv", str(python), *command)
    return Entrant(
        "shiv",
        "shiv's zipapp",
        (str(shop.interpreter.python), str(output), *shop.scenario.arguments),
        output.stat().st_size,
        shop.scenario.output,
        needs_python=True,
        builds=(("", built),),
    )


def _pyinstaller(shop: Workshop) -> Entrant:
    python = shop.tool("pyinstaller")
    room = shop.room("pyinstaller")
    command = [str(python), "-m", "PyInstaller", "--onefile", "--name", shop.scenario.project]
    for package in shop.scenario.data_packages:
        command += ["--collect-data", package]
    built, _ = shop.build("pyinstaller", *command, str(_write_script(shop, room)))
    return _one_file(
        shop, "pyinstaller", "PyInstaller --onefile", room / "dist" / shop.scenario.project, built
    )


def _nuitka(shop: Workshop) -> Entrant:
    python = shop.tool("nuitka")
    room = shop.room("nuitka")
    output = room / f"{shop.scenario.project}.bin"
    command = [str(python), "-m", "nuitka", "--onefile", "--assume-yes-for-downloads"]
    command += ["--onefile-tempdir-spec={CACHE_DIR}/bench/" + shop.scenario.project]
    command += [f"--include-package-data={package}" for package in shop.scenario.data_packages]
    command += [f"--output-dir={room}", f"--output-filename={output.name}"]
    built, _ = shop.build("nuitka", *command, str(_write_script(shop, room)))
    return _one_file(shop, "nuitka", "Nuitka --onefile, cached", output, built)


def _pyapp(shop: Workshop) -> Entrant:
    """PyApp with the CPython and the wheel in it; its first start installs them with pip."""
    if shutil.which("cargo") is None:
        raise LeftOut("there is no cargo, which compiles PyApp")
    wheels = list(shop.wheels.iterdir())
    if len(wheels) > 1:
        raise LeftOut("PyApp contains one wheel, and its first start downloads what that requires")
    room = shop.room("pyapp")
    archive = room / "cpython.tar.gz"
    _write_archive(shop.interpreter.root, archive)
    settings = {
        "PYAPP_PROJECT_PATH": wheels[0],
        "PYAPP_EXEC_SPEC": shop.scenario.function,
        "PYAPP_DISTRIBUTION_PATH": archive,
        "PYAPP_DISTRIBUTION_PYTHON_PATH": f"python/{_path_of_python(shop)}",
        "PYAPP_PIP_EXTRA_ARGS": "--no-index",
    }
    command = ["/usr/bin/env", *(f"{name}={value}" for name, value in settings.items())]
    command += ["cargo", "install", "--quiet", "--locked", "--root", str(room), f"pyapp@{_PYAPP}"]
    built, _ = shop.build("pyapp", *command)
    return _one_file(shop, "pyapp", f"PyApp {_PYAPP}, CPython and wheel in it", room / "bin/pyapp", built)


def _write_script(shop: Workshop, room: Path) -> Path:
    """The console script of the scenario, as a file."""
    module, _, function = shop.scenario.function.partition(":")
    script = room / "start.py"
    script.write_text(f"from {module} import {function}\n\n{function}()\n")
    return script


#: What the binding of a PEX's scie does: it is run in the installed PEX and says where that is.
_BINDING = """\
import os, sys
with open(os.environ["SCIE_BINDING_ENV"], "w") as env:
    env.write(f"PYTHON={sys.executable}\\nPEX={sys.prefix}\\n")
"""


def _scie_jump(shop: Workshop) -> Entrant:
    """A scie of scie-jump around a `--venv` PEX, as `pex --scie eager --venv` has science make it."""
    if shop.scie_jump is None:
        raise LeftOut("no scie-jump was given (--scie-jump PATH)")
    room = shop.room("scie-jump")
    pex, _ = shop.venv_pex
    archive = room / "cpython.tar.gz"
    _write_archive(shop.interpreter.root, archive)
    (room / "configure-binding.py").write_text(_BINDING)
    payload = room / "app.pex"
    payload.unlink(missing_ok=True)
    os.link(pex, payload)
    python = f"{{cpython.tar.gz}}/python/{_path_of_python(shop)}"
    configure = {
        "exe": python,
        "args": ["{app.pex}", "{configure-binding.py}"],
        "env": {"=PATH": None, "=PEX_INTERPRETER": "1"},
    }
    command = {
        "exe": "{scie.bindings.configure:PYTHON}",
        "args": ["{scie.bindings.configure:PEX}"],
        "env": {"=__PEX_EXE__": "{scie}", "=__PEX_ENTRY_POINT__": "{scie.bindings.configure:PEX}"},
    }
    manifest = {
        "name": shop.scenario.project,
        "files": [
            {"name": archive.name},
            {"name": "configure-binding.py"},
            {"name": payload.name, "executable": True},
        ],
        "boot": {"commands": {"": command}, "bindings": {"configure": configure}},
    }
    (room / "lift.json").write_text(json.dumps({"scie": {"lift": manifest}}))
    built, _ = shop.build("scie-jump", str(shop.scie_jump), "lift.json")
    return _one_file(shop, "scie-jump", "scie-jump with a --venv PEX", room / shop.scenario.project, built)


def _path_of_python(shop: Workshop) -> Path:
    return shop.interpreter.python.relative_to(shop.interpreter.root)


def _write_archive(root: Path, path: Path) -> None:
    """The interpreter as python-build-standalone ships it."""

    def without_bytecode(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
        return None if "__pycache__" in member.name else member

    with tarfile.open(path, "w:gz") as archive:
        archive.add(root, "python", filter=without_bytecode)


def _one_file(shop: Workshop, name: str, description: str, path: Path, built: Sample) -> Entrant:
    """An entrant that brings its own CPython."""
    return Entrant(
        name,
        description,
        (str(path), *shop.scenario.arguments),
        path.stat().st_size,
        shop.scenario.output,
        builds=(("", built),),
    )


def _limit(shop: Workshop) -> Entrant:
    return _limit_entrant(shop, "limit", 1)


def _limit_threads(shop: Workshop) -> Entrant:
    return _limit_entrant(shop, "limit-threads", os.cpu_count() or 1)


def _limit_entrant(shop: Workshop, name: str, threads: int) -> Entrant:
    room = shop.room("limit")
    listing, program = room / "list", room / "limit"
    totals = limit.write_list(shop.scie.contents, listing)
    if not program.exists():
        limit.compile_limit(room)
    many = f"{threads} thread{'' if threads == 1 else 's'}"
    return Entrant(
        name,
        f"writes {totals.files} files into {totals.directories} directories, {many}",
        (str(program), str(listing), str(shop.sandbox(name).directory / "tree"), str(threads)),
        totals.size,
        "",
        states=("cold",),
    )


def _size(directory: Path) -> int:
    """The bytes of the files below `directory`, links not followed."""
    return sum(path.lstat().st_size for path in directory.rglob("*") if not path.is_dir())


Build = Callable[[Workshop], Entrant]

#: In the order of the tables; who is slow to build takes part only when it is named.
CONTESTANTS: dict[str, Build] = {
    OURS: _ours,
    "czscie-files": _ours_of_files,
    CZEX: _czex,
    "pex": _pex,
    "pex-venv": _venv_pex,
    "scie-jump": _scie_jump,
    "shiv": _shiv,
    "pyinstaller": _pyinstaller,
    "nuitka": _nuitka,
    "pyapp": _pyapp,
    "venv": _venv,
    "limit": _limit,
    "limit-threads": _limit_threads,
}
SLOW = ("nuitka", "pyapp")
