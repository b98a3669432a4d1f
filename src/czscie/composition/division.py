"""Divides the content of zip entries among those whose bytes it is."""

from __future__ import annotations

import io
import re
import zipfile
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from czscie.composition.density import Measured
from czscie.container import zip as zip_records
from czscie.container.zip import Entry

_GROUP = re.compile(r"(?:(?P<below>.*/)|)\.group-\d{3,}\.zip|(?P<whole>\.deps/[^/]+)", re.DOTALL)
_CZSCIES_GROUP = re.compile(r"(?P<whole>\.czscie/(?:sources|venv|dependencies))\.zip")


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an entry: the content from `start` to `end`, called `name` as if it were an entry itself."""

    name: str
    start: int
    end: int


def members_of(entry: Entry, measured: Measured) -> tuple[Member, ...]:
    """The files in `entry`, in the order of their bytes: those of a group, else the entry itself."""
    match = _GROUP.fullmatch(entry.name) or _CZSCIES_GROUP.fullmatch(entry.name)
    if match is None or len(measured.data) != entry.size:
        return (Member(entry.name, 0, entry.size),)
    groups = match.groupdict()
    prefix = f"{groups['whole']}/" if groups["whole"] else groups.get("below") or ""
    try:
        data = io.BytesIO(measured.data)
        found = [
            (zip_records.data_offset(data, each), each)
            for each in zip_records.read_directory(data, entry.size).entries
        ]
    except zipfile.BadZipFile:  # by its name alone it looks like a group
        return (Member(entry.name, 0, entry.size),)
    members = [Member(prefix + each.name, offset, offset + each.compressed_size) for offset, each in found]
    return tuple(sorted(members, key=lambda member: member.start))


def member_at(members: tuple[Member, ...], position: int) -> Member | None:
    """The member with the byte at `position`, or an empty one there."""
    index = bisect_right(members, position, key=lambda member: member.start) - 1
    return members[index] if index >= 0 and position <= members[index].end else None


def partition(size: int, claims: Iterable[tuple[int, int, int]]) -> Iterator[tuple[int, int, int | None]]:
    """Divides `size` bytes among `claims`, each a start, an end and a number: the parts, in order.

    Each byte has one owner, the first claim by its start, or None.
    """
    position = 0
    for start, end, number in sorted(claims):
        start, end = min(max(start, position), size), min(end, size)
        if end <= start:
            continue
        if start > position:
            yield position, start, None
        yield start, end, number
        position = end
    if position < size:
        yield position, size, None
