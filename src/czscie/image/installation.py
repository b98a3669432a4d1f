"""Carries out the plan of an installation (docs/format.md, section 4) as files of a layer.

What native/src/unpack.zig writes on a user's machine is laid out here when the image is made, for whatever
platform: nothing of it is run.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from czscie.container import zip as zip_records
from czscie.container.content import Data, File, Link
from czscie.container.plan import ENTRY_NAME, Plan, PlannedFile, parse
from czscie.errors import CzscieError
from czscie.image.layer import Directory


@dataclass(frozen=True, slots=True)
class Place:
    """Where an installation is: `root` is its own directory, `base` the one that holds all; both absolute."""

    base: str
    root: str

    def inside(self, path: str) -> str:
        """A path of the installation as layers have it."""
        return f"{self.root}/{path}".lstrip("/")


def read_plan(part: Path) -> Plan:
    """The plan that the zip `part` holds. Raises CzscieError when it is damaged."""
    with part.open("rb") as file:
        try:
            directory = zip_records.read_directory(file, part.stat().st_size)
            return parse(zip_records.read_entry(file, directory.entry(ENTRY_NAME)))
        except zipfile.BadZipFile as error:
            raise _damaged(part, error) from error


def installed(part: Path, plan: Plan, place: Place) -> Iterator[File | Directory | Link]:
    """The installation of `plan`, whose entries are in the zip `part`, at `place`: files, then the rest.

    What a plan writes over files is for hosts without a C library, and images have one where programs look.

    Raises CzscieError when an entry is damaged.
    """
    try:
        yield from _files(part, plan, place)
    except zipfile.BadZipFile as error:
        raise _damaged(part, error) from error
    for directory in sorted(plan.directories):
        yield Directory(place.inside(directory))
    for link in sorted(plan.links, key=lambda link: link.path):
        yield Link(place.inside(link.path), link.target)


def _files(part: Path, plan: Plan, place: Place) -> Iterator[File]:
    with part.open("rb") as file:
        directory = zip_records.read_directory(file, part.stat().st_size)
        entries = {entry.name: entry for entry in directory.entries}
        name, content = "", b""
        for planned in sorted(plan.files, key=lambda each: (each.content.entry, each.path)):
            where = planned.content
            if where.entry != name:  # each of them is read once
                name, content = where.entry, zip_records.read_entry(file, entries[where.entry])
            data = _rendered(planned, content[where.offset :][: where.size], place)
            yield File(place.inside(planned.path), Data(data), planned.executable)


def _rendered(planned: PlannedFile, content: bytes, place: Place) -> bytes:
    if planned.kind == "fill":
        return content.replace(b"{base}", place.base.encode()).replace(b"{root}", place.root.encode())
    if planned.kind == "script":
        return f"#!{place.root}/{planned.interpreter}\n".encode() + content
    return content


def _damaged(part: Path, error: Exception) -> CzscieError:
    return CzscieError(f"{part} is damaged", why=str(error), mend="delete it and build again")
