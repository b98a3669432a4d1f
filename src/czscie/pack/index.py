"""Reads the index of a pack, which may be untrusted. docs/explained/packing.md describes the format.

marshal may crash on what it was not written for, so this reads the few types that an index consists of.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from czscie.pack.pack import COMPLETE, MAGIC

#: MAGIC, CPython's magic number, the size of the index.
HEADER = len(MAGIC) + 8

_LEVELS_MAX = 4
_RECORD = struct.Struct("<8s2L")

Value = str | bytes | int | tuple["Value", ...] | dict["Value", "Value"]


@dataclass(frozen=True, slots=True)
class Claim:
    """The bytes from `start` to `end` of a pack are of the module whose source is `path`; None of
    expressions.

    `is_code` tells bytecode from the source, which is `size` bytes long before it is compressed.
    """

    start: int
    end: int
    path: str | None
    size: int
    is_code: bool = False


@dataclass(frozen=True, slots=True)
class PackIndex:
    """`rest` is where the second file of a pack in two begins, None of a pack in one."""

    claims: tuple[Claim, ...]
    rest: int | None


def index_size(head: bytes) -> int:
    """The bytes of the index of the pack that begins with `head`. Raises ValueError if it is none."""
    if len(head) < HEADER or not head.startswith(MAGIC):
        raise ValueError("it is not a pack")
    return int.from_bytes(head[HEADER - 4 : HEADER], "little")


def read_index(text: bytes) -> PackIndex:
    """The index in `text`, which follows the header. Raises ValueError when it is damaged."""
    match _Reader(text).value():
        case (str(), dict() as directories, bytes() as expressions, *more):
            claims = [*_modules(directories), *_expressions(expressions)]
            match more:
                case []:
                    return PackIndex(tuple(claims), None)
                case [(str(), int() as rest)]:
                    return PackIndex(tuple(claims), rest)
    raise ValueError("its index is damaged")


def _modules(directories: dict[Value, Value]) -> Iterator[Claim]:
    """The claims of modules: of their code, and of their share of a block of sources."""
    blocks: dict[tuple[int, int], list[tuple[str, int, int]]] = defaultdict(list)
    for directory, lines in directories.items():
        if not isinstance(directory, str) or not isinstance(lines, bytes):
            raise ValueError("its index is damaged")
        for line in lines.removeprefix(COMPLETE).decode().split("\n"):
            if not line:
                continue
            name, _, places = line.partition("\t")
            path = f"{directory}{name}.py"
            offset, size, *source = [_number(field) for field in places.split(" ")]
            yield Claim(offset, offset + size, path, size, is_code=True)
            if source:
                block, block_size, start, length = source
                blocks[block, block_size].append((path, start, length))
    for (block, size), sources in blocks.items():
        whole = max(start + length for _, start, length in sources) or 1
        for path, start, length in sources:
            end = start + length
            yield Claim(block + size * start // whole, block + size * end // whole, path, length)


def _expressions(table: bytes) -> Iterator[Claim]:
    if len(table) % _RECORD.size:
        raise ValueError("its index is damaged")
    for _, offset, size in _RECORD.iter_unpack(table):
        yield Claim(offset, offset + size, None, size)


def _number(field: str) -> int:
    if not (field.isascii() and field.isdecimal() and len(field) < 19):
        raise ValueError("its index is damaged")
    return int(field)


class _Reader:
    """A value as marshal writes it, version 2, of these types: str, bytes, int, tuple, dict."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def value(self, level: int = 0) -> Value:
        """The next value. Raises ValueError."""
        if level > _LEVELS_MAX:
            raise ValueError("its index is nested too deeply")
        match self._take(1):
            case b"u" | b"t" | b"a" | b"A":
                return self._take(self._length()).decode()
            case b"z" | b"Z":
                return self._take(self._take(1)[0]).decode()
            case b"s":
                return self._take(self._length())
            case b"i":
                return self._length()
            case b"(":
                return tuple(self.value(level + 1) for _ in range(self._length()))
            case b")":
                return tuple(self.value(level + 1) for _ in range(self._take(1)[0]))
            case b"{":
                found: dict[Value, Value] = {}
                while self._data[self._at : self._at + 1] != b"0":
                    key = self.value(level + 1)
                    if not isinstance(key, str):
                        raise ValueError("its index is damaged")
                    found[key] = self.value(level + 1)
                self._at += 1
                return found
            case kind:
                raise ValueError(f"its index has a value of the type {kind!r}")

    def _length(self) -> int:
        return int.from_bytes(self._take(4), "little")

    def _take(self, size: int) -> bytes:
        data = self._data[self._at : self._at + size]
        if len(data) != size:
            raise ValueError("its index ends early")
        self._at += size
        return data
