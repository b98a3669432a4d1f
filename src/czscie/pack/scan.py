"""Whether a module looks at the files of packages, its own above all. When in doubt it does."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Collection, Iterator

#: No module looks at files without one of these in its text.
_SIGNS = re.compile(
    rb"__file__|__path__|__cached__|co_filename|getfile|getsourcefile|getabsfile|\.origin\b"
    rb"|submodule_search_locations|\bresource_|\.module_path\b|get_filename|spec_from_file_location"
    rb"|getframeinfo|getouterframes|getinnerframes|\bstack\b|\.py[\"']"
)
_NAMES = frozenset({"__file__", "__path__", "__cached__"})
_FUNCTIONS = frozenset(
    {
        *("getfile", "getsourcefile", "getabsfile", "get_filename", "spec_from_file_location"),
        *("getframeinfo", "getouterframes", "getinnerframes"),
        # pkg_resources, which lists directories. Of data it reads streams and strings as ever.
        *("resource_filename", "resource_exists", "resource_isdir", "resource_listdir"),
    }
)
_ATTRIBUTES = _NAMES | _FUNCTIONS | {"co_filename", "origin", "submodule_search_locations", "module_path"}
#: Who has a module's spec says so: other origins are those of addresses, times and pictures.
_SPECS = re.compile(rb"(?<![A-Za-z])spec(?![A-Za-z])|ModuleSpec")
#: Functions that take a package's `__path__` to find modules, which those of packs are.
_OF_IMPORTS = frozenset({"extend_path", "iter_modules", "walk_packages"})
#: Methods of strings that tell no more than whether something is so.
_TESTS = frozenset({"startswith", "endswith"})
#: Arguments of `warnings.warn` that are compared with names of files.
_COMPARED = frozenset({"skip_file_prefixes"})
#: What a frame of `inspect.stack()` has besides the name of its file, and which item is which.
_OF_FRAMES = frozenset({"frame", "lineno", "function", "code_context", "index", "positions"})
_FILENAME = 1
#: Methods and functions that are given the name of a file in a package.
_JOINING = frozenset(
    {
        *("joinpath", "with_name", "glob", "rglob", "join", "path", "as_file", "is_resource"),
        *("open_text", "open_binary", "read_text", "read_binary", "get_data"),
        *("resource_stream", "resource_string"),
    }
)


#: Bytes of a source that is parsed, for which a megabyte takes some seconds and 300 MB of memory.
_LARGEST = 1 << 20


def looks_at_files(source: bytes, harmless: Collection[str] = ()) -> str | None:
    """What in the module `source` is used to look at files, such as `__file__`; None when nothing is.

    Not counted are names that get a value, comparisons, of which nothing but yes or no remains, uses of
    `__path__` that only extend or list what can be imported (PEP 420's ancestors), and whatever is in one of
    the lines `harmless`, which are stripped of white space.
    """
    if _SIGNS.search(source) is None:
        return None
    if len(source) > _LARGEST:
        return "what is too large to be read"
    tree = _parsed(source)
    if tree is None:
        return "what does not compile"
    ignored = frozenset() if _SPECS.search(source) else frozenset({"origin"})
    innocent = {id(node) for node in _innocent(tree)}
    lines = source.splitlines() if harmless else []
    for node in ast.walk(tree):
        found = _sign(node)
        if found is None or found in ignored or id(node) in innocent:
            continue
        number = getattr(node, "lineno", 0)
        if not (harmless and lines[number - 1].strip().decode("utf-8", "replace") in harmless):
            return found
    return None


def caches_beside(source: bytes) -> bool:
    """Whether numba is to cache what it compiles of the module `source`: it does so beside its file."""
    if b"numba" not in source or b"cache" not in source:
        return False
    tree = _parsed(source)
    return tree is None or any(_says_cache(node) for node in ast.walk(tree))


def directories_of_pth(text: bytes) -> list[str]:
    """The directories that a `.pth` file adds to `sys.path`, as it says them (site.addpackage)."""
    lines = (line.strip() for line in text.decode("utf-8", "replace").splitlines())
    return [line for line in lines if line and not line.startswith(("#", "import ", "import\t"))]


def _parsed(source: bytes) -> ast.Module | None:
    """None where it cannot be parsed: it does not compile, or is too large."""
    if len(source) > _LARGEST:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes that are none: somebody else's affair
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _says_cache(node: ast.AST) -> bool:
    """`cache=True` in a call or in a dictionary of arguments, or what may be true."""
    match node:
        case ast.keyword(arg="cache", value=value):
            return not (isinstance(value, ast.Constant) and not value.value)
        case ast.Dict(keys=keys, values=values):
            return any(
                isinstance(key, ast.Constant) and key.value == "cache" and getattr(value, "value", True)
                for key, value in zip(keys, values, strict=True)
            )
    return False


def _sign(node: ast.AST) -> str | None:
    match node:
        case ast.Name(id=name, ctx=ast.Load()) if name in _NAMES:
            return name
        case ast.Attribute(attr=name, ctx=ast.Load()) if name in _ATTRIBUTES:
            return name
        case ast.Attribute(attr="stack", value=ast.Name(id="inspect")):
            return "inspect.stack"
        case ast.alias(name=name) if name in _ATTRIBUTES:
            return name
        case ast.ImportFrom(module="inspect", names=names) if any(alias.name == "stack" for alias in names):
            return "inspect.stack"
        case ast.Constant(value=str(text)) if text in _ATTRIBUTES - _FUNCTIONS - {"origin"}:
            return text
        case ast.Call(args=[*_, ast.Constant(value=str(text))]) if text in _FUNCTIONS:
            return text
        case ast.BinOp(op=ast.Div(), right=ast.Constant(value=str(text))) if text.endswith(".py"):
            return text
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name), args=arguments) if name in _JOINING:
            return next(filter(_is_source, map(_text, arguments)), None)
    return None


def _text(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _is_source(text: str) -> bool:
    """Whether a text names sources: `worker.py`, `**/*.py`. A suffix is not the name of a file."""
    return text.endswith(".py") and text != ".py"


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
            case ast.Call(keywords=keywords) if any(keyword.arg in _COMPARED for keyword in keywords):
                for keyword in keywords:
                    if keyword.arg in _COMPARED:
                        yield from ast.walk(keyword.value)
            case ast.Attribute(attr=name, value=value) if name in _OF_FRAMES:
                yield from ast.walk(value)
            case ast.Subscript(slice=ast.Constant(value=int(item)), value=ast.Subscript(value=value)) if (
                item != _FILENAME
            ):
                yield from ast.walk(value)
            case ast.Compare(left=left, comparators=others):
                for operand in (left, *others):
                    yield operand
                    if isinstance(operand, ast.Tuple | ast.List | ast.Set):
                        yield from operand.elts
            case ast.Dict(keys=keys):
                yield from (key for key in keys if key is not None)
