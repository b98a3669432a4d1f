"""The provider Host: the CPython that runs czscie, made relocatable. Linux only.

It ships the executable, the standard library with its extension modules, and in `lib/` every shared library
that these need and that is not the C library's own, found by `$ORIGIN`. It leaves out installed packages,
bytecode, tests, headers, and Tk with what is built on it, whose scripts belong to the system and not to
Python.
"""

from __future__ import annotations

import json
import os
import posixpath
import re
import subprocess
import sys
from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from czscie.build_cache import key_of, knowledge_of_files
from czscie.container.content import Data, OnDisk
from czscie.container.tree import Item, Tree, tree_digest, tree_size
from czscie.elf import Elf, is_elf
from czscie.errors import Code, CzscieError
from czscie.filesystem import exists
from czscie.implementation import CPYTHON, Implementation
from czscie.pbs.distribution import Distribution, Layout
from czscie.pbs.libraries import Libraries
from czscie.pbs.local import OnThisMachine
from czscie.pbs.search_path import with_search_path
from czscie.platforms import Platform, current_platform

if TYPE_CHECKING:
    from czscie.console import Console

#: Prints the interpreter's metadata. Started without site, so that virtual environments do not matter.
_QUESTION = """
import json, os, sys, sysconfig
print(json.dumps({
    "implementation": sys.implementation.name,
    "version": "%d.%d.%d" % sys.version_info[:3]
        + ("" if sys.version_info[3] == "final" else {"alpha": "a", "beta": "b", "candidate": "rc"}[
            sys.version_info[3]] + str(sys.version_info[4])),
    "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    "library": sys.platlibdir,
    "stdlib": os.path.dirname(os.path.realpath(os.__file__)),
    "extensions": [path for path in sys.path if os.path.basename(path) == "lib-dynload"],
    "executable": os.path.realpath(sys.executable),
}))
"""

#: What only CPythons in executables have: the finder of their packed modules (czscie.pack.standard_library).
_OF_EXECUTABLES = "_czscie_finder.py"
_SECONDS_TO_ANSWER = 60

#: Directories of the standard library, relative to it, that only CPython's developers need; Tk.
_LEFT_OUT_DIRECTORIES = re.compile(
    r"(.*/)?__pycache__|site-packages|dist-packages|lib-dynload|config-.*"
    r"|test|(ctypes|sqlite3|unittest)/test|(distutils|email|json|lib2to3)/tests"
    r"|idlelib|tkinter|turtledemo"
)
#: The customizations and the marker are the host's own, the rest is for linking.
_LEFT_OUT_FILES = re.compile(
    r"sitecustomize\.py|usercustomize\.py|EXTERNALLY-MANAGED|turtle\.py|.*\.(pyc|a|o)"
)
_LEFT_OUT_EXTENSIONS = re.compile(r"(_test.*|_ctypes_test|_xxtest.*|xx.*|_tkinter|nis)\..*")

#: CPython's own file of that name keeps the directory alive in the same way.
_README = b"Packages that are installed go here.\n"


@dataclass(frozen=True, slots=True)
class HostPython:
    """An installed CPython. Paths are absolute and free of links; `library` is `sys.platlibdir`."""

    executable: Path
    stdlib: Path
    extensions: Path | None
    library: str
    implementation: Implementation

    @classmethod
    def ask(cls, executable: Path) -> HostPython:
        """Ask `executable` for the paths of its parts. Raises CzscieError when it is not a CPython that can
        be shipped.
        """
        try:
            done = subprocess.run(
                [executable, "-I", "-S", "-c", _QUESTION],
                capture_output=True,
                text=True,
                timeout=_SECONDS_TO_ANSWER,
                check=True,
            )
            answer = json.loads(done.stdout)
        except subprocess.CalledProcessError as error:
            why = error.stderr.strip().splitlines()[-1:] or [f"exit status {error.returncode}"]
            raise CzscieError(
                f"{executable} does not start", code=Code.INTERPRETER_UNUSABLE, why=why
            ) from error
        except (OSError, subprocess.TimeoutExpired, ValueError) as error:
            raise CzscieError(
                f"{executable} does not start", code=Code.INTERPRETER_UNUSABLE, why=str(error)
            ) from error
        if answer["implementation"] != CPYTHON:
            raise CzscieError(
                f"{executable} is not CPython",
                code=Code.INTERPRETER_UNUSABLE,
                why=f"it is {answer['implementation']}",
            )
        stdlib = Path(answer["stdlib"])
        if (stdlib / _OF_EXECUTABLES).is_file():
            raise CzscieError(
                f"{executable} cannot be shipped",
                code=Code.INTERPRETER_UNUSABLE,
                why="it belongs to an executable that czscie built, without the parts that it does not need",
                hint='use provider = "PythonBuildStandalone", or run czscie with another Python',
            )
        if not (stdlib / "os.py").is_file():
            raise CzscieError(
                f"the standard library of {executable} is not a directory",
                code=Code.INTERPRETER_UNUSABLE,
                why=str(stdlib),
            )
        return cls(
            executable=Path(answer["executable"]),
            stdlib=stdlib,
            extensions=next((Path(path) for path in answer["extensions"] if Path(path).is_dir()), None),
            library=answer["library"],
            implementation=Implementation(
                answer["implementation"], answer["version"], answer["free_threaded"]
            ),
        )

    @property
    def layout(self) -> Layout:
        name = self.implementation.unix_name
        return Layout(self.implementation, f"bin/{name}", f"{self.library}/{name}")


@dataclass(frozen=True, slots=True)
class HostSource(OnThisMachine):
    """An installed CPython. `executable` is the one to ask, `known` has its files if they were read."""

    digest: str
    description: str
    url: str
    size: int
    platform: Platform
    executable: Path
    known: Distribution | None = field(default=None, repr=False, compare=False)

    @property
    def is_tree(self) -> bool:
        return True

    def load(self, console: Console | None = None) -> Distribution:
        """Raises CzscieError when it cannot be read, or changed since it was resolved."""
        if self.known is not None:
            return self.known
        interpreter = HostPython.ask(self.executable)
        items = _items(interpreter)
        if tree_digest(items) != self.digest:
            raise CzscieError(
                f"{interpreter.executable} changed during the build",
                code=Code.CHANGED_DURING_BUILD,
                hint="build again",
            )
        return Distribution.of(items, interpreter.layout, self.platform, str(interpreter.executable))


class _Tree(msgspec.Struct, frozen=True):
    """What is to be known of an installed CPython; its files are those that it was found in."""

    digest: str
    size: int
    version: str
    executable: str


def resolve_host(platform: Platform, executable: Path | None = None) -> HostSource:
    """The CPython `executable`, by default the one that runs czscie, outside of any virtual environment.

    Raises CzscieError when it cannot be shipped, or `platform` is not the one that it runs on.
    """
    here = current_platform()
    if platform != here or here.os != "linux":
        raise CzscieError(
            f"the provider Host has no interpreter for {platform.name}",
            code=Code.INTERPRETER_UNUSABLE,
            why=f"it ships the CPython that runs czscie, which is for {here.name}"
            if platform != here
            else "it can relocate a CPython on Linux only",
            hint='use provider = "PythonBuildStandalone"',
        )
    asked = executable or Path(getattr(sys, "_base_executable", None) or sys.executable)
    read: list[Distribution] = []

    def find_out() -> _Tree:
        for path in (asked, asked.with_name("pyvenv.cfg"), asked.parent.with_name("pyvenv.cfg")):
            exists(path)  # what it answers may change with them
        interpreter = HostPython.ask(asked)
        items = _items(interpreter)
        read.append(Distribution.of(items, interpreter.layout, platform, str(interpreter.executable)))
        version = interpreter.implementation.version
        return _Tree(tree_digest(items), tree_size(items), version, str(interpreter.executable))

    key = key_of("host", platform.name, str(asked), os.environ.get("LD_LIBRARY_PATH", ""))
    tree = knowledge_of_files(key, _Tree, find_out)
    description = f"cpython {tree.version} {platform.triple} from the host"
    url = Path(tree.executable).as_uri()
    return HostSource(tree.digest, description, url, tree.size, platform, asked, next(iter(read), None))


def _items(interpreter: HostPython) -> tuple[Item, ...]:
    """The files of `interpreter`, as they are now. Raises CzscieError."""
    try:
        return relocatable(interpreter)
    except OSError as error:
        raise CzscieError(
            f"cannot read {error.filename or interpreter.executable}",
            code=Code.FILE_UNREADABLE,
            why=error.strerror or str(error),
        ) from error


def relocatable(interpreter: HostPython) -> tuple[Item, ...]:
    """The items of a tree that holds `interpreter` and runs wherever it is put.

    Raises OSError when a part cannot be read, CzscieError when one cannot be made relocatable.
    """
    layout = interpreter.layout
    tree = Tree(str(interpreter.executable))
    for path, file in _standard_library(interpreter):
        tree.add_file(path, OnDisk(file), executable=False)
    binaries = {layout.python: interpreter.executable, **dict(_extensions(interpreter))}
    contents = {file: data for file in binaries.values() if is_elf(data := file.read_bytes())}
    collected = Libraries(interpreter.executable).needed_by(contents)
    binaries |= {f"lib/{name}": file for name, file in collected.items()}
    for path, file in binaries.items():
        data = file.read_bytes()
        beside = _finding_libraries(data, path, collected.keys(), is_program=path == layout.python)
        tree.add_file(path, OnDisk(file) if beside is data else Data(beside), path == layout.python)
    # Directories that have to be there, though nothing may be in them.
    tree.add_file(f"{layout.stdlib}/lib-dynload/.empty", Data(b""), executable=False)
    tree.add_file(f"{layout.stdlib}/site-packages/README.txt", Data(_README), executable=False)
    for name in ("python3", "python"):
        tree.add_link(f"bin/{name}", posixpath.basename(layout.python))
    return tree.items()


def _standard_library(interpreter: HostPython) -> Iterator[tuple[str, Path]]:
    """The files of the standard library to ship: each path in the tree, and the file itself."""
    for directory, directories, files in os.walk(interpreter.stdlib):
        inside = Path(directory).relative_to(interpreter.stdlib)
        directories[:] = sorted(
            name for name in directories if not _LEFT_OUT_DIRECTORIES.fullmatch((inside / name).as_posix())
        )
        for name in sorted(files):
            file = Path(directory, name)
            if not _LEFT_OUT_FILES.fullmatch(name) and file.is_file():
                yield f"{interpreter.layout.stdlib}/{(inside / name).as_posix()}", file.resolve()


def _extensions(interpreter: HostPython) -> Iterator[tuple[str, Path]]:
    """The same for the extension modules."""
    for file in sorted(interpreter.extensions.iterdir()) if interpreter.extensions else ():
        if file.suffix == ".so" and not _LEFT_OUT_EXTENSIONS.fullmatch(file.name):
            yield f"{interpreter.layout.stdlib}/lib-dynload/{file.name}", file.resolve()


def _finding_libraries(data: bytes, path: str, collected: Set[str], is_program: bool) -> bytes:
    """`data`, which will be at `path`, changed so that it finds what was collected in `lib/`, and nothing
    elsewhere.

    The program's search path serves all that is loaded later, so it gets one even if it needs no library
    itself. What has a search path of this machine loses it, because on another that directory may be
    anybody's.
    """
    if not is_elf(data):
        return data
    elf = Elf.parse(data, path)
    needs = bool(collected) if is_program else not collected.isdisjoint(elf.needed)
    if not needs and not elf.rpath and not elf.runpath:
        return data
    up = posixpath.relpath("lib", posixpath.dirname(path))
    return with_search_path(data, "$ORIGIN" if up == "." else f"$ORIGIN/{up}", path)
