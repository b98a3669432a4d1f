"""What the trees of PBS's archives have in common, wherever the compiled parts come from."""

from __future__ import annotations

import re
import shutil
import tarfile
import zipfile
from pathlib import Path

from e2e.mirror.apt import AptError

#: What PBS's install_only has not (pythonbuild/cpython.py: STDLIB_TEST_PACKAGES).
_TEST_PACKAGES = (
    *("ctypes/test", "distutils/tests", "email/test", "idlelib/idle_test", "json/tests"),
    *("lib2to3/tests", "sqlite3/test", "test", "tkinter/test", "unittest/test"),
)

#: What PBS's build leaves as the first lines of a script (cpython-unix/build-cpython.sh: fix_shebangs.py).
_SHEBANG = """#!/bin/sh
'''exec' "$(dirname -- "$(realpath -- "$0")")/python{minor}" "$0" "$@"
' '''
"""

_PIP = """import sys
from pip._internal.cli.main import main
if __name__ == '__main__':
    sys.exit(main())
"""


def unpack_source(tarball: Path, target: Path, wanted: tuple[str, ...] = ("",)) -> None:
    """The files of a source tarball whose path, without the top directory, starts with one of `wanted`."""
    with tarfile.open(tarball) as archive:
        for member in archive:
            name = member.name.partition("/")[2]
            content = archive.extractfile(member) if member.isfile() else None
            if content is not None and name.startswith(wanted):
                path = target / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content.read())
                path.chmod(member.mode | 0o644)


def source_version(source: Path) -> str:
    """The full version, `3.11.2`, of a tree of CPython's sources. Raises AptError when it is none."""
    text = (source / "Include/patchlevel.h").read_text()
    match = re.search(r'#define\s+PY_VERSION\s+"([^"]+)"', text)
    if match is None:
        raise AptError(f"{source} is not CPython's source")
    return match[1]


def copy_library(source: Path, stdlib: Path) -> None:
    """The standard library of CPython's sources, without tests and with an empty lib-dynload."""
    unwanted = {str(source / "Lib" / name) for name in (*_TEST_PACKAGES, "venv/scripts/nt")}

    def ignore(directory: str, names: list[str]) -> list[str]:
        return [name for name in names if f"{directory}/{name}" in unwanted]

    shutil.copytree(source / "Lib", stdlib, ignore=ignore)
    shutil.copy(source / "LICENSE", stdlib / "LICENSE.txt")
    (stdlib / "lib-dynload").mkdir()
    (stdlib / "lib-dynload/.empty").touch()


def write_programs(programs: Path, python: Path, minor: str) -> None:
    """The directory `bin`, which is made: the executable `python` by all its names, and pip's scripts."""
    programs.mkdir(parents=True)
    shutil.copy(python, programs / f"python{minor}")
    for alias in ("python", "python3"):
        (programs / alias).symlink_to(f"python{minor}")
    for name in ("pip", "pip3", f"pip{minor}"):
        (programs / name).write_text(_SHEBANG.format(minor=minor) + _PIP)
        (programs / name).chmod(0o755)


def install_bundled_wheels(stdlib: Path) -> None:
    """pip, as PBS has it, and on 3.11 setuptools: the wheels that ensurepip carries."""
    site_packages = stdlib / "site-packages"
    for wheel in (stdlib / "ensurepip/_bundled").glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(site_packages)
            information = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        (site_packages / information).with_name("INSTALLER").write_text("pip\n")
