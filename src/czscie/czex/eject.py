"""A CZEX made a plain PEX again: the same wheels, sources and settings, with pex's own runtime."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from czscie.container import zip as zip_records
from czscie.container.paths import checked_name, checked_path
from czscie.czex.catalogue import ENTRY_NAME, FORMAT
from czscie.czex.info import PATH as PEX_INFO
from czscie.czex.info import PexInfo
from czscie.errors import CzscieError

_SOURCES = ".czscie/sources"


def eject(czex: Path, output: Path) -> None:
    """Writes the CZEX at `czex` to `output` as a zipapp PEX whose wheels are wheel files.

    Raises CzscieError when it is not a CZEX that `czscie inject` made, or is damaged.
    """
    with tempfile.TemporaryDirectory(prefix="czscie-") as temporary:
        directory = Path(temporary)
        try:
            with czex.open("rb") as file:
                content = _Content(file, czex)
                info = PexInfo.parse(content.read(PEX_INFO), czex.name)
                wheels = [content.write_wheel(name, directory) for name in content.wheels()]
                content.write_sources(directory / "sources")
        except OSError as error:
            raise CzscieError(f"cannot read {czex}", why=error.strerror or str(error)) from error
        except zipfile.BadZipFile as error:
            raise CzscieError(f"{czex} is damaged, or no zip", why=str(error)) from error
        _build(info, wheels, directory / "sources", content.prefix, output)


class _Content:
    """The CZEX as a zip whose members may be groups."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        file.seek(0, os.SEEK_END)
        self._file = file
        self._label = path.name
        directory = zip_records.read_directory(file, file.tell())
        self._entries = {entry.name: entry for entry in directory.entries}
        if ENTRY_NAME not in self._entries:
            raise CzscieError(
                f"{path} is no CZEX that `czscie inject` made",
                why=f"it has no {ENTRY_NAME}",
                mend="give the PEX that it was made from",
            )
        self._catalogue: dict[str, Any] = json.loads(self.read(ENTRY_NAME))
        if self._catalogue.get("format") != FORMAT:
            raise CzscieError(f"{path} was made by a newer czscie", mend="pip install -U czscie")
        file.seek(0)
        self.prefix = file.read(min(entry.header_offset for entry in directory.entries))

    def read(self, name: str) -> bytes:
        entry = self._entries.get(name)
        if entry is None:
            raise zipfile.BadZipFile(f"{name!r} is missing")
        return zip_records.read_entry(self._file, entry)

    def wheels(self) -> list[str]:
        return [checked_name(wheel["filename"], self._label) for wheel in self._catalogue["wheels"]]

    def write_wheel(self, name: str, directory: Path) -> Path:
        """The wheel called `name` as a file, its members deflated."""
        path = directory / name
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for member, data, executable in self._files(f".deps/{name}", f".deps/{name}/"):
                archive.writestr(_zip_info(member, executable), data)
        return path

    def write_sources(self, directory: Path) -> None:
        """The user's own files, below `directory`."""
        directory.mkdir()
        for member, data, executable in self._files(f"{_SOURCES}.zip", f"{_SOURCES}/"):
            path = directory / checked_path(member, self._label, windows=os.name == "nt")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            path.chmod(0o755 if executable else 0o644)

    def _files(self, whole: str, below: str) -> Iterator[tuple[str, bytes, bool]]:
        """Paths, contents and whether they are programs, of the group `whole` or of what is `below`."""
        for name in self._entries:
            if name == whole or (name.startswith(f"{below}.group-") and name.endswith(".zip")):
                with zipfile.ZipFile(io.BytesIO(self.read(name))) as group:
                    for info in group.infolist():
                        yield info.filename, group.read(info), bool(info.external_attr >> 16 & 0o100)
            elif name.startswith(below):
                yield name[len(below) :], self.read(name), self._is_program(name)

    def _is_program(self, entry: str) -> bool:
        number = next(i for i, each in enumerate(self._catalogue["entries"]) if each[0] == entry)
        rows = [row for wheel in self._catalogue["wheels"] for row in wheel["files"]]
        return any(row[2] == number and row[5] for row in (*rows, *self._catalogue["sources"]))


def _zip_info(path: str, executable: bool) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(path)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = (0o100755 if executable else 0o100644) << 16
    return info


def _build(info: PexInfo, wheels: list[Path], sources: Path, prefix: bytes, output: Path) -> None:
    """Has pex put its own runtime to it."""
    from pex.dist_metadata import Distribution
    from pex.pex_builder import PEXBuilder
    from pex.pex_info import PexInfo as OwnPexInfo

    plain = replace(info, deps_are_wheel_files=True, distributions={}, pex_hash=None, code_hash=None)
    builder = PEXBuilder(pex_info=OwnPexInfo.from_json(plain.render().decode()))
    for wheel in wheels:
        fingerprint = hashlib.sha256(wheel.read_bytes()).hexdigest()
        builder.add_distribution(Distribution.load(str(wheel)), fingerprint=fingerprint)
    for path in sorted(sources.rglob("*")):
        if path.is_file():
            builder.add_source(str(path), path.relative_to(sources).as_posix())
    first, _, rest = prefix.decode("utf-8", "surrogateescape").partition("\n")
    if first.startswith("#!"):
        builder.set_shebang(first)
        if rest:
            builder.set_header(rest)
    builder.freeze(bytecode_compile=False)
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}.") as temporary:
        built = Path(temporary, output.name)
        builder.build(str(built), bytecode_compile=False, deterministic=True)
        built.replace(output)


def default_output(czex: Path) -> Path:
    """`app.pex` beside `app.czex`."""
    return czex.with_name(f"{czex.name.removesuffix('.czex')}.pex")
