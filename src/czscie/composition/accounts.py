"""Accounts for every byte of a zip of czscie's, and for every byte that is installed from it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import BinaryIO

from czscie.composition.density import Density, measure, read_range
from czscie.composition.division import Member, member_at, members_of, partition
from czscie.composition.piece import Ledger, Place
from czscie.container.plan import PlannedFile, Slice
from czscie.container.zip import CentralDirectory, Entry, data_offset
from czscie.pack.index import HEADER, Claim, PackIndex, index_size, read_index
from czscie.pack.pack import NAME, REST

CONTAINER = "container"
ZIP_RECORDS = (CONTAINER, "Zip records")

_ARCHIVE = "Import archive"
_INDEX_MAX = 64 << 20


#: The claims of each file of a pack, which count from its start, by the name of an entry and where in its
#: content the file is.
Packs = Mapping[tuple[str, int], tuple[Claim, ...]]


@dataclass(slots=True)
class ZipAccounts:
    """The zip in `file` with the entries of `directory`.

    `place_of` gives the place of an entry's member by its name. `home` is the place of the files beside the
    packs, and `homes` are places of other modules by their paths there. `site_path` gives such a path for a
    place.
    """

    ledger: Ledger
    file: BinaryIO
    directory: CentralDirectory
    place_of: Callable[[str], Place]
    home: Place
    site_path: Callable[[Place], str | None] = lambda _: None
    homes: dict[str, Place] = field(default_factory=dict)

    def add(self, installed: Iterable[Slice], packs: Packs) -> None:
        """Adds all entries, and what is `installed`. Raises zipfile.BadZipFile when one is damaged."""
        slices: dict[str, list[Slice]] = defaultdict(list)
        for each in installed:
            slices[each.entry].append(each)
        with_packs = {entry for entry, _ in packs}
        # Packs last: then it is known where the modules in them come from.
        for entry in sorted(self.directory.entries, key=lambda entry: entry.name in with_packs):
            self._add_entry(entry, slices[entry.name], packs)

    def _add_entry(self, entry: Entry, slices: Iterable[Slice], packs: Packs) -> None:
        self.ledger.add(ZIP_RECORDS, packed=data_offset(self.file, entry) - entry.header_offset)
        measured = measure(self.file, entry)
        density, members = measured.density, members_of(entry, measured)
        if entry.size == 0:
            self.ledger.add(ZIP_RECORDS, packed=entry.compressed_size)
        for member in members:
            if (entry.name, member.start) in packs:
                continue
            place = self.place_of(member.name)
            self.ledger.add(place, content=member.end - member.start)
            if (path := self.site_path(place)) is not None:
                self.homes.setdefault(path, place)
        claims = [(member.start, member.end, number) for number, member in enumerate(members)]
        for start, end, number in partition(entry.size, claims):
            if number is None:
                self.ledger.add(ZIP_RECORDS, packed=density.before(end) - density.before(start))
            elif (pack := packs.get((entry.name, members[number].start))) is not None:
                self._add_pack(pack, members[number], density)
            else:
                place = self.place_of(members[number].name)
                self.ledger.add(place, packed=density.before(end) - density.before(start))
        for each in slices:
            found = member_at(members, each.offset)
            if found is None:
                self.ledger.add(ZIP_RECORDS, installed=each.size)
            elif (entry.name, found.start) not in packs:
                self.ledger.add(self.place_of(found.name), installed=each.size, is_file=True)

    def _add_pack(self, pack: Sequence[Claim], member: Member, density: Density) -> None:
        """Adds a pack to the modules in it. It is installed as it is."""
        for claim in pack:
            self.ledger.add(self._place_in_pack(claim), content=claim.size)
        ranges = [(claim.start, claim.end, number) for number, claim in enumerate(pack)]
        for start, end, number in partition(member.end - member.start, ranges):
            packed = density.before(member.start + end) - density.before(member.start + start)
            if number is None:
                index = (*self.home, _ARCHIVE, "Index")
                size = end - start
                self.ledger.add(index, packed=packed, installed=size, content=size, is_file=True)
            else:
                claim = pack[number]
                place = self._place_in_pack(claim)
                is_file, is_code = claim.path is None, claim.is_code
                self.ledger.add(
                    place, packed=packed, installed=end - start, is_file=is_file, is_packed=is_code
                )

    def _place_in_pack(self, claim: Claim) -> Place:
        if claim.path is None:
            return (*self.home, _ARCHIVE, "Regular expressions")
        return self.homes.get(claim.path, (*self.home, *claim.path.split("/")))


def find_packs(file: BinaryIO, directory: CentralDirectory, files: Iterable[PlannedFile]) -> Packs:
    """The packs among the `files` of a plan. What cannot be read as one is a file like others.

    Raises zipfile.BadZipFile when an entry is damaged.
    """
    by_directory: dict[str, dict[str, Slice]] = defaultdict(dict)
    for each in files:
        parent, _, name = each.path.rpartition("/")
        if name in (NAME, REST):
            by_directory[parent][name] = each.content
    found: dict[tuple[str, int], tuple[Claim, ...]] = {}
    for pack in by_directory.values():
        if (first := pack.get(NAME)) is None or (index := _read_index(file, directory, first)) is None:
            continue
        end = first.size if index.rest is None else index.rest
        found[first.entry, first.offset] = tuple(each for each in index.claims if each.start < end)
        if (rest := pack.get(REST)) is not None:
            others = (each for each in index.claims if each.start >= end)
            found[rest.entry, rest.offset] = tuple(_moved(each, end) for each in others)
    return found


def _read_index(file: BinaryIO, directory: CentralDirectory, where: Slice) -> PackIndex | None:
    entry = directory.entry(where.entry)
    try:
        size = index_size(read_range(file, entry, where.offset, HEADER))
        if size > min(where.size, _INDEX_MAX):
            return None
        return read_index(read_range(file, entry, where.offset + HEADER, size))
    except ValueError:
        return None


def _moved(claim: Claim, start: int) -> Claim:
    return replace(claim, start=claim.start - start, end=claim.end - start)
