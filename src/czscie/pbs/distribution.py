"""A Python to ship, from any provider: its files, their layout, and its requirements of a host."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, replace

from czscie.container.content import File, Link
from czscie.container.paths import check_together
from czscie.container.tree import Item
from czscie.elf import Elf, is_elf
from czscie.errors import Code, CzscieError
from czscie.implementation import CPYTHON, Implementation
from czscie.pbs.machine import machine_of
from czscie.platforms import GlibcVersion, Platform

_UNIX_PYTHON = re.compile(r"bin/python(3\.\d+)(t?)d?")
_WINDOWS_LIBRARY = re.compile(r"python3(\d+)(t?)\.dll")
#: Links that lead from a command to its executable, one after another.
_MOST_LINKS = 8
_PATCH_LEVEL = re.compile(rb'#define\s+PY_VERSION\s+"([0-9A-Za-z.]+)\+?"')


@dataclass(frozen=True, slots=True)
class Layout:
    """The layout of an interpreter's tree; paths are relative to its root and `/`-separated.

    `python` is the executable (`bin/python3.13`, `python.exe`), `stdlib` the standard library
    (`lib/python3.13`, free-threaded `lib/python3.13t`, Windows `Lib`). `root` is the directory that all of it
    is in, "" where that is the tree's own. `library` is the shared library that PyPy's executable looks for
    beside itself, "" for a CPython.
    """

    implementation: Implementation
    python: str
    stdlib: str
    root: str = ""
    library: str = ""

    @property
    def version(self) -> str:
        """The implementation's full version (`3.13.9`)."""
        return self.implementation.version

    def below(self, directory: str) -> Layout:
        """The same in a `directory` of the tree."""
        return replace(
            self,
            python=f"{directory}/{self.python}",
            stdlib=f"{directory}/{self.stdlib}",
            root=posixpath.join(directory, self.root).rstrip("/"),
            library=self.library and f"{directory}/{self.library}",
        )

    @property
    def site_packages(self) -> str:
        """Where a virtual environment on it has its packages."""
        return f"{self.stdlib.removeprefix(f'{self.root}/')}/site-packages"

    def below_root(self, path: str) -> str:
        """Where in the tree is what is at `path` of the interpreter."""
        return f"{self.root}/{path}" if self.root else path


@dataclass(frozen=True, slots=True)
class Distribution:
    """The Python of any provider.

    `items` are sorted by path. `glibc` is the oldest glibc that its ELF files load with, None if they do not
    need glibc.
    """

    platform: Platform
    layout: Layout
    items: tuple[Item, ...]
    glibc: GlibcVersion | None

    @classmethod
    def of(cls, items: tuple[Item, ...], layout: Layout, platform: Platform, source: str) -> Distribution:
        """Check that the tree `items` runs on `platform`, and find its requirements.

        `source` is the tree's name in messages. Raises CzscieError when its interpreter is for another
        platform.
        """
        check_together((item.path for item in items), source, platform)
        python = next(item for item in items if item.path == layout.python)
        assert isinstance(python, File)
        machine = machine_of(python.content.read(), f"{source}: {layout.python}")
        if machine is None or not machine.runs_on(platform):
            raise CzscieError(
                f"the interpreter of {source} does not run on {platform.name}",
                code=Code.INTERPRETER_UNUSABLE,
                why=f"{layout.python} is for {machine or 'no system that czscie knows'}",
            )
        return cls(platform, layout, items, glibc_floor(items, source) if platform.libc == "gnu" else None)

    def below(self, directory: str) -> Distribution:
        """The same in a `directory` of the tree; links, which stay inside of it, are relative."""
        items = tuple(replace(item, path=f"{directory}/{item.path}") for item in self.items)
        return replace(self, layout=self.layout.below(directory), items=items)


def glibc_floor(items: tuple[Item, ...], source: str) -> GlibcVersion | None:
    """The oldest glibc that all ELF files of `items` can be loaded with. Raises ElfError on a damaged one."""
    floors = []
    for item in items:
        if isinstance(item, File) and (item.executable or ".so" in item.path):
            data = item.content.read()
            if is_elf(data):
                floors.append(Elf.parse(data, f"{source}: {item.path}").glibc)
    return max((floor for floor in floors if floor is not None), default=None)


def detect_layout(items: tuple[Item, ...], source: str, version: str | None = None) -> Layout:
    """Where the interpreter and its standard library are in a tree like PBS's, of Linux, macOS or Windows.

    Raises CzscieError when there is none or, `version` being None, when its whole version cannot be found.
    """
    paths = {item.path: item for item in items}
    for path, item in paths.items():
        if isinstance(item, Link):
            continue
        if (match := _UNIX_PYTHON.fullmatch(path)) and f"lib/python{match[1]}{match[2]}/os.py" in paths:
            minor, threads, python = match[1], match[2], path
            stdlib = f"lib/python{minor}{threads}"
        elif (match := _WINDOWS_LIBRARY.fullmatch(path)) and {"python.exe", "Lib/os.py"} <= paths.keys():
            minor, threads, python = f"3.{match[1]}", match[2], "python.exe"
            stdlib = "Lib"
        else:
            continue
        whole = version or _find_version(items, minor, source)
        return Layout(Implementation(CPYTHON, whole, threads == "t"), python, stdlib)
    raise CzscieError(
        f"there is no CPython in {source}",
        code=Code.INTERPRETER_UNUSABLE,
        why="neither bin/python3.X with lib/python3.X/os.py nor python.exe with python3X.dll and Lib/os.py",
    )


def detect_pypy_layout(items: tuple[Item, ...], source: str, python: Implementation) -> Layout:
    """The same for a tree of PyPy's, of Linux, macOS or Windows.

    PyPy has the standard library below `lib` since 3.8, before in `lib-python`. Raises CzscieError when there
    is no PyPy with that version of `python`.
    """
    paths = {item.path: item for item in items}
    major = python.version.partition(".")[0]
    name = "pypy" if major == "2" else f"pypy{major}"
    libraries = f"lib/pypy{python.minor_version}", "Lib", f"lib-python/{'2.7' if major == '2' else major}"
    stdlib = next((each for each in libraries if f"{each}/os.py" in paths), None)
    program = next((each for each in (f"bin/{name}", f"{name}.exe") if each in paths), "")
    for _ in range(_MOST_LINKS):
        if isinstance(link := paths.get(program), Link):
            program = posixpath.normpath(posixpath.join(posixpath.dirname(program), link.target))
    if stdlib is None or not isinstance(paths.get(program), File):
        raise CzscieError(
            f"there is no PyPy in {source}",
            code=Code.INTERPRETER_UNUSABLE,
            why=f"neither bin/{name} with {libraries[0]}/os.py nor {name}.exe with Lib/os.py",
        )
    beside = re.compile(re.escape(posixpath.join(posixpath.dirname(program), "libpypy")) + r"[^/]+")
    library = next((path for path in paths if beside.fullmatch(path) and not path.endswith(".lib")), "")
    return Layout(python, program, stdlib, library=library)


def _find_version(items: tuple[Item, ...], minor: str, source: str) -> str:
    """The full version: from the headers, or from the string that `sys.version` begins with in a binary."""
    text = re.compile(rb"\0(" + re.escape(minor.encode()) + rb"\.\d+(?:(?:a|b|rc)\d+)?)\+?\0")
    binaries = []
    for item in items:
        if isinstance(item, Link):
            continue
        if item.path.endswith("/patchlevel.h") and (match := _PATCH_LEVEL.search(item.content.read())):
            return match[1].decode()
        name = item.path.rpartition("/")[2]
        if re.match(r"(lib)?python3[^/]*(\.so|\.dylib|\.dll|$)", name) or _UNIX_PYTHON.fullmatch(item.path):
            binaries.append(item)
    for item in binaries:
        if match := text.search(item.content.read()):
            return match[1].decode()
    raise CzscieError(
        f"the version of the CPython {minor} in {source} cannot be found", code=Code.INTERPRETER_UNUSABLE
    )
