"""The requirements of a part's ELF files for a C library, read from the packed part."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from czscie.container.part import open_part
from czscie.container.plan import PlannedFile
from czscie.elf import Elf, ElfError, is_elf


class Demand(msgspec.Struct, frozen=True):
    """The requirements of one part.

    `libraries` are all that something is linked with, `provided` the names of its own. `early` are libraries
    of files with a DT_RUNPATH, for which only their own search path counts. `programs` are the paths of
    executables that name a loader.
    """

    libraries: frozenset[str] = frozenset()
    provided: frozenset[str] = frozenset()
    early: frozenset[str] = frozenset()
    programs: tuple[str, ...] = ()


def scan(path: Path, loader: str) -> Demand:
    """The requirements of the packed part at `path`. `loader` is the one that its programs must name."""
    libraries: set[str] = set()
    provided: set[str] = set()
    early: set[str] = set()
    programs: list[str] = []
    for file, data in elf_files(path):
        try:
            elf = Elf.parse(data, file.path)
        except ElfError:
            continue  # it cannot be loaded
        libraries.update(elf.needed)
        provided.add(file.path.rpartition("/")[2])
        if elf.runpath:
            early.update(elf.needed)
        if elf.interpreter == loader:
            programs.append(file.path)
    return Demand(frozenset(libraries), frozenset(provided), frozenset(early), tuple(sorted(set(programs))))


def elf_files(path: Path) -> Iterator[tuple[PlannedFile, bytes]]:
    """Every ELF file of the packed part at `path`, an entry in memory at a time. Raises CzscieError."""
    with open_part(path) as part:
        plain = [each for each in part.plan().files if each.kind == "file" and each.content.size > 0]
        for planned, content in part.files(plain):
            if is_elf(bytes(content[:4])):
                yield planned, bytes(content)
