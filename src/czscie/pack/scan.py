"""Whether a module looks at the files of packages, its own above all. When in doubt it does."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

#: No module looks at files without one of these in its text.
_SIGNS = re.compile(
    rb"__file__|__path__|__cached__|co_filename|getfile|getsourcefile|getabsfile|\.origin\b"
    rb"|submodule_search_locations|resource_filename|\.module_path\b"
)
_NAMES = frozenset({"__file__", "__path__", "__cached__"})
_FUNCTIONS = frozenset({"getfile", "getsourcefile", "getabsfile", "resource_filename"})
_ATTRIBUTES = _NAMES | _FUNCTIONS | {"co_filename", "origin", "submodule_search_locations", "module_path"}
#: Who has a module's spec says so: other origins are those of addresses, times and pictures.
_SPECS = re.compile(rb"(?<![A-Za-z])spec(?![A-Za-z])|ModuleSpec")
#: Functions that take a package's `__path__` to find modules, which those of packs are.
_OF_IMPORTS = frozenset({"extend_path", "iter_modules", "walk_packages"})
#: Methods of strings that tell no more than whether something is so.
_TESTS = frozenset({"startswith", "endswith"})


#: Bytes of a source that is parsed, for which a megabyte takes some seconds and 300 MB of memory.
_LARGEST = 1 << 20


def looks_at_files(source: bytes) -> str | None:
    """What in the module `source` is used to look at files, such as `__file__`; None when nothing is.

    Not counted are names that get a value, comparisons, of which nothing but yes or no remains, and uses of
    `__path__` that only extend or list what can be imported (PEP 420's ancestors).
    """
    if _SIGNS.search(source) is None:
        return None
    if len(source) > _LARGEST:
        return "what is too large to be read"
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return "what does not compile"
    ignored = frozenset() if _SPECS.search(source) else frozenset({"origin"})
    innocent = {id(node) for node in _innocent(tree)}
    for node in ast.walk(tree):
        found = _sign(node)
        if found is not None and found not in ignored and id(node) not in innocent:
            return found
    return None


def _sign(node: ast.AST) -> str | None:
    match node:
        case ast.Name(id=name, ctx=ast.Load()) if name in _NAMES:
            return name
        case ast.Attribute(attr=name, ctx=ast.Load()) if name in _ATTRIBUTES:
            return name
        case ast.alias(name=name) if name in _ATTRIBUTES:
            return name
        case ast.Constant(value=str(text)) if text in _ATTRIBUTES - _FUNCTIONS - {"origin"}:
            return text
        case ast.Call(args=[*_, ast.Constant(value=str(text))]) if text in _FUNCTIONS:
            return text
    return None


def _innocent(tree: ast.AST) -> Iterator[ast.AST]:
    """Nodes whose value goes nowhere but into an import, a comparison or the keys of a new dictionary."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in _OF_IMPORTS:
                yield from node.args
                yield from (keyword.value for keyword in node.keywords)
            case ast.Call(func=ast.Name(id="hasattr")):
                yield from node.args[1:]
            case ast.Call(func=ast.Attribute(attr=name, value=text)) if name in _TESTS:
                yield text
            case ast.Compare(left=left, comparators=others):
                for operand in (left, *others):
                    yield operand
                    if isinstance(operand, ast.Tuple | ast.List | ast.Set):
                        yield from operand.elts
            case ast.Dict(keys=keys):
                yield from (key for key in keys if key is not None)
