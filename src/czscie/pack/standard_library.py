"""Packs the standard library of a CPython: the modules into one file, with few others left beside it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from importlib import resources

from czscie.container.content import Content, Data, File
from czscie.container.level import DEFAULT_LEVEL
from czscie.errors import Code, CzscieError
from czscie.lift.pack import PackSettings
from czscie.pack.compiler import Compiler
from czscie.pack.module_code import code_of_each, expressions_of
from czscie.pack.modules import module_sources
from czscie.pack.pack import NAME, Bytecode, Module, render
from czscie.pbs.distribution import Distribution, Layout
from czscie.progress import Count, Steps, no_count

#: What the shipped interpreter calls the modules that serve packs, and the files they are here.
_FINDER = "_czscie_finder.py"
SERVING = {
    _FINDER: "finder.py",
    "_czscie_library.py": "packed_library.py",
    "_czscie_paths.py": "packed_paths.py",
    "_czscie_resources.py": "packed_resources.py",
    "_czscie_sources.py": "packed_sources.py",
}

#: The first module that CPython imports from a file. It imports the finder.
_ENCODINGS = "encodings/__init__.py"
_FIRST_IMPORT = re.compile(rb"^import codecs$", re.MULTILINE)

#: CPython freezes these into its executable and looks for their sources in files: `os.py` marks the library's
#: place (Modules/getpath.py), and a frozen module has no other source for tracebacks.
_FROZEN = frozenset(
    {
        *("_collections_abc.py", "_sitebuiltins.py", "abc.py", "codecs.py", "genericpath.py", "io.py"),
        *("ntpath.py", "os.py", "posixpath.py", "runpy.py", "site.py", "stat.py", "zipimport.py"),
        *("importlib/_bootstrap.py", "importlib/_bootstrap_external.py"),
        *("importlib/machinery.py", "importlib/util.py"),
    }
)
#: Packages that list or read their own modules as files, wherever they are.
_OF_FILES = frozenset({"idlelib", "lib2to3", "test", "tests", "turtledemo"})
#: Not of the library: what others install, and extension modules in a directory of `sys.path` of their own.
_FOREIGN = frozenset({"lib-dynload", "site-packages"})


@dataclass(frozen=True, slots=True)
class PackedLibrary:
    """An interpreter whose standard library is packed, and how many modules the pack has."""

    distribution: Distribution
    modules: int


def pack_library(
    distribution: Distribution,
    compiler: Compiler,
    settings: PackSettings,
    level: int = DEFAULT_LEVEL,
    count: Count = no_count,
) -> PackedLibrary:
    """Packs the standard library of `distribution` as `settings` say, with the bytecode of `compiler`.

    `level` is zstd's, of the part that it will be in. `count` counts the modules.

    Raises CzscieError where it cannot be packed.
    """
    prefix = f"{distribution.layout.stdlib}/"
    library = {
        item.path.removeprefix(prefix): item
        for item in distribution.items
        if isinstance(item, File) and item.path.startswith(prefix)
    }
    library |= {name: File(prefix + name, Data(_own(file))) for name, file in SERVING.items()}
    encodings = _importing_the_finder(library, distribution.layout)
    library[_ENCODINGS] = File(prefix + _ENCODINGS, Data(encodings))
    sources = {
        path: library[path].content.read()
        for path in module_sources(library)
        if path.partition("/")[0] not in _FOREIGN
    }
    named = [(prefix + path, text) for path, text in sources.items()]
    made = code_of_each(compiler, "library", named, Steps(count, len(named), "modules").add)
    shares = distribution.platform.shares_expressions
    expressions = expressions_of(each.expressions for each in made) if shares else []
    compiled = {path: each.code for path, each in zip(sources, made, strict=True) if each.code}
    instead = {path for path in compiled if file_reason(path) is None and not settings.keeps_of_library(path)}
    packed = [
        Module(path, code, sources[path] if settings.source and path in instead else None)
        for path, code in compiled.items()
    ]
    bytecode = Bytecode(compiler.magic, reads_xz(distribution), level)
    gone = {prefix + path for path in instead}
    written: dict[str, Content] = {
        prefix + NAME: Data(render(packed, bytecode, expressions, _complete(library, compiled))),
        prefix + _FINDER: library[_FINDER].content,
        prefix + _ENCODINGS: Data(encodings),
    }
    for path in (_FINDER, _ENCODINGS):
        cached = compiler.cached(prefix + path, compiled[path])
        written[cached.path] = cached.content
    items = [item for item in distribution.items if item.path not in gone | written.keys()]
    items += [File(path, content) for path, content in written.items()]
    ordered = tuple(sorted(items, key=lambda item: item.path))
    return PackedLibrary(replace(distribution, items=ordered), len(packed))


def _own(file: str) -> bytes:
    return resources.files("czscie.pack").joinpath(file).read_bytes()


def _importing_the_finder(library: Mapping[str, File], layout: Layout) -> bytes:
    """The source of `encodings` with the finder imported first, on the line of its first import."""
    text = library[_ENCODINGS].content.read() if _ENCODINGS in library else b""
    changed, times = _FIRST_IMPORT.subn(b"import _czscie_finder, codecs", text, count=1)
    if not times:
        raise CzscieError(
            f"the standard library of CPython {layout.version} cannot be packed",
            code=Code.NOT_PACKABLE,
            why=f"{layout.stdlib}/{_ENCODINGS} does not begin as CPython's does",
            hint="do not pack it: [lift.pack] stdlib = false",
        )
    return changed


def _complete(library: Collection[str], compiled: Collection[str]) -> set[str]:
    """The directories, in the pack's spelling, whose modules are all in the pack."""
    lacking = {
        posixpath.dirname(path)
        for path in library
        if path not in compiled and path.endswith((".py", ".pyc", ".so", ".pyd"))
    }
    found = {posixpath.dirname(path) for path in compiled}
    for path in library:  # a directory without modules is a namespace package
        directory = posixpath.dirname(path)
        while directory:
            parent, name = posixpath.split(directory)
            if directory not in found and name.isidentifier() and name != "__pycache__":
                lacking.add(parent)
            directory = parent
    return {f"{directory}/" if directory else "" for directory in found - lacking}


def file_reason(path: str) -> str | None:
    """Why the source at `path` is a file in the installation, whatever the pack has; None if it may go."""
    if path in _FROZEN:
        return "CPython has it frozen, and tracebacks read the file"
    if path in (_ENCODINGS, _FINDER):
        return "it loads the import archive"
    if not _OF_FILES.isdisjoint(path.split("/")[:-1]):
        return "its package reads its own modules"
    return None


def reads_xz(distribution: Distribution) -> bool:
    """Whether the interpreter has the module `_lzma`, as a file or built in."""
    for item in distribution.items:
        name = item.path.rpartition("/")[2]
        if name.startswith("_lzma."):
            return True
        may_have = item.path == distribution.layout.python or name.startswith(("libpython3", "python3"))
        if may_have and isinstance(item, File) and b"_lzma.LZMADecompressor" in item.content.read():
            return True
    return False
