"""Changes to bytes, to lines of fields, and to documents."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

PATHS = (
    "",
    ".",
    "..",
    "/",
    "/tmp/fuzz-escaped",
    "../../fuzz-escaped",
    "a/../../../fuzz-escaped",
    "a/./b",
    "a//b",
    "a/",
    "C:\\fuzz",
    "C:fuzz",
    "a\\..\\b",
    "NUL",
    "aux.py",
    "com1.whl",
    "a\0b",
    "a\nb",
    "a\x1b[31mb",
    "a:b",
    "dot.",
    "\ud800",
    "\udcff",
    "\u202e",
    "caf\u00e9",
    "cafe\u0301",
    "README",
    "readme",
    "x" * 300,
    "x/" * 700 + "x",
    ".deps/x-1-py3-none-any.whl",
    "__pycache__/x.pyc",
    "x-1.dist-info/RECORD",
    "x-1.data/scripts/x",
    "x-1.data/data/../../x",
    "x-1.data/what/x",
    "PEX-INFO",
    "__main__.py",
    ".czscie/plan",
)

NUMBERS = (
    0,
    1,
    -1,
    2,
    0xFF,
    0xFFFF,
    0x10000,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFE,
    0xFFFFFFFF,
    1 << 33,
    (1 << 40) + 7,
    (1 << 62) - 1,
    (1 << 63) - 1,
    1 << 63,
    (1 << 64) - 1,
    10**30,
    -(1 << 63),
)

TEXTS = (
    *PATHS,
    "[",
    "{base}",
    "{",
    "a==1",
    "a>=3.6.*",
    "a; python_version < '3'",
    "a[b,c]>=1; extra == 'x'",
    "CPython>=3",
    "==",
    "1!2.0+local",
    "m:f",
    "m",
    "\u0664",
    "1e5",
    "0x10",
    "9" * 5000,
    "sha256:" + "0" * 64,
    "0" * 64,
    "file:///etc/passwd",
    "https://user:secret@[::1/x",
    "http://[",
    "linux-x86_64",
    "windows-x86_64",
    "macos-aarch64",
)


def deep(levels: int, open_with: str = "[", close_with: str = "]") -> str:
    return open_with * levels + close_with * levels


class Mutator:
    """Changes things by chance: the same `random` gives the same changes."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def chance(self, one_in: int) -> bool:
        return self.random.randrange(one_in) == 0

    def choose(self, among: Sequence[Any]) -> Any:
        return among[self.random.randrange(len(among))]

    def bytes(self, data: bytes) -> bytes:
        """`data` with a few of its bytes changed, gone, repeated, or replaced by numbers at their limits."""
        out = bytearray(data or b"\0")
        for _ in range(1 + self.random.randrange(4)):
            at = self.random.randrange(len(out) + 1)
            length = self.random.randrange(1, 33)
            kind = self.random.randrange(8)
            if kind == 0 and out:
                out[at % len(out)] ^= 1 << self.random.randrange(8)
            elif kind == 1 and out:
                out[at % len(out)] = self.random.randrange(256)
            elif kind == 2:
                del out[at : at + length]
            elif kind == 3:
                out[at:at] = out[at : at + length]
            elif kind == 4:
                width = self.choose((1, 2, 4, 8))
                order = self.choose(("little", "big"))
                out[at : at + width] = (self.choose(NUMBERS) & (1 << 8 * width) - 1).to_bytes(width, order)
            elif kind == 5:
                out[at : at + length] = b"\xff" * length
            elif kind == 6:
                out[at:at] = self.text().encode("utf-8", "surrogatepass")
            else:
                del out[at:]
        return bytes(out)

    def text(self) -> str:
        text: str = self.choose(TEXTS)
        return text

    def number(self, number: int = 0) -> int:
        near = (number - 1, number + 1, number * 2, -number, number << 32)
        value: int = self.choose((*NUMBERS, *near))
        return value

    def name(self, name: str) -> str:
        """Another name: one that means something, or this one spelled otherwise."""
        found: str = self.choose(
            (
                *PATHS,
                name.upper(),
                name.lower(),
                f"./{name}",
                f"../{name}",
                f"{name}/x",
                f"/{name}",
                f"{name}.",
            )
        )
        return found

    def lines(self, data: bytes, separator: bytes = b"\n", fields: str = "\t") -> bytes:
        """Lines gone, repeated, exchanged, or with another field."""
        lines = data.split(separator)
        for _ in range(1 + self.random.randrange(3)):
            at = self.random.randrange(len(lines) or 1)
            kind = self.random.randrange(8)
            if not lines or kind == 0:
                lines.insert(at, self.text().encode("utf-8", "surrogatepass"))
            elif kind == 1:
                del lines[at]
            elif kind == 2:
                lines.insert(at, self.choose(lines))
            elif kind == 3:
                other = self.random.randrange(len(lines))
                lines[at], lines[other] = lines[other], lines[at]
            else:
                lines[at] = self._fields(lines[at], fields)
        return separator.join(lines)

    def _fields(self, line: bytes, separator: str) -> bytes:
        fields = line.decode("utf-8", "surrogateescape").split(separator)
        at = self.random.randrange(len(fields))
        kind = self.random.randrange(5)
        if kind == 0:
            fields[at] = str(self.number())
        elif kind == 1:
            fields[at] = self.text()
        elif kind == 2:
            fields[at] = self.name(fields[at])
        elif kind == 3:
            del fields[at]
        else:
            fields.insert(at, self.choose(fields))
        return separator.join(fields).encode("utf-8", "surrogatepass")

    def document(self, value: Any) -> Any:
        """A document of tables, arrays and values with one of them changed."""
        if isinstance(value, dict) and value and not self.chance(6):
            changed = dict(value)
            key = self.choose(list(changed))
            kind = self.random.randrange(10)
            if kind == 0:
                del changed[key]
            elif kind == 1:
                changed[self.name(str(key))] = changed.pop(key)
            else:
                changed[key] = self.document(changed[key])
            return changed
        if isinstance(value, list) and value and not self.chance(6):
            items = list(value)
            at = self.random.randrange(len(items))
            kind = self.random.randrange(8)
            if kind == 0:
                del items[at]
            elif kind == 1:
                items.insert(at, self.choose(items))
            else:
                items[at] = self.document(items[at])
            return items
        return self._value(value)

    def _value(self, value: Any) -> Any:
        if isinstance(value, int) and not isinstance(value, bool) and not self.chance(5):
            return self.number(value)
        if isinstance(value, str) and not self.chance(5):
            return self.name(value) if self.chance(2) else self.text()
        others = (
            None,
            True,
            0.5,
            self.number(),
            self.text(),
            [],
            {},
            [value],
            {"a": value},
            [[[[]]]],
            {"": 1},
        )
        return self.choose(others)

    def json(self, data: bytes) -> bytes:
        """A JSON text with a value changed, or with what JSON can spell and nobody writes."""
        try:
            value = json.loads(data)
        except ValueError:
            return self.bytes(data)
        for _ in range(1 + self.random.randrange(3)):
            value = self.document(value)
        text = json.dumps(value, ensure_ascii=self.chance(2), separators=(",", ":"))
        kind = self.random.randrange(40)
        if kind == 0:
            text = text.replace("1", "9" * self.choose((20, 400, 5000)), 1)
        elif kind == 1:
            text = text.replace('"', '"\\ud800', 1 + self.random.randrange(3))
        elif kind == 2:
            text = text.replace("null", deep(self.choose((50, 200, 1000, 100_000))), 1)
        elif kind == 3:
            text = text.replace("[", deep(self.choose((200, 50_000)), '{"a":', "}") + "[", 1)
        elif kind == 4:
            text = text.replace("0", self.choose(("NaN", "Infinity", "1e999", "-0", "0.5")), 1)
        elif kind == 5:
            return self.bytes(text.encode("utf-8", "surrogatepass"))
        return text.encode("utf-8", "surrogatepass")

    def one_of(self, *changes: Callable[[], bytes]) -> bytes:
        change: Callable[[], bytes] = self.choose(changes)
        return change()
