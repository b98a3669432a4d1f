"""A CPython of this machine copied twice, once with its standard library packed: to compare the two."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from czscie.container.content import Data, File, Link
from czscie.container.tree import Item
from czscie.lift.pack import PackSettings
from czscie.pack.compiler import Compiler
from czscie.pack.standard_library import pack_library
from czscie.pbs.distribution import Distribution, detect_layout
from czscie.pbs.local import read_directory
from czscie.platforms import current_platform

#: What is installed beside CPython, and what is there to link with it.
_LEFT_OUT = re.compile(r"(include|share|lib/pkgconfig|lib/python[^/]*/config-[^/]*)/.*|.*\.a")
_INSTALLED = re.compile(r"lib/python[^/]*/site-packages/.*|bin/(?!python).*")


@dataclass(frozen=True, slots=True)
class Twins:
    """Two CPythons that differ in nothing but that the modules of one are packed."""

    files: Path
    packed: Path
    minor_version: str


def copy_twice(python: Path, directory: Path, *, source: bool = True) -> Twins:
    """Copies the installation of `python` into `directory`, which is made: `files/` and `packed/`."""
    items = read_installation(python)
    layout = detect_layout(items, str(python), _version(python))
    whole = Distribution(current_platform(), layout, items, None)
    unpack(whole, directory / "files")
    executable = directory / "files" / layout.python
    compiler = Compiler.probe(executable, str(executable))
    assert compiler is not None, f"{executable} does not start"
    unpack(pack_library(whole, compiler, PackSettings(source=source)).distribution, directory / "packed")
    return Twins(executable, directory / "packed" / layout.python, layout.implementation.minor_version)


def read_installation(python: Path) -> tuple[Item, ...]:
    """The items of the installation of `python` without what was installed into it."""
    found = []
    for item in read_directory(python.resolve().parent.parent):
        if not _LEFT_OUT.fullmatch(item.path) and not _INSTALLED.fullmatch(item.path):
            found.append(item)
    site_packages = f"lib/{python.resolve().name}/site-packages/README.txt"
    found.append(File(site_packages, Data(b"Packages that are installed go here.\n")))
    return tuple(sorted(found, key=lambda item: item.path))


def unpack(distribution: Distribution, root: Path) -> None:
    """Writes the items to `root`, which is made."""
    for item in distribution.items:
        path = root / item.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(item, Link):
            path.symlink_to(item.target)
        else:
            path.write_bytes(item.content.read())
            path.chmod(0o755 if item.executable else 0o644)


def _version(python: Path) -> str:
    tell = "import json, platform; print(json.dumps(platform.python_version()))"
    version: str = json.loads(subprocess.check_output([python, "-I", "-c", tell]))
    return version
