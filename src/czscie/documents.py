"""JSON and TOML from untrusted sources. Every defect is a DocumentError.

The libraries raise several errors: RecursionError for deep nesting, ValueError for integers of more digits
than Python converts, UnicodeDecodeError.
"""

from __future__ import annotations

import errno
import json
import re
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_T = TypeVar("_T")

#: One of the two escapes by which JSON spells a character beyond U+FFFF.
_HALF = re.compile(rb"\\u[dD][89a-fA-F]")

#: Levels of tables and arrays: many times what any document has, a tenth of Python's recursion limit.
_DEEPEST = 100

#: Bits of an integer. Python does not write one of more than about 14,000 as text; TOML has hexadecimal ones.
_WIDEST = 10_000
_TOO_WIDE = "an integer has too many digits"


#: Bytes of a document (docs/explained/security.md).
_LARGEST = 256 << 20

_LINE = re.compile(r"at line (\d+)")
_AT_END = "at end of document"
#: Of a line in a message, and of a document that is searched for the statement that its end cuts off.
_LONGEST_LINE, _MOST_LINES = 100, 500
_LOGIN = re.compile(r"(?<=://)[^/@\s]*@")


def read_document(path: Path) -> bytes:
    """The bytes of a file or a pipe. Raises OSError, also when there are more than a document may have."""
    with path.open("rb") as file:
        content = file.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise OSError(errno.EFBIG, f"it is larger than {_LARGEST >> 20} MiB", str(path))
    return content


class DocumentError(ValueError):
    """The text is not a valid document. The message says why."""


def parse_json(text: bytes | str) -> Any:
    """The value of a JSON text, without NaN, infinities and lone surrogates. Raises DocumentError."""
    try:
        encoded = text if isinstance(text, bytes) else text.encode()
        # json takes UTF-16 and halves of characters for text where it is given bytes.
        value = _flat(json.loads(encoded.decode("utf-8-sig"), parse_constant=_refuse_constant))
        if _HALF.search(encoded):
            json.dumps(value, ensure_ascii=False).encode()  # raises for what only looks like text
        return value
    except ValueError as error:
        raise DocumentError(_reason(error)) from error
    except RecursionError as error:
        raise DocumentError("it is nested too deeply") from error


def _reason(error: ValueError) -> str:
    """The error in words for people: Python's own about long integers names one of its functions."""
    return _TOO_WIDE if "set_int_max_str_digits" in str(error) else str(error)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON value")


def _flat(value: _T) -> _T:
    """`value`, if recursion over its nesting is safe, and all of it can be written as text."""
    level: list[Any] = [value]
    for _ in range(_DEEPEST):
        level = [
            inner
            for each in level
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
        if any(isinstance(each, int) and each.bit_length() > _WIDEST for each in level):
            raise DocumentError(_TOO_WIDE)
        if not level:
            return value
    raise DocumentError("it is nested too deeply")


def learned(kind: type[_T]) -> type[_T]:
    """`kind`, once msgspec knows it: msgspec crashes when two threads make it look at a type at once."""
    if kind not in _learned:
        with _learning:
            msgspec.json.Decoder(kind)
            _learned.add(kind)
    return kind


_learned: set[Any] = set()
_learning = threading.Lock()


def decode_json(text: bytes | str, kind: type[_T]) -> _T:
    """The JSON text as a `kind` of msgspec's. Raises DocumentError."""
    try:
        return msgspec.json.decode(text, type=learned(kind))
    except (msgspec.MsgspecError, ValueError, OverflowError) as error:
        raise DocumentError(str(error)) from error
    except RecursionError as error:
        raise DocumentError("it is nested too deeply") from error


def parse_toml(text: str) -> dict[str, Any]:
    """The table that a TOML text holds. Raises DocumentError."""
    try:
        table: dict[str, Any] = _flat(tomllib.loads(text))
        return table
    except ValueError as error:
        raise DocumentError(_with_line(_reason(error), text)) from error
    except RecursionError as error:
        raise DocumentError("it is nested too deeply") from error


def _with_line(message: str, text: str) -> str:
    """tomllib's message and the line that it means; of what is left open, the line that opens it."""
    lines = text.split("\n")  # as TOML counts them: splitlines splits at form feeds and U+2028, too
    match = _LINE.search(message)
    is_open = _AT_END in message or message.startswith("Unclosed ")
    if is_open and len(lines) <= _MOST_LINES:
        number = _last_statement(lines[: int(match[1])] if match else lines)
        message = f"{message.partition(' (at ')[0]} (opened at line {number})"
    elif match is not None:
        number = int(match[1])
    else:
        return message
    line = _LOGIN.sub("", lines[number - 1]).strip() if 0 < number <= len(lines) else ""
    return f"{message}: {line[:_LONGEST_LINE]}" if line else message


def _last_statement(lines: Sequence[str]) -> int:
    """The number of the line at which the statement begins that the end of `lines` cuts off."""
    for number in range(len(lines), 0, -1):
        try:
            tomllib.loads("\n".join(lines[: number - 1]))
        except ValueError:
            continue
        return number
    return 1


def toml_string(text: str) -> str:
    """`text` as a basic string of TOML: JSON's escapes are TOML's, which must escape DEL, too."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
