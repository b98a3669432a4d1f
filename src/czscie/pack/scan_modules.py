"""Tells which files modules look at, and what they import. Runs in the interpreter that will load them, whose
parser knows their syntax: CPython 3.9 to 3.15, `python -s -S -B`.

Reads from standard input, for each module, the length of a question (bytes, big-endian, 4) and the question:
a marshalled tuple of `files` or `imports`, the source, and more. Writes to standard output `!`, and for each
module `.`, a length of four bytes, and so many bytes: the marshalled answer.

`files` is asked with the lines that are harmless, stripped of white space, and the names that are no signs
in this module. The answer is what it uses to look at files ("" for nothing), and whether numba or ply is to
cache beside it; when in doubt it does both. Not counted are names that get a value, comparisons, of which
nothing but yes or no remains, uses of `__path__` that only extend or list what can be imported (PEP 420's
ancestors), and what is in harmless lines.

`imports` is answered with the full names of the modules that it imports or starts, and None where it does not
compile or is too large.
"""

import _ast
import _signal
import marshal
import sys

#: Bytes of a source that is parsed, for which a megabyte takes some seconds and 300 MB of memory.
_LARGEST = 1 << 20
#: Of the processor.
_SECONDS = 120

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
#: Strings of these are what `getattr` and tables of names have.
_TEXTS = _ATTRIBUTES - _FUNCTIONS - {"origin"}
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
#: Functions that read files and directories of the disk only. They are signs in a module that gets paths from
#: `importlib.resources.files` or `importlib.metadata.files`.
_OF_THE_DISK = frozenset({"copytree", "copyfile", "copy2", "listdir", "scandir", "walk", "fwalk"})


def main():
    read, write = sys.stdin.buffer.read, sys.stdout.buffer.write
    write(b"!")
    sys.stdout.buffer.flush()
    limited = hasattr(_signal, "ITIMER_PROF")
    while length := read(4):
        if limited:
            _signal.setitimer(_signal.ITIMER_PROF, _SECONDS)
        question, *details = marshal.loads(read(int.from_bytes(length, "big")))
        answer = marshal.dumps(_ANSWERS[question](*details), 2)
        write(b"." + len(answer).to_bytes(4, "big") + answer)
        sys.stdout.buffer.flush()


def signs(source, harmless, ignored):
    if len(source) > _LARGEST:
        return "what is too large to be read", True
    if (tree := _parsed(source)) is None:
        return "what does not compile", True
    nodes = list(_walk(tree))
    return _looks(nodes, source.splitlines() if harmless else (), harmless, ignored), _caches(nodes)


def imported(source):
    tree = _parsed(source) if len(source) <= _LARGEST else None
    return None if tree is None else sorted({name for node in _walk(tree) for name in _modules(node)})


def _parsed(source):
    try:
        return compile(source, "", "exec", _ast.PyCF_ONLY_AST, dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError, SystemError):
        return None


def _looks(nodes, lines, harmless, ignored):
    innocent = {id(each) for node in nodes for each in _innocent(node)}
    resources = any(map(_gets_resources, nodes))
    for node in nodes:
        found = _sign(node) or (resources and _sign_beside_resources(node))
        if not found or found in ignored or id(node) in innocent:
            continue
        number = getattr(node, "lineno", 0)  # before 3.10 the names of an import have none
        if not (harmless and number and lines[number - 1].strip().decode("utf-8", "replace") in harmless):
            return found
    return ""


def _walk(tree):
    """All nodes, those above before those below (ast.walk, which takes longer to import than to run)."""
    row = [tree]
    for node in row:
        yield node
        for name in node._fields:
            value = getattr(node, name, None)
            if isinstance(value, _ast.AST):
                row.append(value)
            elif isinstance(value, list):
                row += [each for each in value if isinstance(each, _ast.AST)]


def _sign(node):
    if isinstance(node, _ast.Name):
        return node.id if node.id in _NAMES and isinstance(node.ctx, _ast.Load) else None
    if isinstance(node, _ast.Attribute):
        return _sign_of_attribute(node)
    if isinstance(node, _ast.Call):
        return _sign_of_call(node)
    if isinstance(node, _ast.Constant):
        return node.value if isinstance(node.value, str) and node.value in _TEXTS else None
    if isinstance(node, _ast.alias):
        return node.name if node.name in _ATTRIBUTES else None
    if isinstance(node, _ast.ImportFrom):
        stack = node.module == "inspect" and any(alias.name == "stack" for alias in node.names)
        return "inspect.stack" if stack else None
    if isinstance(node, _ast.BinOp) and isinstance(node.op, _ast.Div):
        text = _text(node.right)
        return text if text.endswith(".py") else None
    return None


def _sign_of_attribute(node):
    if node.attr in _ATTRIBUTES and isinstance(node.ctx, _ast.Load):
        return node.attr
    if node.attr == "stack" and isinstance(node.value, _ast.Name) and node.value.id == "inspect":
        return "inspect.stack"
    return None


def _sign_of_call(node):
    if node.args and _text(node.args[-1]) in _FUNCTIONS:
        return node.args[-1].value
    if _name(node.func) in _JOINING:
        return next(filter(_is_source, map(_text, node.args)), None)
    return None


def _gets_resources(node):
    if isinstance(node, _ast.ImportFrom):
        package = (node.module or "").partition(".")[0]
        return package.startswith("importlib") and any(alias.name == "files" for alias in node.names)
    return isinstance(node, _ast.Call) and _name(node.func) == "files"


def _sign_beside_resources(node):
    if not isinstance(node, _ast.Call):
        return None
    name = _name(node.func)
    if name == "copy":  # those of dictionaries and of the module `copy` take less
        return name if len(node.args) > 1 else None
    if name == "walk" and isinstance(node.func, _ast.Attribute):  # `ast` has one, too
        return name if _name(node.func.value) == "os" else None
    return name if name in _OF_THE_DISK else None


def _name(function):
    """The last name of a function; "" where it has none."""
    if isinstance(function, _ast.Attribute):
        return function.attr
    return function.id if isinstance(function, _ast.Name) else ""


def _text(node):
    return node.value if isinstance(node, _ast.Constant) and isinstance(node.value, str) else ""


def _is_source(text):
    """Whether a text names sources: `worker.py`, `**/*.py`. A suffix is not the name of a file."""
    return text.endswith(".py") and text != ".py"


def _innocent(node):
    """The nodes below `node` whose value goes into an import, a comparison or a new dictionary's keys."""
    if isinstance(node, _ast.Call):
        yield from _innocent_of_call(node)
    elif isinstance(node, _ast.Attribute) and node.attr in _OF_FRAMES:
        yield from _walk(node.value)
    elif isinstance(node, _ast.Subscript) and isinstance(node.value, _ast.Subscript):
        item = node.slice.value if isinstance(node.slice, _ast.Constant) else None
        if isinstance(item, int) and item != _FILENAME:
            yield from _walk(node.value.value)
    elif isinstance(node, _ast.Compare):
        for operand in (node.left, *node.comparators):
            yield operand
            if isinstance(operand, (_ast.Tuple, _ast.List, _ast.Set)):
                yield from operand.elts
    elif isinstance(node, _ast.Dict):
        yield from (key for key in node.keys if key is not None)


def _innocent_of_call(node):
    name = _name(node.func)
    if name in _OF_IMPORTS:
        yield from node.args
        yield from (keyword.value for keyword in node.keywords)
    elif name == "hasattr" and isinstance(node.func, _ast.Name):
        yield from node.args[1:]
    elif name in _TESTS and isinstance(node.func, _ast.Attribute):
        yield node.func.value
    for keyword in node.keywords:
        if keyword.arg in _COMPARED:
            yield from _walk(keyword.value)


def _caches(nodes):
    """Whether one of `nodes` says `cache=True`, or what may be true, in a call or in a dictionary, or calls
    `yacc`, which writes its tables beside the caller unless `write_tables` is false.
    """
    for node in nodes:
        if isinstance(node, _ast.Call) and _name(node.func) == "yacc":
            tables = [each.value for each in node.keywords if each.arg == "write_tables"]
            if not (tables and isinstance(tables[0], _ast.Constant) and not tables[0].value):
                return True
        if isinstance(node, _ast.keyword):
            if node.arg == "cache" and not (isinstance(node.value, _ast.Constant) and not node.value.value):
                return True
        elif isinstance(node, _ast.Dict):
            for key, value in zip(node.keys, node.values):
                if _text(key) == "cache" and getattr(value, "value", True):
                    return True
    return False


def _modules(node):
    """The full names of the modules that one node of a syntax tree imports or starts."""
    if isinstance(node, _ast.Import):
        for alias in node.names:
            yield _without_six(alias.name)
    elif isinstance(node, _ast.ImportFrom):
        if node.module and not node.level:
            for alias in node.names:
                yield _without_six(f"{node.module}.{alias.name}")
    elif isinstance(node, _ast.Call):
        yield from _started(node.args)
        name = _name(node.func).lower()
        if "import" in name or name == "run_module":
            yield from filter(None, map(_text, [*node.args, *(keyword.value for keyword in node.keywords)]))
    elif isinstance(node, (_ast.List, _ast.Tuple)):
        yield from _started(node.elts)


def _without_six(module):
    """`six.moves.tkinter_font.Font` is of tkinter, wherever somebody has put a copy of six."""
    _, six, moved = module.partition("six.moves.")
    return moved.partition("_")[0] if six else module


def _started(arguments):
    """The argument after "-m"."""
    for option, module in zip(arguments, arguments[1:]):
        if _text(option) == "-m" and _text(module):
            yield _text(module)


_ANSWERS = {"files": signs, "imports": imported}

if __name__ == "__main__":
    main()
