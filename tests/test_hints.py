"""Each command of czscie that a message or a page of an error names is one that the command line takes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from czscie.cache import KINDS
from czscie.cli import app

SOURCE = Path(__file__).parents[1] / "src/czscie"
COMMANDS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]

_NAMED = re.compile(rf"\bczscie (?P<command>{'|'.join(COMMANDS)})\b(?P<rest>[^\n`;<(]*)")
#: Words of a command line, as opposed to those of the sentence that goes on behind it.
_ARGUMENT = re.compile(r"-.*|…|%s|[A-Z+]+|.*[/=.]\w.*")
_IS_PATH = re.compile("path|manifest|directory|executable|arguments|program")


def texts(tree: ast.AST) -> Iterator[str]:
    """The strings of a module but for docstrings, with PATH or VALUE for each value that is put into them."""
    if isinstance(tree, ast.Expr) and isinstance(tree.value, ast.Constant):
        return
    if isinstance(tree, ast.Constant) and isinstance(tree.value, str):
        yield tree.value
    elif isinstance(tree, ast.JoinedStr):
        yield "".join(
            str(each.value)
            if isinstance(each, ast.Constant)
            else "PATH"
            if _IS_PATH.search(ast.unparse(each))
            else "VALUE"
            for each in tree.values
        )
    else:
        for child in ast.iter_child_nodes(tree):
            yield from texts(child)


def command_lines(text: str) -> Iterator[tuple[str, ...]]:
    """The commands of czscie that a text names with their arguments."""
    for match in _NAMED.finditer(text):
        arguments: list[str] = []
        for word in match["rest"].split():
            bare = word.rstrip(",.:)'")
            follows = (arguments and takes_value(match["command"], arguments[-1])) or (
                match["command"] == "cache" and bare in (*KINDS, "clean", "prune")
            )
            if not follows and not _ARGUMENT.fullmatch(bare):
                break
            arguments.append(bare)
            if bare != word:
                break
        yield (match["command"], *arguments)


def takes_value(command: str, option: str) -> bool:
    parameters = getattr(COMMANDS[command], "params", ())
    return any(option in each.opts and not each.is_flag and not each.count for each in options(parameters))


def options(parameters: Any) -> list[Any]:
    return [each for each in parameters if each.param_type_name == "option"]


def named() -> list[tuple[str, ...]]:
    sources = [ast.parse(path.read_text(encoding="utf-8")) for path in sorted(SOURCE.rglob("*.py"))]
    pages = [path.read_text(encoding="utf-8") for path in sorted(SOURCE.glob("explain/pages/*.md"))]
    every = [*(text for tree in sources for text in texts(tree)), *pages]
    return sorted({line for text in every for line in command_lines(text)})


def check(command: str, *arguments: str) -> None:
    """Raises what the command line raises for these arguments, and runs nothing.

    A line without the path that its command takes names the command or an option of it.
    """
    found, given = COMMANDS[command], list(arguments)
    while given and (inner := getattr(found, "commands", {}).get(given[0])) is not None:
        found, given = inner, given[1:]
    if given and takes_value(command, given[-1]):
        given.append("PATH")
    pairs = zip(["", *given], given, strict=False)
    if all(word.startswith("-") or takes_value(command, before) for before, word in pairs):
        given += ["PATH" for each in found.params if each.param_type_name == "argument" and each.required]
    context = found.make_context(command, given)
    assert Path("VALUE") not in context.params.values(), "it is no path"


@pytest.mark.parametrize("line", named(), ids=" ".join)
def test_a_command_that_is_named_is_one_that_can_be_typed(line: tuple[str, ...]) -> None:
    check(*line)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("run czscie lock to pin it", ("lock",)),
        ("czscie lock --upgrade-only VALUE locks it; czscie lock", ("lock", "--upgrade-only", "VALUE")),
        ("write it: czscie build -r PATH -c moo, or not", ("build", "-r", "PATH", "-c", "moo")),
        ("czscie cache clean packed; if it happens again", ("cache", "clean", "packed")),
    ],
)
def test_a_command_line_ends_where_the_sentence_goes_on(text: str, line: tuple[str, ...]) -> None:
    assert next(command_lines(text)) == line


@pytest.mark.parametrize(
    "line",
    ["lock --upgrade VALUE", "lock a.toml b.toml", "lock --upgrade-one VALUE", "cache clean moo=moo -x"],
)
def test_what_cannot_be_typed_is_found(line: str) -> None:
    with pytest.raises(Exception, match=r"(?i)unexpected|no such|no path"):
        check(*line.split())
