"""The composition of a CZEX that `czscie inject` wrote. Its hosts have the Python."""

from __future__ import annotations

import os
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import msgspec

from czscie.composition.accounts import CONTAINER, ZIP_RECORDS, ZipAccounts
from czscie.composition.composition import Composition, Fact, Licensed
from czscie.composition.density import GROUP_MAX, read_range
from czscie.composition.payload import payload_place, project_of, wheel_label
from czscie.composition.piece import Label, Ledger, Place
from czscie.container import zip as zip_records
from czscie.container.plan import Slice
from czscie.container.zip import CentralDirectory
from czscie.czex.catalogue import ENTRY_NAME, FORMAT
from czscie.documents import DocumentError, decode_json
from czscie.errors import Code, CzscieError
from czscie.filesystem import open_regular, pieces, sha256_of
from czscie.sbom.packages import declared_licences

_METADATA_MAX = 1 << 20

#: Scheme, path, number of the entry, offset, size, mode.
_Row = tuple[str, str, int, int, int, int]


class _Wheel(msgspec.Struct, frozen=True):
    filename: str
    version: str
    files: tuple[_Row, ...]


class _Constraint(msgspec.Struct, frozen=True):
    text: str


class _Catalogue(msgspec.Struct, frozen=True):
    format: int
    wheels: tuple[_Wheel, ...]
    sources: tuple[_Row, ...]
    start: tuple[_Row, ...]
    entries: tuple[tuple[str, int, int, str], ...]
    launchers: tuple[str, ...] = ()
    constraints: tuple[_Constraint, ...] = ()

    def wheels_of_projects(self) -> Counter[str]:
        return Counter(project_of(wheel.filename) for wheel in self.wheels)

    def slices(self, rows: Iterable[_Row]) -> Iterator[Slice]:
        """Where the content of `rows` is. Raises zipfile.BadZipFile when it is nowhere."""
        for _, path, entry, offset, size, _ in rows:
            if not 0 <= entry < len(self.entries) or not offset >= 0 or not 0 <= size < 1 << 60:
                raise zipfile.BadZipFile(f"its catalogue has no place for {path[:200]!r}")
            yield Slice(self.entries[entry][0], offset, size)


def czex_composition(path: Path) -> Composition:
    """What the CZEX at `path` is made of. Raises CzscieError when it is none, or is damaged."""
    try:
        with open_regular(path) as file:
            size = file.seek(0, os.SEEK_END)
            directory = zip_records.read_directory(file, size)
            catalogue = _read_catalogue(file, directory, path)
            accounts = _Accounts(file, size, directory, catalogue, catalogue.wheels_of_projects())
            accounts.add()
            licences = tuple(_licences(file, directory, catalogue))
            file.seek(0)
            sha256 = sha256_of(pieces(file))
    except OSError as error:
        raise CzscieError(
            f"cannot read {path}", code=Code.FILE_UNREADABLE, why=error.strerror or str(error)
        ) from error
    except zipfile.BadZipFile as error:
        raise CzscieError(
            f"{path} is damaged, or no CZEX", code=Code.ARCHIVE_DAMAGED, why=str(error)
        ) from error
    notes: tuple[str, ...] = ()
    if any(count > 1 for count in catalogue.wheels_of_projects().values()):
        notes = (
            "Installed sizes count every wheel. A host installs those for its Python and its platform only.",
        )
    return Composition(
        path,
        path.name,
        "CZEX",
        sum(len(wheel.files) for wheel in catalogue.wheels) + len(catalogue.sources) + len(catalogue.start),
        accounts.ledger.tree(path.name, lambda _: ""),
        (),
        tuple(_needs(catalogue)),
        (Fact(path.name, sha256),),
        licences,
        notes,
    )


def is_czex(path: Path) -> bool:
    """Whether the file at `path` is a zip with a catalogue. Raises CzscieError when it cannot be read."""
    try:
        with open_regular(path) as file:
            directory = zip_records.read_directory(file, file.seek(0, os.SEEK_END))
            return any(entry.name == ENTRY_NAME for entry in directory.entries)
    except OSError as error:
        raise CzscieError(
            f"cannot read {path}", code=Code.FILE_UNREADABLE, why=error.strerror or str(error)
        ) from error
    except zipfile.BadZipFile:
        return False


def _read_catalogue(file: BinaryIO, directory: CentralDirectory, path: Path) -> _Catalogue:
    try:
        catalogue = decode_json(zip_records.read_document(file, directory.entry(ENTRY_NAME)), _Catalogue)
    except DocumentError as error:
        raise CzscieError(
            f"the catalogue of {path} cannot be read", code=Code.CZEX_UNUSABLE, why=str(error)
        ) from error
    if catalogue.format != FORMAT:
        raise CzscieError(
            f"{path} has a catalogue of format {catalogue.format}",
            code=Code.OTHER_VERSION,
            why=f"this czscie reads format {FORMAT}",
            hint="use the czscie that made it",
        )
    return catalogue


@dataclass(slots=True)
class _Accounts:
    file: BinaryIO
    size: int
    directory: CentralDirectory
    catalogue: _Catalogue
    #: How many wheels each project has.
    wheels: Counter[str]
    ledger: Ledger = field(default_factory=Ledger)

    def add(self) -> None:
        """Accounts for the whole file. Raises zipfile.BadZipFile when it is damaged."""
        ledger, catalogue = self.ledger, self.catalogue
        ledger.labels |= {
            CONTAINER: Label("Container", "container", "zip records, catalogue"),
            "environment": Label("Environment", "extra", "start module, scripts"),
            "sources": Label("Program", "own", "files of the program itself"),
            "launchers": Label("Launchers", "launcher", "unpack on the host"),
            "bootstrap": Label("Bootstrap", "extra", "runs in the host's Python"),
            "other": Label("Other", "extra"),
        }
        rows = [row for wheel in catalogue.wheels for row in wheel.files]
        slices = catalogue.slices([*rows, *catalogue.sources, *catalogue.start])
        ZipAccounts(ledger, self.file, self.directory, self._place, ("environment",)).add(slices, {})
        first = min((entry.header_offset for entry in self.directory.entries), default=0)
        ledger.add((CONTAINER, "First line"), packed=first)
        rest = self.size - ledger.packed
        if rest < 0:
            raise zipfile.BadZipFile("its entries are longer than it is")
        ledger.add(ZIP_RECORDS, packed=rest)

    def _place(self, entry: str) -> Place:
        place, wheel = payload_place(entry)
        if wheel is None:
            return place
        label = wheel_label(wheel, None)
        if self.wheels[project_of(wheel)] > 1:
            tags = "-".join(wheel.removesuffix(".whl").split("-")[2:])
            place = (f"{place[0]}:{tags}", *place[1:])
            label = Label(label.name, label.kind, f"{label.detail} {tags}")
        self.ledger.labels.setdefault(place[0], label)
        return place


def _needs(catalogue: _Catalogue) -> Iterator[Fact]:
    yield Fact("Python", ", ".join(each.text for each in catalogue.constraints) or "2.7, or 3.5 and newer")
    yield Fact("Platform", ", ".join(catalogue.launchers))


def _licences(file: BinaryIO, directory: CentralDirectory, catalogue: _Catalogue) -> Iterator[Licensed]:
    """The licences that the metadata of wheels declares."""
    for wheel in catalogue.wheels:
        for row in wheel.files:
            parent, _, name = row[1].rpartition("/")
            if name != "METADATA" or not parent.endswith(".dist-info") or row[4] > _METADATA_MAX:
                continue
            [where] = catalogue.slices([row])
            entry = directory.entry(where.entry)
            if entry.size > GROUP_MAX:
                continue
            metadata = read_range(file, entry, where.offset, where.size)
            label = wheel_label(wheel.filename, None)
            yield Licensed(label.name, wheel.version, declared_licences(metadata))
            break
