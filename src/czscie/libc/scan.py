"""What the ELF files of a part ask of a C library: read from the part as it was packed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import msgspec

from czscie.container import zip as zip_records
from czscie.container.plan import ENTRY_NAME, Plan, PlannedFile, parse
from czscie.elf import Elf, ElfError, is_elf


class Demand(msgspec.Struct, frozen=True):
    """What one part asks for.

    `libraries` are all that something is linked with, `provided` the names of its own. `early` are libraries
    of files with a DT_RUNPATH, which no search path but their own helps to find. `programs` are the paths of
    executables that name a loader.
    """

    libraries: frozenset[str] = frozenset()
    provided: frozenset[str] = frozenset()
    early: frozenset[str] = frozenset()
    programs: tuple[str, ...] = ()


def read_plan(path: Path) -> Plan:
    """The plan of the packed part at `path`."""
    with path.open("rb") as file:
        directory = zip_records.read_directory(file, path.stat().st_size)
        return parse(zip_records.read_entry(file, directory.entry(ENTRY_NAME)))


def scan(path: Path, loader: str) -> Demand:
    """What the packed part at `path` asks for. `loader` is the one that its programs have to name."""
    libraries: set[str] = set()
    provided: set[str] = set()
    early: set[str] = set()
    programs: list[str] = []
    for file, data in elf_files(path):
        try:
            elf = Elf.parse(data, file.path)
        except ElfError:
            continue  # nobody can load it
        libraries.update(elf.needed)
        provided.add(file.path.rpartition("/")[2])
        if elf.runpath:
            early.update(elf.needed)
        if elf.interpreter == loader:
            programs.append(file.path)
    return Demand(frozenset(libraries), frozenset(provided), frozenset(early), tuple(sorted(set(programs))))


def elf_files(path: Path) -> Iterator[tuple[PlannedFile, bytes]]:
    """Every ELF file of the packed part at `path`, an entry in memory at a time."""
    files = defaultdict(list)
    for planned in read_plan(path).files:
        if planned.kind == "file" and planned.content.size > 0:
            files[planned.content.entry].append(planned)
    with path.open("rb") as stream:
        directory = zip_records.read_directory(stream, path.stat().st_size)
        for name, planned_files in files.items():
            content = memoryview(zip_records.read_entry(stream, directory.entry(name)))
            for planned in planned_files:
                data = content[planned.content.offset :][: planned.content.size]
                if is_elf(bytes(data[:4])):
                    yield planned, bytes(data)
