"""Whether a module looks at the files of packages, its own above all. When in doubt it does."""

from __future__ import annotations

import ast
import re

#: No module looks at files without one of these in its text.
_SIGNS = re.compile(
    rb"__file__|__path__|__cached__|co_filename|getfile|getsourcefile|getabsfile|\.origin\b"
    rb"|submodule_search_locations|resource_filename|\.module_path\b"
)
_NAMES = frozenset({"__file__", "__path__", "__cached__"})
_ATTRIBUTES = frozenset(
    {
        *_NAMES,
        *("co_filename", "getfile", "getsourcefile", "getabsfile", "origin"),
        *("submodule_search_locations", "resource_filename", "module_path"),
    }
)
#: Functions that take a package's `__path__` to find modules, which those of packs are.
_OF_IMPORTS = frozenset({"extend_path", "iter_modules", "walk_packages"})


def looks_at_files(source: bytes) -> str | None:
    """What in the module `source` is used to look at files, such as `__file__`; None when nothing is.

    Not counted are uses of `__path__` that only extend or list what can be imported (PEP 420's ancestors).
    """
    if _SIGNS.search(source) is None:
        return None
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return "what does not compile"
    innocent = set(_innocent(tree))
    for node in ast.walk(tree):
        found = _sign(node)
        if found is not None and id(node) not in innocent:
            return found
    return None


def _sign(node: ast.AST) -> str | None:
    match node:
        case ast.Name(id=name) if name in _NAMES:
            return name
        case ast.Attribute(attr=name) if name in _ATTRIBUTES:
            return name
        case ast.alias(name=name) if name in _ATTRIBUTES:
            return name
        case ast.Constant(value=str(text)) if text in _ATTRIBUTES - {"origin"}:
            return text
    return None


def _innocent(tree: ast.AST) -> list[int]:
    """The identities of nodes that are `__path__` for the sake of imports."""
    found: list[int] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _called(node) in _OF_IMPORTS:
            found += (id(argument) for argument in node.args)
        elif isinstance(node, ast.Assign) and _is_extending(node.value):
            found += (id(target) for target in node.targets)
    return found


def _is_extending(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and _called(value) == "extend_path"


def _called(node: ast.Call) -> str | None:
    match node.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return None
