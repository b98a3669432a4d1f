"""How many bytes of a file the content of a zip entry takes, range by range."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import BinaryIO

from czscie.container import zip as zip_records
from czscie.container.zip import Entry

#: A larger entry is not a group (docs/reference/format.md, section 3).
GROUP_MAX = 8 << 20


@dataclass(frozen=True, slots=True)
class Density:
    """After the first `packed[i]` bytes of an entry's data, the first `content[i]` bytes of its content are
    known: a compressor gives some more room than others.
    """

    content: tuple[int, ...]
    packed: tuple[int, ...]

    def before(self, position: int) -> int:
        """The packed bytes of the content before `position`. Those of adjacent ranges add up exactly."""
        after = bisect_right(self.content, position)
        if after == len(self.content):
            return self.packed[-1]
        start, packed = self.content[after - 1], self.packed[after - 1]
        step = self.content[after] - start
        return packed + (self.packed[after] - packed) * (position - start) // step


@dataclass(frozen=True, slots=True)
class Measured:
    """An entry whose content was read: `data` is the content if that is no larger than a group."""

    density: Density
    data: bytes


def measure(file: BinaryIO, entry: Entry) -> Measured:
    """Reads `entry` of `file`. Raises zipfile.BadZipFile when it is damaged."""
    start = zip_records.data_offset(file, entry)
    content, packed = [0], [0]
    kept: list[bytes] = []
    size = 0
    for piece in zip_records.stream_entry(file, entry):
        if not piece:
            continue
        size += len(piece)
        if entry.size <= GROUP_MAX:
            kept.append(piece)
        if (position := file.tell() - start) == packed[-1] and len(packed) > 1:
            content[-1] = size
        else:
            content.append(size)
            packed.append(position)
    # The end of a frame has no content of its own; an empty entry may have nothing else.
    packed[-1] = entry.compressed_size
    return Measured(Density(tuple(content), tuple(packed)), b"".join(kept))


def read_range(file: BinaryIO, entry: Entry, start: int, size: int) -> bytes:
    """`size` bytes from `start` on of the content of `entry`, or fewer at its end. They must fit memory.

    Raises zipfile.BadZipFile when the entry is damaged before their end.
    """
    found = bytearray()
    position = 0
    for piece in zip_records.stream_entry(file, entry):
        found += piece[max(0, start - position) : max(0, start + size - position)]
        position += len(piece)
        if position >= start + size:
            break
    return bytes(found)
