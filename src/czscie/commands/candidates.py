"""What a shell offers for an option or an argument: platforms, and names that files here contain.

Each function is fast and never fails: a file that cannot be read offers nothing. Only plain names are
offered, because shells evaluate what they are given, and the files may be untrusted.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from pathlib import Path
from typing import Any

_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*=?")
#: More bytes than any file has that a person waits for.
_LARGEST = 4 << 20

Candidates = Callable[[str], list[str]]


def _offering(names: Callable[[], Iterable[str]]) -> Candidates:
    """A callback of typer's that offers what `names` has for the beginning of a word."""

    @wraps(names)
    def offer(incomplete: str) -> list[str]:
        try:
            found = dict.fromkeys(names())
        except Exception:
            return []
        return [name for name in found if name.startswith(incomplete) and _PLAIN.fullmatch(name)]

    # typer reads the types of the arguments from here, and `wraps` says those of `names`.
    offer.__annotations__ = {"incomplete": str}
    del offer.__wrapped__
    return offer


SHELLS = ("bash", "zsh", "fish", "powershell")
#: Of manifests.
FORMS = ("toml", "json")


@_offering
def shells() -> Iterable[str]:
    """The shells that there is a completion script for."""
    return SHELLS


@_offering
def forms() -> Iterable[str]:
    """The forms of manifests that have a schema."""
    return FORMS


@_offering
def platforms() -> Iterator[str]:
    """Every platform."""
    from czscie.platforms import platform_names

    yield "current"
    yield from platform_names()


@_offering
def lift_platforms() -> Iterator[str]:
    """The platforms of the manifest here, or all if it names none."""
    from czscie.platforms import platform_names

    named = (each for each in _list(_lift(), "platforms"))
    names = [each.get("platform") if isinstance(each, dict) else each for each in named]
    yield from filter(_is_text, names) if names else ("current", *platform_names())


@_offering
def lazy_ids() -> Iterator[str]:
    """The ids of what a first start can download: interpreters and files."""
    lift = _lift()
    yield from _texts(lift, "interpreters", "id")
    yield from _texts(lift, "files", "key", "name")


@_offering
def file_ids() -> Iterator[str]:
    """The ids of the manifest's files, as an option takes them."""
    for identifier in _texts(_lift(), "files", "key", "name"):
        yield f"{identifier}="


@_offering
def locked_names() -> Iterator[str]:
    """What can be upgraded alone: interpreters, packages of the lock and czscie's own libraries."""
    yield from _texts(_lift(), "interpreters", "id")
    yield from _texts(_read("lift.lock"), "packages", "name")
    yield "czscie"


@_offering
def extras() -> Iterator[str]:
    """The extras of the project here."""
    yield from _table(_table(_read("pyproject.toml"), "project"), "optional-dependencies")


@_offering
def groups() -> Iterator[str]:
    """The dependency groups of the project here."""
    yield from _table(_read("pyproject.toml"), "dependency-groups")


@_offering
def kinds() -> Iterator[str]:
    """The kinds of entries of the cache."""
    from czscie.cache import KINDS

    yield from KINDS


@_offering
def codes() -> Iterator[str]:
    """The codes of errors."""
    from czscie.errors import Code

    yield from (code.value for code in Code)


def _lift() -> dict[str, Any]:
    return _table(_read("lift.toml"), "lift")


def _read(name: str) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    if not Path(name).is_file():  # a pipe would block
        return {}
    with Path(name).open("rb") as file:
        return tomllib.loads(file.read(_LARGEST).decode("utf-8"))


def _table(table: dict[str, Any], key: str) -> dict[str, Any]:
    found = table.get(key)
    return found if isinstance(found, dict) else {}


def _list(table: dict[str, Any], key: str) -> list[Any]:
    found = table.get(key)
    return found if isinstance(found, list) else []


def _texts(table: dict[str, Any], key: str, *names: str) -> Iterator[str]:
    """Of each table in an array, the first of `names` that it has."""
    for each in _list(table, key):
        if isinstance(each, dict):
            yield from filter(_is_text, [next((each[name] for name in names if name in each), None)])


def _is_text(value: object) -> bool:
    return isinstance(value, str)
