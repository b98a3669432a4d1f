"""Packs files into a zip of zstd entries: large ones each by itself, small ones in groups.

The number of frames costs ratio, the size of a frame costs parallelism: measured on CPython's tree, groups of
about 4 MiB come within 2% of one solid frame and unpack on all cores. A group is itself a zip whose members
are stored, so that ordinary tools open it; a small wheel is one group and a wheel all the same.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, BinaryIO, TypeVar

from czscie.build_cache import compressed
from czscie.container import zip as zip_records
from czscie.container.content import Content, File, Link, pieces_of
from czscie.container.plan import ENTRY_NAME, Plan, PlannedEntry, PlannedFile, PlannedLink, Slice
from czscie.disk import writing
from czscie.errors import Code, CzscieError
from czscie.filesystem import write_atomically
from czscie.live import BYTES
from czscie.progress import Count, Steps, no_count

_Written = TypeVar("_Written")

#: A file of at least this many bytes is an entry of its own.
LARGE = 1 << 20
#: A group is closed when it would grow beyond this many bytes. (The launcher decodes up to 8 MiB whole.)
GROUP = 4 << 20
#: A file of at least this many bytes is compressed in pieces, by several threads: it may be most of a payload
#: and more than memory holds.
_HUGE = 64 << 20
#: A compressed entry is kept in memory up to this many bytes, and beyond in a temporary file.
_FRAME_IN_MEMORY = 8 << 20
_COPIED = 1 << 20
#: A zip's local and directory headers without the name (APPNOTE 4.3.7, 4.3.12).
_MEMBER_OVERHEAD = 30 + 46


@dataclass(frozen=True, slots=True)
class _Single:
    """An entry that is one file."""

    content: Content

    @property
    def size(self) -> int:
        return self.content.size

    def read(self) -> bytes:
        return self.content.read()

    def pieces(self) -> Iterator[bytes]:
        return pieces_of(self.content)


@dataclass(frozen=True, slots=True)
class _Group:
    """An entry that is a zip of stored members, laid out from their sizes alone."""

    members: tuple[File, ...]

    @property
    def size(self) -> int:
        entries = self._entries()
        end = self._end(entries)
        return end + len(zip_records.directory(entries, end))

    def slices(self, name: str) -> dict[str, Slice]:
        return {
            entry.name: Slice(name, entry.header_offset + len(entry.local_header()), entry.size)
            for entry in self._entries()
        }

    def read(self) -> bytes:
        contents = [member.content.read() for member in self.members]
        entries = [
            replace(entry, crc32=zlib.crc32(content))
            for entry, content in zip(self._entries(), contents, strict=True)
        ]
        parts = [
            part
            for entry, content in zip(entries, contents, strict=True)
            for part in (entry.local_header(), content)
        ]
        return b"".join((*parts, zip_records.directory(entries, self._end(entries))))

    def pieces(self) -> Iterator[bytes]:
        yield self.read()

    def _entries(self) -> list[zip_records.Entry]:
        """The members in place, their checksums left out."""
        entries, offset = [], 0
        for member in self.members:
            size = member.content.size
            entry = zip_records.Entry(
                member.path, zip_records.STORED, 0, size, size, offset, member.executable
            )
            entries.append(entry)
            offset += len(entry.local_header()) + size
        return entries

    @staticmethod
    def _end(entries: Sequence[zip_records.Entry]) -> int:
        if not entries:
            return 0
        last = entries[-1]
        return last.header_offset + len(last.local_header()) + last.size


@dataclass(frozen=True, slots=True)
class Packed:
    """An entry, compressed to `frame`. `size` and `crc32` are those of its content."""

    name: str
    size: int
    crc32: int
    frame: IO[bytes]

    def put(self, file: BinaryIO, start: int = 0) -> zip_records.Entry:
        """Writes the entry at the position of `file`, once; its offset counts from `start`."""
        with self.frame as frame:
            length = frame.seek(0, os.SEEK_END)
            entry = zip_records.Entry(
                self.name, zip_records.ZSTD, self.crc32, length, self.size, file.tell() - start
            )
            file.write(entry.local_header())
            frame.seek(0)
            shutil.copyfileobj(frame, file, _COPIED)
            return entry


class Packer:
    """Collects the content of one zip. `slices` are known at once, bytes are read when the zip is written."""

    def __init__(
        self, level: int, jobs: int | None = None, *, kept: bool = False, count: Count = no_count
    ) -> None:
        """`level` is zstd's, 1 to 22; `jobs` are the threads that compress, as many as cores if None.

        With `kept`, compressed entries come from the user's cache, and go there. `count` counts the bytes
        that are compressed.
        """
        self._count = count
        self._level = level
        self._kept = kept
        self._jobs = jobs or os.cpu_count() or 1
        self._entries: dict[str, _Single | _Group] = {}

    def add(self, directory: str, files: Sequence[File], *, whole: str | None = None) -> dict[str, Slice]:
        """Adds `files`, whose paths become names below `directory`; returns where the bytes of each path are.

        When all of them together are small they become the one entry called `whole`, if that is given.
        """
        ordered = sorted(files, key=lambda file: file.path)
        if whole is not None and sum(map(_weight, ordered)) <= GROUP:
            return self._add_group(whole, ordered)
        found: dict[str, Slice] = {}
        small: list[File] = []
        for file in ordered:
            if file.content.size >= LARGE:
                name = f"{directory}{file.path}"
                self._entries[name] = _Single(file.content)
                found[file.path] = Slice(name, 0, file.content.size)
            else:
                small.append(file)
        for number, group in enumerate(_cut(small)):
            found |= self._add_group(f"{directory}.group-{number:03}.zip", group)
        return found

    def _add_group(self, name: str, files: Sequence[File]) -> dict[str, Slice]:
        group = _Group(tuple(files))
        self._entries[name] = group
        return group.slices(name)

    def write(
        self,
        file: BinaryIO,
        plan: Callable[[tuple[PlannedEntry, ...]], Plan],
        stored: Iterable[tuple[str, bytes]] = (),
    ) -> Plan:
        """Writes the zip at the position of `file`, offsets counting from there.

        `plan` makes the plan from the entries that were written. `stored` are names and contents of entries
        that stay uncompressed, for readers that know no zstd.
        """
        start = file.tell()
        written: list[zip_records.Entry] = []
        planned: list[PlannedEntry] = []

        for name, data in stored:
            size, offset = len(data), file.tell() - start
            entry = zip_records.Entry(name, zip_records.STORED, zlib.crc32(data), size, size, offset)
            file.write(entry.local_header())
            file.write(data)
            written.append(entry)
        for packed, planned_entry in self.packed():
            written.append(packed.put(file, start))
            planned.append(planned_entry)
        made = plan(tuple(planned))
        written.append(put_entry(file, ENTRY_NAME, made.render(), self._level, start))
        file.write(zip_records.directory(written, file.tell() - start))
        return made

    @property
    def size(self) -> int:
        """The number of bytes to pack."""
        return sum(entry.size for entry in self._entries.values())

    def packed(self) -> Iterator[tuple[Packed, PlannedEntry]]:
        """The entries in order, compressed by all cores with few of them in memory at a time."""
        # The largest first, so that no core unpacks a large one alone at the end.
        order = sorted(self._entries.items(), key=lambda item: (-item[1].size, item[0]))
        steps = Steps(self._count, self.size, BYTES)
        with ThreadPoolExecutor(self._jobs) as pool:
            running: deque[Future[tuple[Packed, PlannedEntry]]] = deque()
            try:
                for name, entry in order:
                    running.append(pool.submit(self._pack, name, entry, steps))
                    if len(running) > 2 * self._jobs:
                        yield running.popleft().result()
                while running:
                    yield running.popleft().result()
            finally:
                for future in running:
                    future.cancel()

    def _pack(self, name: str, entry: _Single | _Group, steps: Steps) -> tuple[Packed, PlannedEntry]:
        if entry.size >= _HUGE:
            return self._pack_in_pieces(name, entry, steps)
        data = entry.read()
        planned = PlannedEntry(name, len(data), zlib.crc32(data), hashlib.sha256(data).hexdigest())
        if self._kept:
            frame = compressed(data, f"zstd {self._level}", lambda: compress(data, self._level))
        else:
            frame = compress(data, self._level)
        steps.add(len(data))
        return Packed(name, planned.size, planned.crc32, io.BytesIO(frame)), planned

    def _pack_in_pieces(
        self, name: str, entry: _Single | _Group, steps: Steps
    ) -> tuple[Packed, PlannedEntry]:
        """The same in memory that does not grow with the entry; any number of threads gives equal bytes."""
        import tempfile

        import zstandard

        compressor = zstandard.ZstdCompressor(level=self._level, write_content_size=True, threads=self._jobs)
        encoder, left = compressor.compressobj(size=entry.size), entry.size
        frame = tempfile.SpooledTemporaryFile(_FRAME_IN_MEMORY, prefix="czscie-")  # noqa: SIM115
        size, crc32, sha256 = entry.size, 0, hashlib.sha256()
        with writing(Path(tempfile.gettempdir())):
            for piece in entry.pieces():
                if (left := left - len(piece)) < 0:
                    break
                crc32 = zlib.crc32(piece, crc32)
                sha256.update(piece)
                frame.write(encoder.compress(piece))
                steps.add(len(piece))
            if left != 0:
                raise CzscieError(
                    f"{name} changed while it was packed",
                    code=Code.CHANGED_DURING_BUILD,
                    why="its size differs",
                    hint="build again",
                )
            frame.write(encoder.flush())
        return Packed(name, size, crc32, frame), PlannedEntry(name, size, crc32, sha256.hexdigest())


def put_entry(file: BinaryIO, name: str, data: bytes, level: int, start: int = 0) -> zip_records.Entry:
    """Writes an entry at the position of `file`; its offset counts from `start`."""
    frame = io.BytesIO(compress(data, level))
    return Packed(name, len(data), zlib.crc32(data), frame).put(file, start)


def _weight(file: File) -> int:
    """Bytes that a member takes in a group with its two headers: many empty files are not nothing."""
    return file.content.size + _MEMBER_OVERHEAD + 2 * len(file.path.encode())


def _cut(files: Iterable[File]) -> Iterator[list[File]]:
    """Runs of files of at most GROUP bytes together."""
    run: list[File] = []
    size = 0
    for file in files:
        weight = _weight(file)
        if run and size + weight > GROUP:
            yield run
            run, size = [], 0
        run.append(file)
        size += weight
    if run:
        yield run


def compress(data: bytes, level: int) -> bytes:
    """One zstd frame (RFC 8878) that tells its content's size; the zip's CRC-32 is the checksum."""
    import zstandard

    return zstandard.ZstdCompressor(level=level, write_content_size=True).compress(data)


def write_items(
    items: Iterable[File | Link],
    path: Path,
    level: int,
    directories: Sequence[str] = (),
    count: Count = no_count,
) -> Plan:
    """Writes the zip `path` of `items` that are installed where they are named, and returns its plan.

    `level` is zstd's. `directories` are made even if nothing is in them. `count` counts the bytes.
    """
    items = tuple(items)
    files = [item for item in items if isinstance(item, File)]
    links = tuple(PlannedLink(item.path, item.target) for item in items if isinstance(item, Link))
    packer = Packer(level, kept=True, count=count)
    slices = packer.add("", files)
    planned = tuple(PlannedFile(file.path, slices[file.path], executable=file.executable) for file in files)

    def plan(entries: tuple[PlannedEntry, ...]) -> Plan:
        return Plan(entries, planned, links, tuple(directories))

    return write_atomically(path, lambda stream: packer.write(stream, plan))
