"""The content of a scie: parts, sizes packed and unpacked, digests."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from czscie.container import plan as plans
from czscie.container import zip as zip_records
from czscie.container.manifest import SBOM, Manifest, Part
from czscie.container.part import PackedPart
from czscie.errors import Code, CzscieError
from czscie.filesystem import open_regular, pieces, sha256_of
from czscie.signature import payload_end

_MANIFEST_MAX = zip_records.COMMENT_MAX + zip_records.END_RECORD_LENGTH


@dataclass(frozen=True, slots=True)
class PartContents:
    """A part of a scie: its entry in the manifest, and its plan."""

    part: Part
    plan: plans.Plan

    @property
    def unpacked(self) -> int:
        """The bytes of its files, without file system overhead."""
        return sum(file.content.size for file in self.plan.files)


@dataclass(frozen=True, slots=True)
class Contents:
    """The content of a scie. `sha256` is that of the whole file, of `size` bytes."""

    path: Path
    size: int
    sha256: str
    manifest: Manifest
    parts: tuple[PartContents, ...]


def read_scie(path: Path) -> Contents:
    """Reads the scie at `path`. Raises CzscieError when it is not one that czscie made, or is damaged."""
    try:
        with open_regular(path) as file:
            size = path.stat().st_size
            manifest = read_manifest(file, size, str(path))
            parts = tuple(_read_part(file, part, str(path)) for part in manifest.scie.lift.files)
            for part in parts:
                part.plan.check(manifest.platform)
            file.seek(0)
            return Contents(path, size, sha256_of(pieces(file)), manifest, parts)
    except OSError as error:
        raise CzscieError(
            f"cannot read {path}", code=Code.FILE_UNREADABLE, why=error.strerror or str(error)
        ) from error
    except zipfile.BadZipFile as error:
        raise damaged(str(path), str(error)) from error


def read_sbom(path: Path) -> bytes:
    """The bill of materials of the scie at `path`, CycloneDX in JSON.

    Raises CzscieError when it has none, is not a scie that czscie made, or is damaged.
    """
    text = find_sbom(path)
    if text is None:
        raise CzscieError(
            f"{path} was built without a bill of materials",
            code=Code.OTHER_VERSION,
            hint="build it again",
        )
    return text


def find_sbom(path: Path) -> bytes | None:
    """The same; None when the scie was built without one."""
    try:
        with open_regular(path) as file:
            lift = read_manifest(file, path.stat().st_size, str(path)).scie.lift
            if not lift.files or lift.files[-1].size == 0:
                raise CzscieError(
                    f"{path} does not contain its bill of materials",
                    code=Code.NOT_AN_EXECUTABLE,
                    hint="read it from the file that it was installed from",
                )
            last = lift.files[-1]
            part = PackedPart.within(file, last.offset + last.size, last.offset)
            if any(entry.name == SBOM for entry in part.directory.entries):
                return _utf8(part.document(SBOM), str(path))
            return None
    except OSError as error:
        raise CzscieError(
            f"cannot read {path}", code=Code.FILE_UNREADABLE, why=error.strerror or str(error)
        ) from error
    except zipfile.BadZipFile as error:
        raise damaged(str(path), str(error)) from error


def read_manifest(file: BinaryIO, size: int, label: str) -> Manifest:
    """The manifest of the scie in `file`, which is `size` bytes long and which errors call `label`."""
    payload = payload_end(file, size)
    file.seek(max(0, payload - _MANIFEST_MAX))
    tail = file.read(min(payload, _MANIFEST_MAX))
    end = tail.rfind(b"PK\5\6")
    comment = tail[end + zip_records.END_RECORD_LENGTH :] if end >= 0 else b""
    if not comment.startswith(b"\n{"):
        raise CzscieError(
            f"{label} is not a scie",
            code=Code.NOT_AN_EXECUTABLE,
            why="its last line is not a scie's manifest",
        )
    if int.from_bytes(tail[end + zip_records.END_RECORD_LENGTH - 2 :][:2], "little") != len(comment):
        raise damaged(label, "it does not end where its manifest ends")
    return Manifest.parse(comment, label)


def _read_part(file: BinaryIO, part: Part, label: str) -> PartContents:
    if part.size == 0:
        raise CzscieError(
            f"{label} starts a permanent installation",
            code=Code.NOT_AN_EXECUTABLE,
            why="it does not contain the installed files",
            hint="inspect the file that it was installed from",
        )
    text = PackedPart.within(file, part.offset + part.size, part.offset).document()
    if hashlib.sha256(text).hexdigest() != part.digest:
        raise damaged(label, f"the plan of {part.name} differs from the one it was built with")
    return PartContents(part, plans.parse(text))


def _utf8(text: bytes, label: str) -> bytes:
    try:
        text.decode()
    except UnicodeDecodeError as error:
        raise damaged(label, f"its bill of materials is not UTF-8: {error}") from error
    return text


def damaged(label: str, why: str) -> CzscieError:
    """The error about a scie that is not as it was built."""
    return CzscieError(
        f"{label} is damaged", code=Code.EXECUTABLE_DAMAGED, why=why, hint="copy or build the file again"
    )
