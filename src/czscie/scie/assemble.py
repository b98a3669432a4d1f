"""Assembles launcher, interpreters and payload into one file.

Every part is a zip of its own whose offsets count from its start; here they move to their places in the whole
file, and the manifest becomes the comment of the last one. Packed data is copied unchanged.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import msgspec

from czscie import mach_o, pe, signature
from czscie.cache import damaged
from czscie.container import zip as zip_records
from czscie.container.manifest import (
    FORMAT,
    SBOM,
    Launcher,
    LiftManifest,
    Manifest,
    Part,
    Scie,
)
from czscie.container.packer import put_entry
from czscie.container.part import PartFile
from czscie.errors import Code, CzscieError
from czscie.filesystem import pieces, write_atomically

#: zstd's, of what is added here. It is small: the best that zstd has takes no time.
_LEVEL = 19


def assemble(
    path: Path,
    launcher: Path,
    launcher_version: str,
    parts: list[PartFile],
    lift: LiftManifest,
    sbom: bytes | None = None,
    urls: Mapping[str, str] | None = None,
) -> Manifest:
    """Writes the executable `path` out of `launcher` and `parts`, of which the last is the payload.

    `lift` is its manifest, in which the files are missing yet. `sbom` is its bill of materials, which goes
    into the last zip as an entry that no plan names; `urls` are those of its lazy parts. Raises CzscieError
    when the manifest is too long for a zip's comment, a part is damaged, or the file is too large for its
    platform.
    """
    code = launcher.read_bytes()
    alignment = signature.ALIGNMENT if signature.is_signable(code) else 1

    def write(stream: BinaryIO) -> Manifest:
        stream.write(code)
        jump = Launcher(launcher_version, len(code), hashlib.sha256(code).hexdigest())
        placed: list[Part] = []
        entries: list[zip_records.Entry] = []
        for part in parts:
            start = stream.tell()
            entries = _copy_data(part, stream)
            entries += [put_entry(stream, name, data, _LEVEL) for name, data in part.entries]
            if sbom is not None and part is parts[-1]:
                entries.append(put_entry(stream, SBOM, sbom, _LEVEL))
            records = zip_records.directory(entries, stream.tell())
            placed.append(_part(part, start, stream.tell() + len(records) - start))
            if part is not parts[-1]:
                stream.write(records)
        scie = Scie(FORMAT, jump, msgspec.structs.replace(lift, files=tuple(placed)))
        manifest = Manifest(scie, dict(urls or {}))
        stream.write(zip_records.last_directory(entries, stream.tell(), manifest.render(), alignment))
        _finish(stream, code, launcher, lift.name)
        return manifest

    size = sum(each.stat().st_size for each in (launcher, *(part.path for part in parts)))
    if mach_o.is_mach_o(code):
        mach_o.check_size(size, lift.name)
    elif pe.is_pe(code):
        pe.check_size(size, lift.name)
    return write_atomically(path, write, size, mode=0o777)


def _finish(stream: BinaryIO, code: bytes, launcher: Path, name: str) -> None:
    """Updates the launcher's header for the whole file."""
    if pe.is_pe(code):
        pe.seal(stream)
    if not mach_o.is_mach_o(code):
        return
    try:
        mach_o.sign(stream, name)
    except mach_o.MachOError as error:
        raise CzscieError(
            f"the launcher {launcher} cannot be signed",
            code=Code.LAUNCHER_UNUSABLE,
            why=str(error),
            hint="czscie cache clean launchers compiles it again",
        ) from error


def _copy_data(part: PartFile, stream: BinaryIO) -> list[zip_records.Entry]:
    """Copies the data of the zip and returns its entries as they are in `stream`.

    The digest of what is copied is compared on the way.
    """
    start = stream.tell()
    digest = hashlib.sha256()
    with part.path.open("rb") as file:
        try:
            found = zip_records.read_directory(file, part.path.stat().st_size)
        except zipfile.BadZipFile as error:
            raise damaged(part.path, str(error)) from error
        file.seek(0)
        copied = 0
        for chunk in pieces(file, found.offset):
            copied += stream.write(chunk)
            digest.update(chunk)
        for chunk in pieces(file):
            digest.update(chunk)
    if copied != found.offset or part.sha256 not in (None, digest.hexdigest()):
        raise damaged(part.path)
    return [entry.moved(start) for entry in found.entries]


def _part(part: PartFile, offset: int, size: int) -> Part:
    return Part(
        name=part.name,
        kind=part.kind,
        digest=part.digest,
        offset=offset,
        size=size,
        unpacked=part.unpacked,
        description=part.description,
        first_module=part.first_module,
        requires=part.requires,
    )
