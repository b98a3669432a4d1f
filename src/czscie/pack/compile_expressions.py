"""Compiles regular expressions. Runs in the interpreter that will use them: CPython 3.9 to 3.15, `-s -S -B`.

Reads from standard input, for each module, the length of its source (bytes, big-endian, 4) and the source.
Writes to standard output `!`, and for each module a letter, a length of four bytes, and so many bytes: a
marshalled list with the hash (8 bytes) and the marshalled entry of each pattern with its flags: pattern,
flags, and the arguments of `_sre.compile`. The letter is `.`, or `S` for a module whose budget of steps was
spent before all was found, or `L` for one that is too large.

Patterns are found in the text, without running it: what is overlooked is compiled when it is used, as ever,
and what is found in error is never asked for.

What a module may cost is counted in steps of about a microsecond, so that it is the same on every machine. An
end by SIGPROF, after a time that no module needs, is the last resort, for what the steps do not count.
"""

import _imp
import _signal
import ast
import marshal
import re
import sys
import warnings

import _string

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
#: A source larger than this is not parsed.
_LARGEST_SOURCE = 1 << 20
#: Steps of a module: so many, and so many more for each byte of it. No module of the standard library and of
#: a hundred distributions that were looked at takes half of that.
_STEPS = 2_000_000
_STEPS_PER_BYTE = 20
#: Steps of one value: more have none that is a pattern.
_STEPS_PER_VALUE = 200_000
#: Of the processor.
_SECONDS = 120
#: What a field of `%` may be: `%s`, `%(name)r`, `%02x`.
_SIMPLE_FIELD = re.compile(r"%(?:\(\w*\))?[-+ #0]*\d?[%a-zA-Z]")


class Unknown(Exception):
    """The value of an expression is not to be told from the text."""


class Exhausted(Exception):
    """The budget of a module is spent."""


class Budget:
    """The steps that a module of `size` bytes has left."""

    def __init__(self, size):
        self._left = _STEPS + size * _STEPS_PER_BYTE
        self._least = 0

    def begin(self):
        """Starts the budget of one value."""
        self._least = max(self._left - _STEPS_PER_VALUE, 0)

    def take(self, steps):
        """Raises Exhausted."""
        self._left -= steps
        if self._left < 0:
            raise Exhausted

    def take_for_value(self, steps):
        """Raises Exhausted, or Unknown when it is the value that takes too many."""
        self.take(steps)
        if self._left < self._least:
            raise Unknown


class Constants:
    """The values of a module's names, by what is assigned to them last, wherever that is."""

    def __init__(self, nodes, budget):
        self._assigned = {}
        self._budget = budget
        for node in nodes:
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
        if not depth:
            self._budget.begin()
        self._budget.take_for_value(1)
        bound = bound or {}
        try:
            found = self._value(node, bound, lambda inner, more=bound: self.value(inner, more, depth + 1))
            self._budget.take_for_value(_size(found))
            return found
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
        _check_fields(left, right)
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
    if node.func.attr == "format":
        _check_format(text, arguments, keywords)
    elif len(arguments) == 1:
        _check_size(len(text) * len(arguments[0]) + _size(arguments[0]))
    return getattr(text, node.func.attr)(*arguments, **keywords)


def _size(value):
    """The number of characters and items of a value. Raises Unknown when that is more than a pattern has."""
    if isinstance(value, (str, bytes)):
        size = len(value)
    elif isinstance(value, (tuple, dict)):
        size = len(value)
        for item in value:
            size += _size(item)
            if isinstance(value, dict):
                size += _size(value[item])
            _check_size(size)
    else:
        size = value.bit_length() // 4 if isinstance(value, int) else 1
    _check_size(size)
    return size


def _check_size(size):
    if size > _LARGEST:
        raise Unknown


def _check_fields(template, values):
    """Raises Unknown where `%` would make of a template more than a pattern is."""
    text = template if isinstance(template, str) else template.decode("latin-1")
    if _SIMPLE_FIELD.sub("", text).count("%"):
        raise Unknown
    _check_size(len(text) + text.count("%") * (10 + _size(values)))


def _check_format(template, arguments, keywords):
    """The same of `format`: attributes of values may be addresses."""
    fields = [part for part in _string.formatter_parser(template) if part[1] is not None]
    if any(not (not name or name.isidentifier() or name.isdigit()) or form for _, name, form, _ in fields):
        raise Unknown
    _check_size(len(template) + len(fields) * (_size(tuple(arguments)) + _size(keywords)))


def patterns(source, budget):
    """Pairs of a pattern and its flags that the module may compile. Raises Exhausted."""
    if _SIGN.search(source) is None:
        return
    try:
        nodes = _walk(ast.parse(source))
        constants = Constants(nodes, budget)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in nodes:
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


def _walk(tree):
    """All nodes, those above before those below (ast.walk, which takes three times as long)."""
    nodes = [tree]
    for node in nodes:
        for name in node._fields:
            value = getattr(node, name, None)
            if isinstance(value, ast.AST):
                nodes.append(value)
            elif isinstance(value, list):
                nodes += [each for each in value if isinstance(each, ast.AST)]
    return nodes


def _place_of_flags(function):
    """Where a call of `function` has flags; None for one that compiles nothing, as far as its name tells."""
    if isinstance(function, ast.Attribute):
        if _is_re(function.value):
            return _FUNCTIONS.get(function.attr)
        name = function.attr
    else:
        name = getattr(function, "id", "")
    return 1 if "re_compile" in name or name in ("compile", "_compile") else None


def compiled(pattern, flags, budget):
    """The arguments of `_sre.compile` for `pattern` but itself; None where they must not be kept.

    Raises Exhausted.
    """
    if flags & _NEVER:
        return None
    budget.take(4 * len(pattern))
    parsed = _parser.parse(pattern, flags)
    budget.take(_cost(parsed))
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


def _cost(parsed):
    """The steps that compiling takes: with IGNORECASE every character of a set is looked at."""
    steps = 1
    if isinstance(parsed, tuple) and len(parsed) == 2 and parsed[0] is _parser.RANGE:
        return 1 + (parsed[1][1] - parsed[1][0]) // 8
    if isinstance(parsed, tuple) and len(parsed) == 2 and parsed[0] is _parser.IN:
        steps = 500
    if isinstance(parsed, (tuple, list, _parser.SubPattern)):
        steps += sum(map(_cost, parsed))
    return steps


def main():
    read = sys.stdin.buffer.read
    warnings.simplefilter("error")
    sys.stdout.buffer.write(b"!")
    sys.stdout.buffer.flush()
    limited = hasattr(_signal, "ITIMER_PROF")
    while length := read(4):
        if limited:
            _signal.setitimer(_signal.ITIMER_PROF, _SECONDS)
        entries, letter = _entries(read(int.from_bytes(length, "big")))
        answer = marshal.dumps(entries, 2)
        sys.stdout.buffer.write(letter + len(answer).to_bytes(4, "big") + answer)
        sys.stdout.buffer.flush()


def _entries(source):
    """The entries of a module, each once, and the letter that says how it went."""
    entries = []
    known = set()
    if len(source) > _LARGEST_SOURCE:
        return entries, b"L"
    budget = Budget(len(source))
    try:
        for key in patterns(source, budget):
            if key in known:
                continue
            known.add(key)
            if arguments := _compiled(*key, budget):
                entries.append((_hash(*key), marshal.dumps((*key, *arguments), 2)))
    except Exhausted:
        return entries, b"S"
    return entries, b"."


def _compiled(pattern, flags, budget):
    try:
        return compiled(pattern, flags, budget)
    except (
        re.error,
        Warning,
        ValueError,
        OverflowError,
        RecursionError,
        MemoryError,
        AssertionError,
    ):
        return None


def _hash(pattern, flags):
    """The finder's key of a pattern: 8 bytes, the same in every process."""
    text = pattern if isinstance(pattern, bytes) else pattern.encode("utf-8", "surrogatepass")
    return _imp.source_hash(flags << 1 | isinstance(pattern, bytes), text)


main()
