"""The text of a first manifest, with comments about the next steps."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

from czscie.documents import toml_string
from czscie.init.choice import PythonChoice
from czscie.init.source import ProgramSource
from czscie.lift.package_indexes import is_link_url

_WIDTH = 108
#: What `czscie schema` prints, as the docs call the file.
_SCHEMA = "lift.schema.json"
#: By the payload's key, what it is called and what stands above it.
_NOUNS = {"project": "project", "pex": "PEX", "script": "script", "requirements": "payload"}
_PAYLOADS = {
    "project": "The project, built by its build backend, with its dependencies.",
    "pex": "The PEX must contain the wheels for every platform above: czscie does not resolve it again.",
    "script": 'The script, with the dependencies that its "# /// script" block declares (PEP 723).',
    "requirements": "These requirements, resolved from a package index.",
}


def render_manifest(subject: ProgramSource, choice: PythonChoice, directory: Path) -> str:
    """The manifest for `subject`, to be written into `directory`; its paths are relative to that.

    If a schema is there, the first line names it for editors.
    """
    blocks = (
        *([[f"#:schema ./{_SCHEMA}"]] if (directory / _SCHEMA).exists() else []),
        _comment(
            "Written by czscie init; edit it as you like. `czscie build` makes one executable per platform "
            "from it. The lift.toml.example of czscie shows every key."
        ),
        _head(subject, choice),
        _interpreter(subject, choice),
        _payload(subject, directory),
    )
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def _head(subject: ProgramSource, choice: PythonChoice) -> Iterator[str]:
    yield "[lift]"
    yield from _comment("The name of the executable. With several platforms it is <name>-<platform>.")
    yield f"name = {toml_string(subject.name)}"
    if subject.description is not None:
        yield f"description = {toml_string(subject.description)}"
    yield ""
    others = ", ".join(f'"{platform.name}"' for platform in choice.others)
    yield from _comment(
        f"The platforms to build for, all on this machine.{f' Others are: {others}.' if others else ''}"
    )
    yield f"platforms = {_array([platform.name for platform in choice.platforms])}"


def _interpreter(subject: ProgramSource, choice: PythonChoice) -> Iterator[str]:
    asks = f" The {_NOUNS[subject.source]} declares: {subject.asks}." if subject.asks else ""
    yield from _comment(
        "The CPython to include, from python-build-standalone, whose releases are dates. The same "
        f"version differs between releases, so name both.{asks}"
    )
    yield "[[lift.interpreters]]"
    yield 'id = "cpython"'
    yield 'provider = "PythonBuildStandalone"'
    yield f"version = {toml_string(choice.version)}"
    yield f"release = {toml_string(choice.release)}"
    yield from _comment(
        "czscie leaves out parts that the code does not import, such as Tcl/Tk. Parts to keep anyway:"
    )
    yield '# keep = ["tcltk"]'


def _payload(subject: ProgramSource, directory: Path) -> Iterator[str]:
    yield from _comment(f"What the executable runs. {_PAYLOADS[subject.source]}")
    yield "[lift.payload]"
    value = (
        _array(subject.requirements)
        if subject.requirements
        else toml_string(_relative(subject.path, directory))
    )
    yield f"{subject.source} = {value}"
    for key, setting in subject.keys.items():
        if key == "find_links" and isinstance(setting, tuple):
            setting = tuple(
                each if is_link_url(each) else _relative(Path(each), directory) for each in setting
            )
        yield f"{key} = {_value(setting)}"
    others = ", ".join(map(toml_string, subject.others))
    if subject.entry_point is not None:
        also = f" The {_NOUNS[subject.source]} also has: {others}." if others else ""
        yield from _comment(f"The entry point: a console script, a module, or module:function.{also}")
        yield f"entry_point = {toml_string(subject.entry_point)}"
    elif subject.starts:
        yield from _comment(
            f"The {_NOUNS[subject.source]} sets the entry point. "
            "To change it, name a script or module:function."
        )
        yield '# entry_point = "module:function"'
    else:
        also = f" The {_NOUNS[subject.source]} has: {others}." if others else ""
        yield from _comment(
            "Without an entry point, it starts an interactive Python. Name a console script or "
            f"module:function.{also}"
        )
        yield '# entry_point = "module:function"'


def _comment(text: str) -> Iterator[str]:
    for line in textwrap.wrap(text, _WIDTH - 2, break_long_words=False, break_on_hyphens=False):
        yield f"# {line}"


def _value(setting: bool | str | tuple[str, ...]) -> str:
    if isinstance(setting, bool):
        return str(setting).lower()
    return toml_string(setting) if isinstance(setting, str) else _array(setting)


def _array(values: Sequence[str]) -> str:
    return f"[{', '.join(map(toml_string, values))}]"


def _relative(path: Path, directory: Path) -> str:
    try:
        return Path(os.path.relpath(path, directory)).as_posix()
    except ValueError:  # on another drive of Windows
        return path.absolute().as_posix()
