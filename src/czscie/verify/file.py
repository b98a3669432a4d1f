"""Verifies all digests of an executable for any platform, as its own tool `verify` does."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from czscie import signature
from czscie.container import plan as plans
from czscie.container import zip as zip_records
from czscie.container.manifest import Manifest, Part
from czscie.errors import Code, CzscieError
from czscie.filesystem import open_regular, pieces, sha256_of
from czscie.libc.variant import PLAN as LIBC_PLAN
from czscie.scie.inspect import read_manifest


@dataclass(frozen=True, slots=True)
class FileFault:
    """A change since the build: `subject`, such as an entry, in the part `where`."""

    where: str
    subject: str
    problem: str

    def __str__(self) -> str:
        return f"{self.where}: {self.subject}: {self.problem}"


@dataclass(frozen=True, slots=True)
class Verification:
    """The result: `problems` is empty when the file is intact."""

    manifest: Manifest
    entries: int
    problems: tuple[FileFault, ...]


def verify_file(path: Path) -> Verification:
    """Compares launcher, plans and entries with their digests, and looks for unaccounted bytes.

    Raises CzscieError when the file is unreadable, or was not built by czscie.
    """
    try:
        with open_regular(path) as file:
            size = path.stat().st_size
            check = _Check(file, read_manifest(file, size, str(path)))
            problems = (
                *check.launcher(),
                *check.places(signature.payload_end(file, size)),
                *check.parts(str(path)),
                *check.signature(size),
            )
            return Verification(check.manifest, check.entries, problems)
    except OSError as error:
        raise CzscieError(
            f"cannot read {path}", code=Code.FILE_UNREADABLE, why=error.strerror or str(error)
        ) from error


@dataclass(slots=True)
class _Check:
    file: BinaryIO
    manifest: Manifest
    entries: int = 0

    def launcher(self) -> Iterator[FileFault]:
        jump = self.manifest.scie.jump
        try:
            head = signature.bare_head_of(self.file, jump.size)
        except signature.DAMAGE as error:
            yield FileFault("launcher", "launcher", str(error))
            return
        self.file.seek(len(head))
        if sha256_of(chain([head], pieces(self.file, jump.size - len(head)))) != jump.hash:
            yield FileFault("launcher", "launcher", "it changed after it was built")

    def places(self, size: int) -> Iterator[FileFault]:
        """Checks that parts leave no gap: each begins where the one before it ends."""
        end = self.manifest.scie.jump.size
        for part in self.manifest.scie.lift.files:
            if part.offset != end:
                yield FileFault(part.name, "its place", f"it begins at {part.offset} instead of {end}")
            end = part.offset + part.size
        if end > size:
            yield FileFault("manifest", "its parts", "they are longer than the file")

    def signature(self, size: int) -> Iterator[FileFault]:
        """Checks the integrity of a signature, but not who signed it."""
        for problem in signature.signature_problems(self.file, size):
            yield FileFault("signature", "signature", problem)

    def parts(self, label: str) -> Iterator[FileFault]:
        for part in self.manifest.scie.lift.files:
            if part.size == 0:
                raise CzscieError(
                    f"{label} starts a permanent installation",
                    code=Code.NOT_AN_EXECUTABLE,
                    why="it does not contain the installed files",
                    hint="verify the file that it was installed from",
                )
            yield from self._part(part)

    def _part(self, part: Part) -> Iterator[FileFault]:
        try:
            directory = zip_records.read_directory(self.file, part.offset + part.size, part.offset)
        except zipfile.BadZipFile as error:
            yield FileFault(part.name, "its directory of entries", str(error))
            return
        yield from self._layout(part, directory)
        planned: dict[str, plans.PlannedEntry] = {}
        for name, digest in self._plans(part):
            try:
                text = zip_records.read_document(self.file, directory.entry(name))
                if hashlib.sha256(text).hexdigest() != digest:
                    yield FileFault(part.name, name, "it changed after it was built")
                plan = plans.parse(text)
                plan.check(self.manifest.platform)
                planned |= {entry.name: entry for entry in plan.entries}
            except (zipfile.BadZipFile, CzscieError) as error:
                yield FileFault(part.name, name, str(error).removeprefix("error: ").splitlines()[0])
                return
        there = {entry.name for entry in directory.entries}
        for name in planned.keys() - there:
            yield FileFault(part.name, name, "it is missing")
        for entry in directory.entries:
            self.entries += 1
            yield from self._entry(part, entry, planned.get(entry.name))

    def _plans(self, part: Part) -> Iterator[tuple[str, str]]:
        """The entries of `part` that are plans, and the digests that they must have."""
        yield plans.ENTRY_NAME, part.digest
        libc = self.manifest.scie.lift.libc
        if libc is not None and part.name in libc.plans:
            yield LIBC_PLAN, libc.plans[part.name]

    def _layout(self, part: Part, directory: zip_records.CentralDirectory) -> Iterator[FileFault]:
        """Checks that entries leave no gap either."""
        end = part.offset
        for entry in sorted(directory.entries, key=lambda entry: entry.header_offset):
            if entry.header_offset != end:
                yield FileFault(part.name, entry.name, f"it begins at {entry.header_offset} instead of {end}")
            try:
                end = zip_records.data_offset(self.file, entry) + entry.compressed_size
            except zipfile.BadZipFile as error:
                yield FileFault(part.name, entry.name, str(error))
                return
        if end != directory.offset:
            yield FileFault(part.name, "its directory of entries", "data lies between it and the last entry")

    def _entry(
        self, part: Part, entry: zip_records.Entry, planned: plans.PlannedEntry | None
    ) -> Iterator[FileFault]:
        """An entry that no plan names has a CRC-32 and no other digest."""
        if planned is not None and (planned.size, planned.crc32) != (entry.size, entry.crc32):
            yield FileFault(part.name, entry.name, "its size or checksum differs from the plan")
        digest = hashlib.sha256()
        try:
            for chunk in zip_records.stream_entry(self.file, entry):
                digest.update(chunk)
        except zipfile.BadZipFile as error:
            yield FileFault(part.name, entry.name, str(error))
            return
        if planned is not None and digest.hexdigest() != planned.sha256:
            yield FileFault(part.name, entry.name, "its content changed after it was built")
