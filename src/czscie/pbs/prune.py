"""Removes from a CPython what applications rarely need.

The names are those of python-build-standalone's trees (docs/distributions.rst and the scripts in cpython-unix
there), which CPython's `make install` and, on Windows, its PC/layout gave them. Other builds of CPython use
the same names.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from czscie.container.content import File, Link
from czscie.container.tree import Item, tree_size
from czscie.elf import Elf, is_elf
from czscie.lift.interpreter import ALL, PARTS
from czscie.pbs.distribution import Distribution, Layout, glibc_floor

#: Where python-build-standalone has the descriptions of terminals.
TERMINFO = "share/terminfo"

#: What people sit at: consoles, multiplexers, and what the terminal emulators of today call themselves.
_TERMINALS = "|".join(
    (
        *("ansi", "dumb", "linux", "vt100", "vt102", "vt220"),
        *("xterm", "xterm-(16|88|256)color", "xterm-(color|direct|mono)", r"xterm\.js"),
        *("rxvt(-unicode)?(-256color)?", "screen(-256color)?", r"screen\.xterm-256color", "tmux(-256color)?"),
        *("alacritty", "foot", "(xterm-)?ghostty", "(xterm-)?kitty", "(st|stterm)(-256color)?", "wezterm"),
        *("(gnome|konsole|putty|vte)(-256color)?", "iterm2?", "nsterm(-256color)?"),
        *("cygwin", "mintty", "ms-terminal", "vscode"),
    )
)

#: What `{stdlib}`, `{packages}` and `{extension}` become is in `_expressions`.
_PATTERNS: Mapping[str, tuple[str, ...]] = {
    "terminfo": (rf"{TERMINFO}/[^/]+/(?!({_TERMINALS})$).*",),
    "terminals": (rf"{TERMINFO}/[^/]+/({_TERMINALS})",),
    "libpython": (r"lib/libpython3[^/]*\.(so|dylib)[^/]*",),
    # sysconfig needs _sysconfigdata_*.py, which is not among them; pyconfig.h and the Makefile are read by
    # distutils and `python -m sysconfig --generate-posix-vars` only.
    "headers": (
        r"include/.*",
        r"{stdlib}/config-[^/]*/.*",
        r"lib/pkgconfig/.*",
        r"lib/libpython3[^/]*\.a",
        r"bin/python3?[^/]*-config",
        r"libs/.*",
    ),
    "tcltk": (
        r"{stdlib}/(tkinter|turtledemo)/.*",
        r"{stdlib}/turtle\.py",
        r"{extension}_tkinter\..*",
        r"lib/(tcl|tk|itcl|tdbc|tdbc[a-z]+|thread|Tix|sqlite)[0-9][^/]*/.*",
        r"lib/lib(tcl|tk|itcl)[0-9][^/]*",
        r"lib/(tcl|tk)(Config|ooConfig)\.sh",
        r"DLLs/(tcl|tk)[0-9][^/]*\.dll",
        r"DLLs/zlib1\.dll",
        r"tcl/.*",
    ),
    "idlelib": (r"{stdlib}/idlelib/.*", r"bin/idle3?[^/]*"),
    "pip": (
        r"{packages}/(pip/.*|pip-[^/]*\.dist-info/.*)",
        r"bin/pip[0-9.]*",
        r"Scripts/pip[0-9.]*\.exe",
    ),
    "setuptools": (
        r"{packages}/(setuptools|pkg_resources|_distutils_hack)/.*",
        r"{packages}/setuptools-[^/]*\.dist-info/.*",
        r"{packages}/distutils-precedence\.pth",
    ),
    "ensurepip": (r"{stdlib}/ensurepip/.*",),
    "lib2to3": (r"{stdlib}/lib2to3/.*", r"bin/2to3[^/]*"),
    # Berkeley DB's licence requires distributors to provide its source.
    "dbm": (r"{extension}_g?dbm\..*", r"lib/lib(db-|gdbm)[^/]*"),
    "topics": (r"{stdlib}/pydoc_data/topics\.py",),
    "manual": (r"share/man/.*",),
    "tests": (
        r"{stdlib}/(test|__phello__)/.*",
        r"{stdlib}/__hello__\.py",
        r"{stdlib}/(ctypes|sqlite3|tkinter|unittest)/test/.*",
        r"{stdlib}/(distutils|email|json|lib2to3)/tests/.*",
        r"{stdlib}/idlelib/idle_test/.*",
        r"{extension}(_test[a-z]*|_ctypes_test|_xxtest[a-z]*|xxlimited[a-z_0-9]*|xxsubtype)\..*",
    ),
    "symbols": (r"([^/]+/)*[^/]+\.pdb",),
}

#: Parts that are of no use without others.
_NEEDS: Mapping[str, tuple[str, ...]] = {"idlelib": ("tcltk",), "terminfo": ("terminals",)}


@dataclass(frozen=True, slots=True)
class PrunedPart:
    """A part that was removed: its word, the number of its files, links included, and their bytes."""

    part: str
    files: int
    size: int

    def __str__(self) -> str:
        """`terminfo (2,850 files, 2.2 MB)`."""
        from czscie.console import megabytes

        return f"{self.part} ({self.files:,} file{'' if self.files == 1 else 's'}, {megabytes(self.size)})"


@dataclass(frozen=True, slots=True)
class Pruned:
    """The rest of a distribution, and the removed parts, in the order of `PARTS`."""

    distribution: Distribution
    left_out: tuple[PrunedPart, ...]


def has_terminfo(distribution: Distribution) -> bool:
    """Whether the interpreter brings descriptions of terminals along, which it does not find by itself."""
    return any(item.path.startswith(f"{TERMINFO}/") for item in distribution.items)


def prune(distribution: Distribution, keep: Collection[str]) -> Pruned:
    """`distribution` without the parts that `keep`, words of `PARTS` or `ALL`, does not name.

    Whatever `keep` says, libpython stays where something of what is left is linked with it, and so does what
    a link that is left leads to. Raises ElfError when a binary is damaged.
    """
    gone = _unwanted(distribution, set(PARTS) - _kept(keep))
    _spare_ends_of_links(gone, distribution.items)
    libraries = {path for path, part in gone.items() if part == "libpython"}
    # What is left without libpython is what may need it.
    if _is_linked((item for item in distribution.items if item.path not in gone), libraries):
        gone = {path: part for path, part in gone.items() if path not in libraries}
    return Pruned(_rest(distribution, gone), tuple(_left_out(distribution.items, gone)))


def _kept(keep: Collection[str]) -> set[str]:
    if ALL in keep:
        return set(PARTS)
    return {*keep, *(needed for part in keep for needed in _NEEDS.get(part, ()))}


def _unwanted(distribution: Distribution, parts: Collection[str]) -> dict[str, str]:
    """The paths of the items that are of one of `parts`, and of which."""
    expressions = _expressions(distribution.layout)
    return {
        item.path: part
        for part in PARTS
        if part in parts
        for item in distribution.items
        if expressions[part].fullmatch(item.path)
    }


def _expressions(layout: Layout) -> dict[str, re.Pattern[str]]:
    """For each part an expression that matches the paths of its items."""
    stdlib = re.escape(layout.stdlib)
    places = {
        "stdlib": stdlib,
        "packages": f"{stdlib}/site-packages",
        "extension": f"({stdlib}/lib-dynload|DLLs)/",
    }
    return {
        part: re.compile(re.sub(r"\{([a-z]+)\}", lambda match: places[match[1]], "|".join(paths)))
        for part, paths in _PATTERNS.items()
    }


def _spare_ends_of_links(gone: dict[str, str], items: Iterable[Item]) -> None:
    """Remove from `gone` what a link that is not among them leads to, over other links or not."""
    links = {item.path: item for item in items if isinstance(item, Link)}
    for path in [path for path in links if path not in gone]:
        while path in links:
            path = posixpath.normpath(posixpath.join(posixpath.dirname(path), links[path].target))
            if gone.pop(path, None) is None:
                break


def _is_linked(items: Iterable[Item], libraries: Collection[str]) -> bool:
    """Whether one of `items` needs one of `libraries`, which are paths, to be loaded.

    A Mach-O file names what it needs in its load commands: one in which the name does not occur needs it not.
    """
    names = set(map(posixpath.basename, libraries))
    for item in items if libraries else ():
        if isinstance(item, File) and _may_be_linked(item):
            data = item.content.read()
            if is_elf(data):
                needed = Elf.parse(data, item.path).needed
                if not names.isdisjoint(map(posixpath.basename, needed)):
                    return True
            elif any(name.encode() in data for name in names if name.endswith(".dylib")):
                return True
    return False


def _may_be_linked(file: File) -> bool:
    return file.executable or ".so" in file.path or file.path.endswith(".dylib")


def _left_out(items: Collection[Item], gone: Mapping[str, str]) -> Iterator[PrunedPart]:
    for part in PARTS:
        members = [item for item in items if gone.get(item.path) == part]
        if members:
            yield PrunedPart(part, len(members), tree_size(members))


def _rest(distribution: Distribution, gone: Container[str]) -> Distribution:
    items = tuple(item for item in distribution.items if item.path not in gone)
    floor = None if distribution.glibc is None else glibc_floor(items, distribution.platform.name)
    return replace(distribution, items=items, glibc=floor)
