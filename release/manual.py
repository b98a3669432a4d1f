"""The man page of the command line: `python -m release.manual > czscie.1`.

What it says comes from elsewhere: of commands from their help, of environment variables from
docs/reference/environment.md. The date is that of SOURCE_DATE_EPOCH, or of today. man(7) is the format.
"""

from __future__ import annotations

import datetime
import os
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer import Context
from typer.main import get_command

from czscie import __version__
from czscie.cli import app

CHECKOUT = Path(__file__).resolve().parent.parent
_NAME = "czscie"
_WIDTH = 78
_CODE = re.compile(r"``?([^`]+)``?")
_ROW = re.compile(r"\| (?P<names>`[^|]*`) \| (?P<text>[^|]*) \|.*")
_LINK = re.compile(r"\[([^]]+)\]\([^)]+\)")

_STATUSES = {
    "0": "The command succeeded.",
    "1": "It failed, or a check found something. The message has a code; `czscie explain CODE` explains it.",
    "2": "The command line is wrong.",
    "130": "Ctrl-C ended it.",
}
_FILES = {
    "lift.toml": "The manifest, which `czscie init` writes. `czscie schema` prints its JSON Schema.",
    "lift.lock": "The lock beside it, which pins everything that goes into an executable.",
    "~/.cache/czscie": "The cache, on Linux, unless CZSCIE_CACHE names another directory.",
}


def render(date: datetime.date) -> str:
    """The page, with `date` as the one of its last change."""
    return "".join(f"{line}\n" for line in _lines(date))


def _lines(date: datetime.date) -> Iterator[str]:
    root: Any = get_command(app)
    context = Context(root, info_name=_NAME, **root.context_settings)
    yield f'.TH CZSCIE 1 "{date.isoformat()}" "{_NAME} {__version__}" "User Commands"'
    yield ".SH NAME"
    yield f"{_NAME} \\- {_text(root.help[:1].lower() + root.help[1:].rstrip('.'))}"
    yield ".SH SYNOPSIS"
    yield f".B {_NAME}"
    yield r"\fICOMMAND\fR [\fIOPTION\fR]... [\fIARGUMENT\fR]..."
    yield ".SH DESCRIPTION"
    yield from _paragraphs(
        f"{root.help} A manifest, lift.toml, says what goes into it; a PEX, a project, a script or "
        "requirements need none. `czscie COMMAND --help` describes a command."
    )
    yield ".SH OPTIONS"
    yield from _parameters(root, context)
    yield ".SH COMMANDS"
    yield from _commands(root, context)
    yield ".SH EXIT STATUS"
    yield from _definitions(_STATUSES)
    yield ".SH ENVIRONMENT"
    yield from _definitions(dict(_variables()))
    yield ".SH FILES"
    yield from _definitions(_FILES)


def _commands(group: Any, context: Context) -> Iterator[str]:
    """A section for each command of a group, and of the groups in it."""
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        inner = Context(command, info_name=name, parent=context)
        if hasattr(command, "list_commands"):
            yield from _commands(command, inner)
            continue
        yield f'.SS "{_text(inner.command_path)}"'
        yield rf"\fB{_text(inner.command_path)}\fR {_usage(command, inner)}".rstrip()
        for paragraph in command.help.split("\n\n"):
            yield ".PP"
            yield from _paragraphs(paragraph)
        yield from _parameters(command, inner, leaving="help")


def _usage(command: Any, context: Context) -> str:
    return " ".join(rf"\fI{_text(piece)}\fR" for piece in command.collect_usage_pieces(context))


def _parameters(command: Any, context: Context, leaving: str = "") -> Iterator[str]:
    """Each argument and option, as the help has it, but for the one called `leaving`."""
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and parameter.name != leaving:
            names, text = record
            yield from _definition(names, text)


def _definitions(texts: dict[str, str]) -> Iterator[str]:
    for name, text in texts.items():
        yield from _definition(name, text)


def _definition(name: str, text: str) -> Iterator[str]:
    yield ".TP"
    yield rf"\fB{_text(' '.join(name.split()))}\fR"
    yield from _paragraphs(text)


def _variables() -> Iterator[tuple[str, str]]:
    """The environment variables of czscie, and what the documentation says of them."""
    page = (CHECKOUT / "docs" / "reference" / "environment.md").read_text(encoding="utf-8")
    section = page.partition("\n## Of czscie\n")[2].partition("\n## ")[0]
    for match in filter(None, map(_ROW.fullmatch, section.splitlines())):
        text = _LINK.sub(r"\1", match["text"])
        yield match["names"].replace("`", ""), f"{text[:1].upper()}{text[1:]}."


def _paragraphs(text: str) -> Iterator[str]:
    """Running text: each sentence begins a line, as roff wants it."""
    for sentence in re.split(r"(?<=[.!?]) +(?=[A-Z`])", " ".join(text.split())):
        marked = _CODE.sub(r"\\fB\1\\fR", _text(sentence))
        for line in textwrap.wrap(marked, _WIDTH, break_long_words=False, break_on_hyphens=False):
            yield rf"\&{line}" if line.startswith((".", "'")) else line


def _text(text: str) -> str:
    """`text` without characters that roff reads as its own."""
    return text.replace("\\", r"\e").replace("-", r"\-").replace("…", "...")


def main() -> None:
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    now = datetime.datetime.now(datetime.timezone.utc)
    when = now if epoch is None else datetime.datetime.fromtimestamp(int(epoch), datetime.timezone.utc)
    sys.stdout.write(render(when.date()))


if __name__ == "__main__":
    main()
