"""Which modules of CPython that can be left out a payload imports, as far as its sources tell.

The scan is conservative: an import counts wherever it stands, in a function or behind `try` as well, because
nobody can tell whether it is reached. What does not count, as applications run none of it, are tests and the
means to build packages with: what is in a directory `test`, `tests` or `distutils` inside of a package, and
its `conftest.py`.

Besides import statements there are modules imported by name (`importlib.import_module("tkinter")` and any
other function whose name has "import" in it), started (`runpy.run_module`, `[sys.executable, "-m", "venv"]`)
and found by six (`from six.moves import tkinter`). What compiled modules import is not seen, nor is a name
that is made up at run time: for these there is `keep` in the manifest.

Sources are parsed in an interpreter of the version that will load them (czscie.pack.scan_modules), so what is
found does not depend on the Python that runs czscie. Of what that cannot parse, what is mentioned counts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import pairwise

from czscie.container.content import File
from czscie.elf import Elf, ElfError, is_elf
from czscie.wheel.wheel import is_script_path

#: Modules and the parts of CPython (czscie.pbs.prune) without which they do not work, or not well.
_PARTS: Mapping[str, tuple[str, ...]] = {
    "tkinter": ("tcltk",),
    "_tkinter": ("tcltk",),
    "turtle": ("tcltk",),
    "turtledemo": ("tcltk",),
    "idlelib": ("idlelib",),
    "ensurepip": ("ensurepip",),
    "venv": ("ensurepip",),
    "lib2to3": ("lib2to3",),
    "curses": ("terminals",),
    "_curses": ("terminals",),
    "readline": ("terminals",),
    "cmd": ("terminals",),
    "dbm": ("dbm",),
    "_dbm": ("dbm",),
    "_gdbm": ("dbm",),
    "shelve": ("dbm",),
    "pydoc": ("topics",),
    "pydoc_data": ("topics",),
    "test": ("tests",),
}
#: The same for what is installed in the interpreter. A virtual environment sees that only if it is asked to.
_INSTALLED: Mapping[str, tuple[str, ...]] = {
    "pip": ("pip",),
    "setuptools": ("setuptools",),
    "pkg_resources": ("setuptools",),
    "distutils": ("setuptools",),
}

_NAMES = (*_PARTS, *_INSTALLED)
_NAMES_AS_BYTES = tuple(name.encode() for name in _NAMES)
_NAME = re.compile(rb"\b(" + b"|".join(_NAMES_AS_BYTES) + rb")(?:\b|_)")
_IMPORT = re.compile(rb"\b(?:import|from)\b")
#: How far from the word `import` a name is looked for: data may be one line of megabytes.
_LONGEST_IMPORT = 500

_NOT_RUN = re.compile(r"[^/]+/(.*/)?((tests?|_?distutils)/.*|conftest\.py)")
_SOURCES = (".py", ".pyw", ".pth")
#: The library's name in a Mach-O file's load commands.
_MACOS_LIBPYTHON = re.compile(rb"/libpython3\.[0-9]+t?d?\.dylib\0")


#: The full names of the modules that each source of a list of paths and texts imports; None where it cannot
#: be parsed.
Parse = Callable[[Sequence[tuple[str, bytes]]], Sequence[Collection[str] | None]]


def imported_names(groups: Iterable[Iterable[File]], parse: Parse | None) -> list[frozenset[str]]:
    """Those modules that `needed_parts` knows which the files of each group, a wheel's or the payload's
    sources, import.

    Without `parse`, or where it fails, those that they mention as imports are written.
    """
    found: list[set[str]] = []
    sources: list[tuple[str, bytes]] = []
    mentions: list[tuple[set[str], set[str]]] = []
    for files in groups:
        found.append(set())
        for file in files:
            if _is_source(file.path) and (names := _mentioned(source := file.content.read())):
                sources.append((file.path, source))
                mentions.append((found[-1], names))
    parsed = parse(sources) if parse else [None] * len(sources)
    for (of_group, names), modules in zip(mentions, parsed, strict=True):
        of_group |= names if modules is None else _known(modules)
    return [*map(frozenset, found)]


def names_in_arguments(arguments: Sequence[str]) -> frozenset[str]:
    """The same for the arguments of a Python: `-m venv`, `-c "import tkinter"`."""
    found: set[str] = set()
    for option, value in pairwise(arguments):
        if option == "-m":
            found |= _known([value])
        elif option == "-c":
            found |= _mentioned(value.encode())
    return frozenset(found)


def needed_parts(names: Collection[str], *, system_site_packages: bool = False) -> frozenset[str]:
    """The words (czscie.pbs.prune.PARTS) of the parts that modules of these names need.

    pip and setuptools of the interpreter count only if the payload sees its `system_site_packages`.
    """
    parts = {**_PARTS, **_INSTALLED} if system_site_packages else _PARTS
    return frozenset(part for name in names for part in parts.get(name, ()))


def links_libpython(files: Iterable[File]) -> bool:
    """Whether an extension module among `files` is linked with libpython, as none should be (PEP 513)."""
    return any(".so" in file.path and _links_libpython(file) for file in files)


def _links_libpython(file: File) -> bool:
    data = file.content.read()
    if not is_elf(data):
        return _MACOS_LIBPYTHON.search(data) is not None
    try:
        needed = Elf.parse(data, file.path).needed
    except ElfError:  # data that merely looks like a library
        return False
    return any(name.rpartition("/")[2].startswith("libpython3") for name in needed)


def _is_source(path: str) -> bool:
    return is_script_path(path) or (path.endswith(_SOURCES) and not _NOT_RUN.fullmatch(path))


def _mentioned(source: bytes) -> set[str]:
    """The known names that stand behind an `import` or a `from`, or that are a string or its first component.

    Nothing else can be an import, in templates and in the Python of another version as well.
    """
    if not any(name in source for name in _NAMES_AS_BYTES):
        return set()
    found = set()
    for match in _NAME.finditer(source):
        if match[1] not in found:
            before = source[max(0, match.start() - _LONGEST_IMPORT) : match.start()]
            line = before.replace(b"\r\n", b"\n").replace(b"\\\n", b" ").rpartition(b"\n")[2]
            is_quoted = line.endswith((b'"', b"'")) and source[match.end(1) : match.end(1) + 1] in b"\"'."
            if is_quoted or _IMPORT.search(line):
                found.add(match[1])
    return {name.decode() for name in found}


def _known(modules: Iterable[str]) -> set[str]:
    return {name for name in (module.partition(".")[0] for module in modules) if name in _NAMES}
