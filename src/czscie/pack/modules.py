"""The files of a directory of `sys.path` that an import finds as modules (importlib's FileFinder)."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterable

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


def is_in_package(path: str, packages: Collection[str]) -> bool:
    """Whether the module at `path` is where modules are only imported: at the top or in regular packages.

    `packages` are the directories that have an `__init__.py`. Above them may be namespaces, below not:
    scripts of migrations, projects to copy and the like are files in directories of packages.
    """
    if not all(name.isidentifier() for name in module_name(path).split(".")):
        return False
    parts = path.split("/")[:-1]
    regular = ["/".join(parts[: depth + 1]) in packages for depth in range(len(parts))]
    return not regular or (regular[-1] and regular == sorted(regular))


def _name(path: str) -> str:
    """The path of a module without what follows its name: `numpy/core/_multiarray_umath`."""
    directory, name = posixpath.split(path)
    return posixpath.join(directory, name.partition(".")[0])
