"""Writes TOML 1.0 for people and for git: long arrays have one element per line, each with a comma.

An array of tables at the top is `[[…]]`. Deeper ones are inline, an array with one element per line; a table
that contains such an array has a header of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from czscie.documents import toml_string

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_INDENT = "    "


def render_document(document: Mapping[str, Any]) -> str:
    """`document` of strings, integers, booleans, arrays and tables, in its order but keys before tables."""
    return "\n".join(_table((), document)) + "\n"


def _table(where: tuple[str, ...], table: Mapping[str, Any]) -> Iterator[str]:
    inner = {key: value for key, value in table.items() if _has_header(value, deep=bool(where))}
    many = {key: value for key, value in table.items() if not where and _is_tables(value)}
    for key, value in table.items():
        if key not in inner and key not in many:
            yield f"{_key(key)} = {_value(value)}"
    for key, value in {**inner, **many}.items():
        name = ".".join(map(_key, (*where, key)))
        if key in inner:
            # A header is only for what has keys of its own.
            if not value or any(not _has_header(each, deep=True) for each in value.values()):
                yield f"\n[{name}]"
            yield from _table((*where, key), value)
        else:
            for each in value:
                yield f"\n[[{name}]]"
                yield from _table((*where, key), each)


def _has_header(value: Any, deep: bool) -> bool:
    return isinstance(value, Mapping) and (not deep or _holds_array(value))


def _holds_array(table: Mapping[str, Any]) -> bool:
    return any(
        _is_array(value) or (isinstance(value, Mapping) and _holds_array(value)) for value in table.values()
    )


def _is_tables(value: Any) -> bool:
    return _is_array(value) and len(value) > 0 and all(isinstance(each, Mapping) for each in value)


def _is_array(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _value(value: Any) -> str:
    if _is_array(value):
        return "".join(("[\n", *(f"{_INDENT}{_inline(each)},\n" for each in value), "]")) if value else "[]"
    return _inline(value)


def _inline(value: Any) -> str:
    if isinstance(value, Mapping):
        items = ", ".join(f"{_key(key)} = {_inline(each)}" for key, each in value.items())
        return f"{{ {items} }}" if items else "{}"
    if _is_array(value):
        return f"[{', '.join(map(_inline, value))}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else toml_string(value)


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else toml_string(key)
