"""The composition of an executable."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from czscie.composition.accounts import CONTAINER, ZIP_RECORDS, ZipAccounts, find_packs
from czscie.composition.composition import Composition, Fact, Licensed
from czscie.composition.payload import LIBC_FILES, WHEEL, payload_place, site_path, wheel_label
from czscie.composition.piece import Label, Ledger, Place
from czscie.composition.reasons import HIDDEN, NOT_PACKED, NOT_RECORDED, library_reason
from czscie.container.manifest import FETCHER, FILES, LIBC, PAYLOAD, SBOM, Manifest
from czscie.container.part import PackedPart
from czscie.container.plan import ENTRY_NAME
from czscie.errors import Code, CzscieError
from czscie.filesystem import open_regular
from czscie.libc.variant import PLAN as LIBC_PLAN
from czscie.report import requirements
from czscie.sbom.component import STAYING
from czscie.sbom.component import WHEEL as WHEEL_FILE
from czscie.sbom.read import Recorded, read_bill
from czscie.scie.inspect import Contents, PartContents, damaged, find_sbom, read_scie
from czscie.signature import payload_end

#: The standard library in an interpreter of python-build-standalone's layout, or PyPy's.
_LIBRARY = re.compile(r"(lib/(?:python|pypy)\d\.\d+t?|Lib)/(.+)", re.DOTALL)

_DOCUMENTS: Mapping[str, Place] = {
    ENTRY_NAME: (CONTAINER, "Plans"),
    LIBC_PLAN: (CONTAINER, "Plans"),
    SBOM: (CONTAINER, "Bill of materials"),
}
_OTHERS: Mapping[str, Label] = {
    FILES: Label("Embedded files", "extra"),
    FETCHER: Label("Fetcher", "extra", "downloads lazy parts"),
    LIBC: Label("C library", "extra", "for hosts without one"),
}


def executable_composition(path: Path) -> Composition:
    """What the executable at `path` is made of. Raises CzscieError when it is none, or is damaged."""
    contents = read_scie(path)
    bill = _bill(path)
    try:
        with open_regular(path) as file:
            accounts = _Accounts(contents, bill, file)
            accounts.add()
    except OSError as error:
        raise CzscieError(
            f"cannot read {path}", code=Code.FILE_UNREADABLE, why=error.strerror or str(error)
        ) from error
    except zipfile.BadZipFile as error:
        raise damaged(str(path), str(error)) from error
    lift = contents.manifest.scie.lift
    return Composition(
        path,
        lift.name,
        f"Executable for {lift.platform}",
        sum(len(part.plan.files) for part in contents.parts),
        accounts.ledger.tree(lift.name, accounts.why),
        tuple(_facts(contents)),
        tuple(Fact(name, value) for name, value in requirements(contents)),
        tuple(_digests(contents, bill)),
        tuple(_licences(bill)),
        () if bill else ("It was built without a bill of materials, so its licences are not known.",),
    )


@dataclass(slots=True)
class _Accounts:
    contents: Contents
    bill: Mapping[str, Recorded]
    file: BinaryIO
    ledger: Ledger = field(default_factory=Ledger)
    #: The names of the parts that have an import archive.
    packed: set[str] = field(default_factory=set)
    #: The places of extension modules, without what follows the names.
    extensions: set[Place] = field(default_factory=set)

    def add(self) -> None:
        """Accounts for the whole file. Raises zipfile.BadZipFile when its parts overlap or are damaged."""
        manifest, ledger = self.contents.manifest.scie, self.ledger
        ledger.labels[CONTAINER] = Label("Container", "container", "zip records, plans, manifest")
        ledger.labels["libc"] = Label("For the bundled C library", "extra")
        ledger.labels["launcher"] = Label("Launcher", "launcher", manifest.jump.version)
        ledger.add(("launcher",), packed=manifest.jump.size)
        end = manifest.jump.size
        for part in self.contents.parts:
            if part.part.offset < end:
                raise zipfile.BadZipFile(f"{part.part.name} overlaps what is before it")
            ledger.add((CONTAINER, "Not accounted for"), packed=part.part.offset - end)
            end = part.part.offset + part.part.size
            self._add_part(part, end)
        payload = payload_end(self.file, self.contents.size)
        if not end <= payload <= self.contents.size:
            raise zipfile.BadZipFile("its parts are longer than the file")
        ledger.add((CONTAINER, "Manifest"), packed=payload - end)
        ledger.add((CONTAINER, "Signature"), packed=self.contents.size - payload)
        self.extensions = {
            (*place[:-1], place[-1].partition(".")[0])
            for place in ledger.places
            if place[-1].endswith((".so", ".pyd"))
        }

    def _add_part(self, part: PartContents, end: int) -> None:
        name = part.part.name
        packed = PackedPart.within(self.file, end, part.part.offset)
        packs = find_packs(self.file, packed.directory, part.plan.files)
        if packs:
            self.packed.add(name)
        self._label(part)
        if name == PAYLOAD:
            accounts = ZipAccounts(
                self.ledger, self.file, packed.directory, self._payload_place, ("environment",), site_path
            )
        else:
            home = (f"library:{name}",)
            accounts = ZipAccounts(
                self.ledger, self.file, packed.directory, lambda entry: self._part_place(part, entry), home
            )
        before = self.ledger.packed
        accounts.add((each.content for each in part.plan.files), packs)
        # The directory of entries, and what lies between them.
        rest = part.part.size - (self.ledger.packed - before)
        if rest < 0:
            raise zipfile.BadZipFile(f"the entries of {name} are longer than it is")
        self.ledger.add(ZIP_RECORDS, packed=rest)

    def _label(self, part: PartContents) -> None:
        name, labels = part.part.name, self.ledger.labels
        if name == PAYLOAD:
            labels["environment"] = Label("Environment", "extra", "start module, scripts, import archive")
            labels["sources"] = Label("Program", "own", "files of the program itself")
            labels["other"] = Label("Other", "extra")
        elif part.part.kind == "interpreter":
            several = sum(each.part.kind == "interpreter" for each in self.contents.parts) > 1
            suffix = f" {name}" if several else ""
            labels[f"interpreter:{name}"] = Label(
                f"Interpreter{suffix}", "interpreter", part.part.description
            )
            labels[f"library:{name}"] = Label(f"Standard library{suffix}", "library")
        else:
            labels[f"part:{name}"] = _OTHERS.get(name, Label(name, "extra", part.part.description))

    def _part_place(self, part: PartContents, entry: str) -> Place:
        if entry in _DOCUMENTS:
            return _DOCUMENTS[entry]
        name = part.part.name
        if entry.startswith(LIBC_FILES):
            return ("libc", *entry.removeprefix(LIBC_FILES).split("/"))
        if part.part.kind != "interpreter":
            return (f"part:{name}", *entry.split("/"))
        if match := _LIBRARY.fullmatch(entry):
            return (f"library:{name}", *match[2].split("/"))
        return (f"interpreter:{name}", *entry.split("/"))

    def _payload_place(self, entry: str) -> Place:
        if entry in _DOCUMENTS:
            return _DOCUMENTS[entry]
        place, wheel = payload_place(entry)
        if wheel is not None and place[0] not in self.ledger.labels:
            self.ledger.labels[place[0]] = wheel_label(wheel, self._of_wheel(place))
        return place

    def _of_wheel(self, place: Place) -> Recorded | None:
        return self.bill.get(f"payload/{place[0].removeprefix(WHEEL)}")

    def why(self, place: Place) -> str:
        """Why the module at `place` is a file."""
        owner, _, name = place[0].partition(":")
        if (*place[:-1], place[-1].removesuffix(".py")) in self.extensions:
            return HIDDEN
        if owner == "library":
            if name not in self.packed:
                return NOT_PACKED
            return library_reason("/".join(place[1:]))
        if owner not in ("sources", "environment", "wheel"):
            return ""
        if PAYLOAD not in self.packed:
            return NOT_PACKED
        if owner == "sources":
            return "they are the application's own"
        if owner == "environment":
            return "the virtual environment starts with it"
        wheel = self._of_wheel(place)
        return NOT_RECORDED if wheel is None else wheel.properties.get(STAYING, NOT_RECORDED)


def _bill(path: Path) -> Mapping[str, Recorded]:
    """The bill of materials; none if the file was built without one. Raises CzscieError."""
    text = find_sbom(path)
    return {} if text is None else read_bill(text, str(path))


def _facts(contents: Contents) -> Iterable[Fact]:
    manifest: Manifest = contents.manifest
    lift = manifest.scie.lift
    if lift.description:
        yield Fact("Description", lift.description)
    for part in contents.parts:
        yield Fact(f"{part.part.kind} {part.part.name}", part.part.description)
    commands = [name or "the default one" for name in lift.boot.commands]
    yield Fact("Commands", ", ".join(commands))
    for lazy in lift.lazy:
        yield Fact(f"Downloaded by a start: {lazy.name}", manifest.ptex.get(lazy.fetched, lazy.fetched))


def _digests(contents: Contents, bill: Mapping[str, Recorded]) -> Iterable[Fact]:
    """SHA-256 of the file and what it was made from; a part is named by the digest of its plan."""
    yield Fact(contents.path.name, contents.sha256)
    yield Fact("launcher", contents.manifest.scie.jump.hash)
    for part in contents.parts:
        yield Fact(f"plan of {part.part.kind} {part.part.name}", part.part.digest)
    for component in sorted(bill.values(), key=lambda each: each.name.lower()):
        if component.sha256 is not None and WHEEL_FILE in component.properties:
            yield Fact(component.properties[WHEEL_FILE], component.sha256)


def _licences(bill: Mapping[str, Recorded]) -> Iterable[Licensed]:
    for component in sorted(bill.values(), key=lambda each: (each.name.lower(), each.version or "")):
        if component.licences or component.kind == "library":
            yield Licensed(component.name, component.version or "", component.licences)
