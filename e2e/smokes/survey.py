"""What can be found out about a distribution and its modules by the interfaces that programs use for it."""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import importlib.resources
import importlib.util
import inspect
import pkgutil
import sys
from collections.abc import Iterator
from importlib.resources.abc import Traversable
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

#: How many of a module's functions and classes are asked for their source.
_OBJECTS = 5


def survey(name: str) -> dict[str, Any]:
    """About the distribution `name`; `missing` are those of its files that are none."""
    distribution = importlib.metadata.distribution(name)
    recorded = [line.partition(",")[0] for line in (distribution.read_text("RECORD") or "").splitlines()]
    tops = sorted({_top(path) for path in recorded if path.endswith(".py") and not path.startswith("..")})
    loaded = [module for top in tops if (module := _load(top)) is not None]
    points = sorted((point.group, point.name, point.value) for point in distribution.entry_points)
    return {
        "version": distribution.version,
        "entry points": points,
        "targets": [repr(type(point.load())) for point in distribution.entry_points if _is_script(point)],
        "files": sorted(f"{file} {file.hash} {file.size}" for file in distribution.files or []),
        "modules": [line for module in loaded for line in _modules(module)],
        "imported": [line for line in map(_describe, _own(tops)) if line is not None],
        "resources": {package.__name__: _resources(package) for package in _packages(tops)},
        "missing": sorted(
            path for path in recorded if not Path(str(distribution.locate_file(path))).exists()
        ),
    }


def _is_script(point: importlib.metadata.EntryPoint) -> bool:
    return point.group == "console_scripts" and not point.extras


def _top(path: str) -> str:
    return path.partition("/")[0].removesuffix(".py")


def _load(name: str) -> ModuleType | None:
    """The module `name`; None where there is no such module or it does not want to be imported."""
    if not name.isidentifier():
        return None
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def _modules(package: ModuleType) -> list[str]:
    """The names of the modules below `package`, found but not imported."""
    found = []
    pending = [(package.__name__, list(getattr(package, "__path__", [])))]
    while pending:
        name, paths = pending.pop()
        for info in pkgutil.iter_modules(paths, f"{name}."):
            found.append(f"{info.name} {'package' if info.ispkg else 'module'}")
            if info.ispkg:
                last = info.name.rpartition(".")[2]
                pending.append((info.name, [f"{path}/{last}" for path in paths]))
    return sorted(found)


def _own(tops: list[str]) -> Iterator[ModuleType]:
    """The modules of the packages `tops` that have been imported by now."""
    for name, module in sorted(sys.modules.items()):
        if name.partition(".")[0] in tops and isinstance(module, ModuleType) and module.__spec__ is not None:
            yield module


def _describe(module: ModuleType) -> str | None:
    """What a module says about itself, its sources and those of its functions included."""
    spec = module.__spec__
    if spec is None or spec.loader is None or not spec.has_location:
        return None
    attributes = [
        *(module.__name__, module.__package__, getattr(module, "__file__", None), spec.origin),
        *(spec.cached, list(getattr(module, "__path__", [])), spec.submodule_search_locations),
    ]
    sources: list[str] = []
    if str(spec.origin).endswith(".py"):
        sources.append(_source(module))
        items = [item for item in vars(module).values() if type(item) in (FunctionType, type)]
        own = [item for item in items if item.__module__ == module.__name__]
        sources += map(_source, own[:_OBJECTS])
        attributes.append(inspect.getsourcefile(module))
        sources.append(spec.loader.get_source(spec.name) or "")  # type: ignore[attr-defined]
    return f"{attributes} {_digest(sources)}"


def _source(item: Any) -> str:
    try:
        return inspect.getsource(item)
    except (OSError, TypeError) as error:
        return type(error).__name__


def _packages(tops: list[str]) -> Iterator[ModuleType]:
    """The outermost of the packages that have been imported by now and are no namespaces."""
    found: list[str] = []
    for module in _own(tops):
        below = any(module.__name__.startswith(f"{name}.") for name in found)
        if getattr(module, "__path__", None) and getattr(module, "__file__", None) and not below:
            found.append(module.__name__)
            yield module


def _resources(package: ModuleType) -> str:
    """All files of a package, as importlib.resources has them."""
    lines = sorted(_tree(importlib.resources.files(package.__name__), ""))
    return f"{len(lines)} {_digest(lines)}"


def _tree(directory: Traversable, above: str) -> Iterator[str]:
    for item in directory.iterdir():
        path = f"{above}/{item.name}"
        if item.is_dir():
            if item.name != "__pycache__":
                yield path
                yield from _tree(item, path)
        else:
            yield f"{path} {hashlib.sha256(item.read_bytes()).hexdigest()}"


def _digest(lines: list[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()[:16]
