"""Compiles regular expressions. Runs in the interpreter that will use them: CPython 3.9 to 3.15, `-I -S -B`.

Reads from standard input, for each module, the length of its source (bytes, big-endian, 4) and the source.
Writes to standard output, marshalled and sorted, for each pattern and its flags their hash (8 bytes) and the
marshalled entry: pattern, flags, and the arguments of `_sre.compile`.

Patterns are found in the text, without running it: what is overlooked is compiled when it is used, as ever,
and what is found in error is never asked for.
"""

import _imp
import ast
import marshal
import re
import sys
import warnings

try:
    from re import _compiler, _parser
except ImportError:  # before 3.11
    import sre_compile as _compiler
    import sre_parse as _parser

import _sre

#: The functions of `re` that compile their first argument, and the place of their flags.
_FUNCTIONS = {
    "compile": 1,
    "match": 2,
    "search": 2,
    "fullmatch": 2,
    "findall": 2,
    "finditer": 2,
    "split": 3,
    "sub": 4,
    "subn": 4,
}
#: What modules call `re`.
_NAMES = ("re", "_re", "sre", "regex")
#: Patterns whose compilation prints, or depends on the locale.
_NEVER = re.DEBUG | re.LOCALE
#: A string larger than this is not worth its place.
_LARGEST = 1 << 14


#: Modules without a sign of regular expressions are not parsed.
_SIGN = re.compile(rb"^[ \t]*(?:import|from)[ \t][^\n]*\bre\b|re_compile", re.MULTILINE)
_DEEPEST = 40


class Unknown(Exception):
    """The value of an expression is not to be told from the text."""


class Constants:
    """The values of a module's names, by what is assigned to them last, wherever that is."""

    def __init__(self, tree):
        self._assigned = {}
        for node in ast.walk(tree):
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            for target in targets:
                if (
                    isinstance(target, ast.Name)
                    and isinstance(node, (ast.Assign, ast.AnnAssign))
                    and node.value
                ):
                    self._assigned[target.id] = node.value

    def value(self, node, bound=None, depth=0):
        """The value of the expression `node`, with the names `bound`. Raises Unknown."""
        if depth > _DEEPEST:
            raise Unknown
        bound = bound or {}
        try:
            return self._value(node, bound, lambda inner, more=bound: self.value(inner, more, depth + 1))
        except (TypeError, ValueError, LookupError, AttributeError, MemoryError) as error:
            raise Unknown from error

    def _value(self, node, bound, value):
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Attribute):
            return _flag(node.attr) if _is_re(node.value) else value(self._assigned[node.attr])
        if isinstance(node, ast.Name):
            if node.id in bound:
                return bound[node.id]
            return value(self._assigned[node.id]) if node.id in self._assigned else _flag(node.id)
        if isinstance(node, (ast.Tuple, ast.List)):
            return tuple(map(value, node.elts))
        if isinstance(node, ast.Dict):
            return {value(key): value(item) for key, item in zip(node.keys, node.values)}
        if isinstance(node, ast.JoinedStr):
            return "".join(str(value(part)) for part in node.values)
        if isinstance(node, ast.FormattedValue) and node.format_spec is None and node.conversion == -1:
            return value(node.value)
        if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):
            return value(node.values[0]) or value(node.values[-1])
        if isinstance(node, ast.BinOp):
            return _operated(node.op, value(node.left), value(node.right))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return -value(node.operand)
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
            first, last = (
                None if end is None else value(end) for end in (node.slice.lower, node.slice.upper)
            )
            return value(node.value)[first:last]
        if isinstance(node, (ast.ListComp, ast.GeneratorExp)):
            [loop] = node.generators
            if not loop.ifs:
                return tuple(value(node.elt, {**bound, loop.target.id: item}) for item in value(loop.iter))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            return _called(node, value)
        raise Unknown


def _is_re(node):
    return isinstance(node, ast.Name) and node.id in _NAMES


def _flag(name):
    flag = getattr(re, name, None)
    if not isinstance(flag, re.RegexFlag):
        raise Unknown
    return int(flag)


def _operated(operator, left, right):
    if isinstance(operator, ast.Add):
        return left + right
    if isinstance(operator, ast.Mod) and isinstance(left, (str, bytes)):
        return left % right
    if isinstance(operator, ast.BitOr) and type(left) is type(right) is int:
        return left | right
    raise Unknown


def _called(node, value):
    """The value of a call of `re.escape`, or of `join` or `format` of a text."""
    arguments = [value(argument) for argument in node.args]
    keywords = {keyword.arg: value(keyword.value) for keyword in node.keywords}
    if node.func.attr == "escape":
        return re.escape(*arguments)
    text = value(node.func.value) if node.func.attr in ("join", "format") else None
    if not isinstance(text, (str, bytes)):
        raise Unknown
    return getattr(text, node.func.attr)(*arguments, **keywords)


def patterns(source):
    """Pairs of a pattern and its flags that the module may compile."""
    if _SIGN.search(source) is None:
        return
    try:
        tree = ast.parse(source)
        constants = Constants(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        place = _place_of_flags(node.func)
        if place is None:
            continue
        flags = [keyword.value for keyword in node.keywords if keyword.arg == "flags"] or node.args[
            place : place + 1
        ]
        try:
            pattern = constants.value(node.args[0])
            found = constants.value(flags[0]) if flags else 0
        except (Unknown, RecursionError):
            continue
        if isinstance(pattern, (str, bytes)) and len(pattern) < _LARGEST and type(found) is int:
            yield pattern, found


def _place_of_flags(function):
    """Where a call of `function` has flags; None for one that compiles nothing, as far as its name tells."""
    if isinstance(function, ast.Attribute):
        if _is_re(function.value):
            return _FUNCTIONS.get(function.attr)
        name = function.attr
    else:
        name = getattr(function, "id", "")
    return 1 if "re_compile" in name or name in ("compile", "_compile") else None


def compiled(pattern, flags):
    """The arguments of `_sre.compile` for `pattern` but itself; None where they must not be kept."""
    if flags & _NEVER:
        return None
    parsed = _parser.parse(pattern, flags)
    final = flags | parsed.state.flags
    if final & _NEVER:
        return None
    code = _compiler._code(parsed, flags)
    groups = dict(parsed.state.groupdict)
    names = [None] * parsed.state.groups
    for name, number in groups.items():
        names[number] = name
    arguments = final, parsed.state.groups - 1, groups, tuple(names)
    made = _sre.compile(pattern, final, code, *arguments[1:])
    if made != re.compile(pattern, flags):
        return None
    return (final, b"".join(word.to_bytes(4, "little") for word in code), *arguments[1:])


def main():
    read = sys.stdin.buffer.read
    table = {}
    warnings.simplefilter("error")
    while length := read(4):
        for key in patterns(read(int.from_bytes(length, "big"))):
            if key in table:
                continue
            try:
                table[key] = compiled(*key)
            except (
                re.error,
                Warning,
                ValueError,
                OverflowError,
                RecursionError,
                MemoryError,
                AssertionError,
            ):
                table[key] = None
    entries = [
        (_hash(*key), marshal.dumps((*key, *arguments), 2)) for key, arguments in table.items() if arguments
    ]
    sys.stdout.buffer.write(marshal.dumps(sorted(entries), 2))


def _hash(pattern, flags):
    """What the finder looks a pattern up by: 8 bytes, the same in every process."""
    text = pattern if isinstance(pattern, bytes) else pattern.encode("utf-8", "surrogatepass")
    return _imp.source_hash(flags << 1 | isinstance(pattern, bytes), text)


main()
