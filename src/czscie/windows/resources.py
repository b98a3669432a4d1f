"""Resources as the section `.rsrc` of an image has them.

Source: "The .rsrc Section" of Microsoft's "PE Format". Three levels of directories lead to each: its type,
its number, its language, which is the neutral one.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

ICON, GROUP_ICON, VERSION, MANIFEST = 3, 14, 16, 24

_HEADER = struct.Struct("<4x4x2xHHH")
_ENTRY = struct.Struct("<II")
_DATA = struct.Struct("<IIII")
_SUBDIRECTORY = 1 << 31
_NEUTRAL = 0
_ALIGNMENT = 8


@dataclass(frozen=True, slots=True)
class Resource:
    """`kind` is one of the RT_ numbers, `number` the resource's own among those of its kind."""

    kind: int
    number: int
    data: bytes


def section(resources: Sequence[Resource], address: int) -> bytes:
    """The content of a section at `address`, relative to its image's."""
    ordered = sorted(resources, key=lambda each: (each.kind, each.number))
    kinds = {
        kind: [each for each in ordered if each.kind == kind] for kind in {each.kind for each in ordered}
    }
    at = _length(len(kinds))
    first = {}  # by kind: the directory of its numbers
    for kind, members in sorted(kinds.items()):
        first[kind] = at
        at += _length(len(members))
    second = at  # one directory, of a language, for each resource
    described = second + len(ordered) * _length(1)
    data_at = _up(described + len(ordered) * _DATA.size)
    out = bytearray(_directory([(kind, first[kind] | _SUBDIRECTORY) for kind in sorted(kinds)]))
    index = 0
    for _, members in sorted(kinds.items()):
        places = [second + (index + n) * _length(1) for n in range(len(members))]
        rows = zip(members, places, strict=True)
        out += _directory([(each.number, place | _SUBDIRECTORY) for each, place in rows])
        index += len(members)
    for number in range(len(ordered)):
        out += _directory([(_NEUTRAL, described + number * _DATA.size)])
    for each in ordered:
        out += _DATA.pack(address + data_at, len(each.data), 0, 0)
        data_at = _up(data_at + len(each.data))
    for each in ordered:
        out += bytes(-len(out) % _ALIGNMENT) + each.data
    return bytes(out)


def _directory(rows: Sequence[tuple[int, int]]) -> bytes:
    return _HEADER.pack(0, 0, len(rows)) + b"".join(_ENTRY.pack(*row) for row in rows)


def _length(entries: int) -> int:
    return _HEADER.size + entries * _ENTRY.size


def _up(number: int) -> int:
    return -(-number // _ALIGNMENT) * _ALIGNMENT
