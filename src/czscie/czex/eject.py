"""Conversion of a CZEX to a plain PEX: the same wheels, sources and settings, with pex's own runtime."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import msgspec

from czscie.container import zip as zip_records
from czscie.container.paths import check_together, checked_name, checked_path
from czscie.czex.catalogue import ENTRY_NAME, FORMAT
from czscie.czex.info import PATH as PEX_INFO
from czscie.czex.info import PexInfo
from czscie.documents import DocumentError, decode_json
from czscie.errors import Code, CzscieError
from czscie.filesystem import check_output, file_digest, open_regular
from czscie.leftovers import directory_beside, scratch
from czscie.trace import traced_command

_SOURCES = ".czscie/sources"
#: Well above pex's longest prefix, the script of `--sh-boot`.
_PREFIX_MAX = 1 << 20
#: A group is decoded whole (docs/reference/format.md, section 3).
_GROUP_MAX = 8 << 20


def eject(czex: Path, output: Path) -> None:
    """Writes the CZEX at `czex` to `output` as a zipapp PEX whose wheels are wheel files.

    Raises CzscieError when it was not written by `czscie inject`, or is damaged.
    """
    check_output(output)
    with scratch() as directory:
        try:
            with open_regular(czex) as file:
                content = _Content(file, czex)
                info = PexInfo.parse(content.read(PEX_INFO), czex.name)
                wheels = content.write_wheels(directory / "wheels")
                content.write_sources(directory / "sources")
        except OSError as error:
            raise CzscieError(
                f"cannot read {czex}", code=Code.FILE_UNREADABLE, why=error.strerror or str(error)
            ) from error
        except zipfile.BadZipFile as error:
            raise CzscieError(
                f"{czex} is damaged, or not a zip file", code=Code.ARCHIVE_DAMAGED, why=str(error)
            ) from error
        _build(info, wheels, directory / "sources", content.prefix, output)


class _Wheel(msgspec.Struct, frozen=True):
    """Facts about a wheel; a row of `files` has six members (docs/reference/format.md, section 8)."""

    filename: str
    files: tuple[tuple[str, str, int, int, int, int], ...]


class _Catalogue(msgspec.Struct, frozen=True):
    wheels: tuple[_Wheel, ...]
    sources: tuple[tuple[str, str, int, int, int, int], ...]
    entries: tuple[tuple[str, int, int, str], ...]

    def programs(self) -> set[str]:
        """The entries of which a file that can be executed is a part."""
        rows = [row for wheel in self.wheels for row in wheel.files]
        numbers = {row[2] for row in (*rows, *self.sources) if row[5]}
        return {entry[0] for number, entry in enumerate(self.entries) if number in numbers}


class _Format(msgspec.Struct, frozen=True):
    format: int


class _Content:
    """The CZEX as a zip whose members may be groups."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file = file
        self._label = path.name
        file.seek(0, os.SEEK_END)
        directory = zip_records.read_directory(file, file.tell())
        self._entries = {entry.name: entry for entry in directory.entries}
        if ENTRY_NAME not in self._entries:
            raise CzscieError(
                f"{path} is not a CZEX that `czscie inject` made",
                code=Code.CZEX_UNUSABLE,
                why=f"it has no {ENTRY_NAME}",
                hint="pass the PEX that it was made from",
            )
        text = self.read(ENTRY_NAME)
        try:
            if decode_json(text, _Format).format != FORMAT:
                raise CzscieError(
                    f"{path} was made by a newer czscie",
                    code=Code.OTHER_VERSION,
                    hint="pip install -U czscie",
                )
            catalogue = decode_json(text, _Catalogue)
        except DocumentError as error:
            raise CzscieError(
                f"the catalogue of {path} cannot be read", code=Code.CZEX_UNUSABLE, why=str(error)
            ) from error
        self._names = [checked_name(wheel.filename, self._label) for wheel in catalogue.wheels]
        check_together(self._names, self._label)
        self._programs = catalogue.programs()
        self.prefix = self._read_prefix(min(entry.header_offset for entry in directory.entries))

    def read(self, name: str) -> bytes:
        entry = self._entries.get(name)
        if entry is None:
            raise zipfile.BadZipFile(f"{name!r} is missing")
        return zip_records.read_document(self._file, entry)

    def _read_prefix(self, length: int) -> bytes:
        if length > _PREFIX_MAX:
            raise zipfile.BadZipFile(f"{length} bytes precede its first entry")
        self._file.seek(0)
        return self._file.read(length)

    def write_wheels(self, directory: Path) -> list[Path]:
        """The wheels as files in `directory`, their members deflated."""
        directory.mkdir()
        return [self._write_wheel(name, directory / name) for name in self._names]

    def _write_wheel(self, name: str, path: Path) -> Path:
        with zipfile.ZipFile(path, "x", zipfile.ZIP_DEFLATED) as archive:
            for member in self._members(f".deps/{name}", f".deps/{name}/"):
                with archive.open(_zip_info(member), "w") as out:
                    for piece in zip_records.stream_entry(member.file, member.entry):
                        out.write(piece)
        return path

    def write_sources(self, directory: Path) -> None:
        """The user's own files, below `directory`."""
        directory.mkdir()
        for member in self._members(f"{_SOURCES}.zip", f"{_SOURCES}/"):
            path = directory / checked_path(member.path, self._label, windows=os.name == "nt")
            path.parent.mkdir(parents=True, exist_ok=True)
            # Two paths that are one file on this file system are not written one over the other.
            with path.open("xb") as out:
                for piece in zip_records.stream_entry(member.file, member.entry):
                    out.write(piece)
            path.chmod(0o755 if member.executable else 0o644)

    def _members(self, whole: str, below: str) -> Iterator[_Member]:
        """The files in the group `whole` and `below`, their paths checked."""
        members = [*self._find(whole, below)]
        for member in members:
            checked_path(member.path, self._label)
        check_together([member.path for member in members], self._label)
        return iter(members)

    def _find(self, whole: str, below: str) -> Iterator[_Member]:
        for name, entry in self._entries.items():
            if name == whole or (name.startswith(f"{below}.group-") and name.endswith(".zip")):
                yield from self._find_in_group(entry)
            elif name.startswith(below):
                yield _Member(name[len(below) :], name in self._programs, self._file, entry)

    def _find_in_group(self, group: zip_records.Entry) -> Iterator[_Member]:
        if group.size > _GROUP_MAX:
            raise zipfile.BadZipFile(f"{group.name!r} is larger than a group may be")
        data = io.BytesIO(zip_records.read_entry(self._file, group))
        for entry in zip_records.read_directory(data, group.size).entries:
            if entry.method != zip_records.STORED:
                raise zipfile.BadZipFile(f"{entry.name!r} in {group.name!r} is compressed twice")
            yield _Member(entry.name, entry.executable, data, entry)


@dataclass(frozen=True, slots=True)
class _Member:
    """A file at `path` of a wheel or of the sources; its content is that of `entry` in `file`."""

    path: str
    executable: bool
    file: BinaryIO
    entry: zip_records.Entry


def _zip_info(member: _Member) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(member.path)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = (0o100755 if member.executable else 0o100644) << 16
    info.file_size = member.entry.size  # what decides about zip64
    return info


def _build(info: PexInfo, wheels: list[Path], sources: Path, prefix: bytes, output: Path) -> None:
    """Lets pex add its own runtime."""
    plain = replace(info, deps_are_wheel_files=True, distributions={}, pex_hash=None, code_hash=None)
    with directory_beside(output.absolute()) as temporary:
        built = temporary / output.name
        call = {
            "info": plain.render().decode(),
            "wheels": [(str(wheel), file_digest(wheel)) for wheel in wheels],
            "sources": str(sources),
            "prefix": prefix.decode("utf-8", "surrogateescape"),
            "output": str(built),
        }
        command = [sys.executable, "-m", "czscie.czex.call_pex"]
        with traced_command(command):
            # Python and pex import from the working directory first, where a user may well have foreign
            # files. There are only ours above `sources`.
            done = subprocess.run(
                command,
                cwd=sources.parent,
                env={
                    name: value
                    for name, value in os.environ.items()
                    if not name.startswith("PEX_") or name == "PEX_ROOT"
                },
                input=json.dumps(call),
                capture_output=True,
                text=True,
                errors="replace",
            )
        if done.returncode != 0:
            raise CzscieError(
                f"pex cannot build a PEX from {output.name.removesuffix('.pex')}",
                code=Code.PROGRAM_FAILED,
                why=done.stderr.splitlines()[:1] or f"exit status {done.returncode}",
            )
        built.replace(output)


def default_output(czex: Path) -> Path:
    """`app.pex` beside `app.czex`."""
    return czex.with_name(f"{czex.name.removesuffix('.czex')}.pex")
