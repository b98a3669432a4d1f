"""The modules that run in the shipped interpreter import each other by names that no type checker knows."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from czscie.pack import standard_library

PACK = Path(standard_library.__file__).parent
SHIPPED = {name.removesuffix(".py"): source for name, source in standard_library.SERVING.items()}


def defined(tree: ast.Module) -> set[str]:
    """The names that a module has at its top, in conditions and handlers too."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names |= {alias.asname or alias.name.partition(".")[0] for alias in node.names}
    return names


def imports(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("_czscie_"):
            yield from ((str(node.module), alias.name) for alias in node.names)


def test_every_name_that_a_shipped_module_imports_of_another_exists() -> None:
    trees = {name: ast.parse((PACK / source).read_text()) for name, source in SHIPPED.items()}
    wanted = [(name, *each) for name, tree in trees.items() for each in imports(tree)]
    assert len(wanted) > 8
    assert [each for each in wanted if each[2] not in defined(trees[each[1]])] == []
