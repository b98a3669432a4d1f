"""The reference of the command line, as Markdown: what each command prints for `--help`."""

from __future__ import annotations

from collections.abc import Iterator

import typer
from typer.testing import CliRunner

from czscie.cli import app

#: Columns: what fits beside the navigation of a page.
_WIDTH = "88"


def render() -> str:
    """A section for each command, `czscie build` and `czscie cache list`, in the order of the help."""
    return "\n".join(
        f"## czscie {' '.join(words)}\n\n```text\n{_help(words)}```\n" for words in _commands(app)
    )


def _commands(group: typer.Typer, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for command in group.registered_commands:
        assert command.callback is not None
        yield (*above, command.name or command.callback.__name__)
    for inner in group.registered_groups:
        assert inner.typer_instance is not None
        yield from _commands(inner.typer_instance, (*above, str(inner.name)))


def _help(words: tuple[str, ...]) -> str:
    environment = {"COLUMNS": _WIDTH, "TERMINAL_WIDTH": _WIDTH, "NO_COLOR": "1"}
    done = CliRunner().invoke(app, [*words, "--help"], prog_name="czscie", env=environment)
    assert done.exit_code == 0, done.output
    return str(done.output)
