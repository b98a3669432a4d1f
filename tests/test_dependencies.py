from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import czscie
from czscie.documents import parse_toml

PACKAGE = Path(czscie.__file__).parent
#: What distributions call their modules, where it is something else.
MODULES = {"cyclonedx-python-lib": {"cyclonedx", "packageurl"}}
#: Programs of tests and of other Pythons, and what they find there.
ELSEWHERE = ("czex/bootstrap/", "lock/guard_pip.py", "pack/packed_", "pack/finder.py")


def test_every_import_is_of_a_declared_dependency() -> None:
    """Another distribution may be installed today, because a dependency needs it, and not tomorrow."""
    project = parse_toml((PACKAGE.parents[1] / "pyproject.toml").read_text())["project"]
    optional = project["optional-dependencies"]
    allowed = {"czscie", "_typeshed", *sys.stdlib_module_names}
    for text in (*project["dependencies"], *optional["attest"], *optional["native"]):
        name = re.split(r"[\[<>=; ]", text)[0]
        allowed |= MODULES.get(name, {name.replace("-", "_")})
    found = {
        (path.relative_to(PACKAGE).as_posix(), name)
        for path in PACKAGE.rglob("*.py")
        if not path.relative_to(PACKAGE).as_posix().startswith(ELSEWHERE)
        for name in imports(ast.parse(path.read_bytes()))
    }
    assert {each for each in found if each[1] not in allowed} == set()


def imports(tree: ast.AST) -> set[str]:
    """The names of the packages that a module imports."""
    names = [each.name for node in ast.walk(tree) if isinstance(node, ast.Import) for each in node.names]
    names += [
        node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and not node.level
    ]
    return {name.partition(".")[0] for name in names}
