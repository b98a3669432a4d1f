"""What a script imports that nothing provides, by its source: nothing is imported."""

from __future__ import annotations

import ast
import sys
from collections.abc import Collection, Iterator

#: Modules that the Python that runs czscie may lack: of later versions of the standard library, and what may
#: be installed in an interpreter.
_ELSEWHERE = frozenset(
    {"annotationlib", "asynchat", "asyncore", "compression", "distutils", "imp", "pip", "pkg_resources"}
    | {"setuptools", "smtpd", "tomllib"}
)


def missing_imports(source: str, provided: Collection[str]) -> tuple[str, ...]:
    """The modules that the script `source` needs to start and that are neither `provided` nor the library's.

    They are names without dots. An import inside a function, an `if` or a `try` may be one that is not
    needed, so it does not count. Of what this Python cannot parse nothing is known.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    known = {*provided, *sys.stdlib_module_names, *_ELSEWHERE}
    return tuple(dict.fromkeys(name for name in _imported(tree) if name not in known))


def _imported(tree: ast.Module) -> Iterator[str]:
    for statement in tree.body:
        if isinstance(statement, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom) and statement.module and not statement.level:
            yield statement.module.partition(".")[0]
