"""Whether modules have what an entry point names, by their files and sources: nothing is imported."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterator, Sequence

from czscie.container.content import File
from czscie.errors import Code, CzscieError
from czscie.wheel.entry_points import EntryPoint
from czscie.wheel.wheel import Wheel

#: Names by which a module may define others that its source does not spell out.
_DYNAMIC = frozenset(
    {"globals", "locals", "vars", "exec", "eval", "setattr", "modules", "__dict__", "__getattr__"}
)
#: How many names an error lists.
_LISTED = 10


def check_defined(point: EntryPoint, wheels: Sequence[Wheel], sources: Sequence[File]) -> None:
    """Raises CzscieError when the module of `point` is among the files and does not define its attribute.

    Without an attribute it must not be a package that lacks `__main__`. A module that is not there, that this
    Python cannot parse or that may define names at run time is trusted.
    """
    if point.attribute is None:
        _check_started(point.module, wheels, sources)
        return
    name = point.attribute.partition(".")[0]
    found = _source(point.module, wheels, sources)
    if found is None:
        return
    path, content = found
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    defined = set(_defined(tree.body))
    if name in defined or "*" in defined or _is_dynamic(tree, name):
        return
    public = sorted(each for each in _functions(tree.body) if not each.startswith("_"))
    near = difflib.get_close_matches(name, public or sorted(defined), n=1)
    more = f" and {len(public) - _LISTED} more" if len(public) > _LISTED else ""
    raise CzscieError(
        f"{point.module} does not define {name}, which the entry point {point} names",
        code=Code.ENTRY_POINT_MISSING,
        why=f"{path} defines {', '.join(public[:_LISTED])}{more}"
        if public
        else f"{path} defines no function",
        hint=f"did you mean {point.module}:{near[0]}?" if near else None,
    )


def _check_started(module: str, wheels: Sequence[Wheel], sources: Sequence[File]) -> None:
    """Raises CzscieError when `module` is a package that `python -m` cannot start."""
    stem = module.replace(".", "/")
    paths = {*_paths(wheels, sources)}
    if f"{stem}/__init__.py" not in paths or any(path.startswith(f"{stem}/__main__.") for path in paths):
        return
    near = next((name for name in ("cli", "main") if f"{stem}/{name}.py" in paths), None)
    named = module if near is None else f"{module}.{near}"
    raise CzscieError(
        f"{module} is a package without __main__, so it cannot be started",
        code=Code.ENTRY_POINT_MISSING,
        why=f"the entry point {module} starts {stem}/__main__.py, which is not in the payload",
        hint=f"name a function, as in {named}:main",
    )


def _paths(wheels: Sequence[Wheel], sources: Sequence[File]) -> Iterator[str]:
    """The paths of all files below site-packages."""
    yield from (file.path for file in sources)
    for wheel in wheels:
        for member in wheel.members:
            yield _in_library(member.path) or member.path


def _source(module: str, wheels: Sequence[Wheel], sources: Sequence[File]) -> tuple[str, bytes] | None:
    """The path and the content of the file of `module`; None when there is none."""
    stem = module.replace(".", "/")
    names = (f"{stem}/__init__.py", f"{stem}.py")
    for name in names:
        for file in sources:
            if file.path == name:
                return name, file.content.read()
        for wheel in wheels:
            for member in wheel.members:
                if member.path == name or _in_library(member.path) == name:
                    return name, member.content.read()
    return None


def _in_library(path: str) -> str:
    """The path in site-packages of a file in a wheel's data directory; empty for others."""
    directory, _, rest = path.partition("/")
    scheme, _, inside = rest.partition("/")
    return inside if directory.endswith(".data") and scheme in ("purelib", "platlib") else ""


def _defined(body: Sequence[ast.stmt]) -> Iterator[str]:
    """The names that these statements bind in their module."""
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield statement.name
        elif isinstance(statement, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in statement.names)
        else:
            yield from _bound(statement)


def _bound(statement: ast.stmt) -> Iterator[str]:
    """The names that a statement binds that is neither a definition nor an import, and those inside of it."""
    for child in ast.iter_child_nodes(statement):
        if isinstance(child, ast.stmt):
            yield from _defined([child])
        elif isinstance(child, ast.ExceptHandler | ast.match_case):
            yield from _defined(child.body)
        for node in () if isinstance(child, ast.stmt) else ast.walk(child):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id
            elif isinstance(node, ast.MatchAs | ast.MatchStar) and node.name is not None:
                yield node.name


def _functions(body: Sequence[ast.stmt]) -> Iterator[str]:
    return (
        each.name for each in body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    )


def _is_dynamic(tree: ast.Module, name: str) -> bool:
    """Whether the module may define `name` without a statement at its top that does."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Global) and name in node.names:
            return True
        called = (
            node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
        )
        if called in _DYNAMIC or (isinstance(node, ast.FunctionDef) and node.name in _DYNAMIC):
            return True
    return False
