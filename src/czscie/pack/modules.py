"""Which files of a directory of `sys.path` are modules that an import finds (importlib's FileFinder)."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable

#: How the names of extension modules end; CPython prefers them to sources (importlib.machinery).
_EXTENSION_SUFFIXES = (".so", ".pyd")


def module_sources(paths: Iterable[str]) -> list[str]:
    """The sources among `paths`, relative to the directory, that imports find; sorted.

    Left out is one that an extension module of the same name hides.
    """
    paths = list(paths)
    hidden = {_name(path) for path in paths if path.endswith(_EXTENSION_SUFFIXES)}
    return sorted(
        path for path in paths if path.endswith(".py") and _name(path) not in hidden and path.isprintable()
    )


def module_name(path: str) -> str:
    """The dotted name of the module whose source is `path`: `json.decoder`, `json` for `json/__init__.py`."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _name(path: str) -> str:
    """The path of a module without what follows its name: `numpy/core/_multiarray_umath`."""
    directory, name = posixpath.split(path)
    return posixpath.join(directory, name.partition(".")[0])
