"""A packed part: a zip with a plan in it, as czscie writes it and the launcher unpacks it.

docs/reference/format.md, sections 3 and 4.
"""

from __future__ import annotations

import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from czscie.build_cache import check
from czscie.cache import damaged
from czscie.container import zip as zip_records
from czscie.container.plan import ENTRY_NAME, Plan, PlannedFile, parse


@dataclass(frozen=True, slots=True)
class PackedPart:
    """A part that is open for reading. Its methods raise zipfile.BadZipFile when it is damaged."""

    file: BinaryIO
    directory: zip_records.CentralDirectory

    @classmethod
    def within(cls, file: BinaryIO, end: int, start: int = 0) -> PackedPart:
        """The part between `start` and `end` of `file`, whose offsets are those of the whole file."""
        return cls(file, zip_records.read_directory(file, end, start))

    def document(self, name: str = ENTRY_NAME) -> bytes:
        """A document of the part, by default the plan. The part may be untrusted."""
        return zip_records.read_document(self.file, self.directory.entry(name))

    def plan(self) -> Plan:
        """Raises CzscieError when the document is not a plan."""
        return parse(self.document())

    def files(self, planned: Iterable[PlannedFile]) -> Iterator[tuple[PlannedFile, memoryview]]:
        """The `planned` files with their contents, each entry read once, one at a time in memory."""
        by_entry = defaultdict(list)
        for each in planned:
            by_entry[each.content.entry].append(each)
        for name, files in by_entry.items():
            content = memoryview(zip_records.read_entry(self.file, self.directory.entry(name)))
            for each in files:
                yield each, content[each.content.offset :][: each.content.size]

    def read(self, planned: PlannedFile) -> bytes:
        [(_, content)] = self.files([planned])
        return bytes(content)

    def find(self, path: str) -> bytes | None:
        """The file that is installed at `path`; None when there is none."""
        return next((self.read(each) for each in self.plan().files if each.path == path), None)


@contextmanager
def open_part(path: Path) -> Iterator[PackedPart]:
    """The packed part at `path`, a file of the cache. Raises CzscieError when it is damaged, also for what is
    read of it.
    """
    with path.open("rb") as file:
        try:
            yield PackedPart.within(file, path.stat().st_size)
        except zipfile.BadZipFile as error:
            raise damaged(path, str(error)) from error


def read_plan(path: Path) -> Plan:
    """The plan of the packed part at `path`. Raises CzscieError."""
    with open_part(path) as part:
        return part.plan()


@dataclass(frozen=True, slots=True)
class PartFile:
    """A zip to put into a scie: its path, and its entry in the manifest.

    `sha256` is the digest that its file must have; None for a file that was just written.
    """

    path: Path
    name: str
    kind: str
    digest: str
    unpacked: int
    description: str
    #: More entries, by name: what the zip did not have when it was made.
    entries: tuple[tuple[str, bytes], ...] = ()
    #: Of an interpreter, the path of the file that it imports first.
    first_module: str = ""
    sha256: str | None = None
    #: The names of lazy parts that it does not work without.
    requires: tuple[str, ...] = ()

    def check(self) -> None:
        """Raises CzscieError when the file is damaged. Call it before storing anything read from it."""
        if self.sha256 is not None:
            check(self.path, self.sha256)
