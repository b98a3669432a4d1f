"""Mirrors of interpreters on this machine, with the indexes that czscie reads and those that science reads.

Science's are lists of archives (czscie.pbs.asset_list, czscie.pbs.pypy_list). What earlier runs wrote stays.
"""

from __future__ import annotations

import json
import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Generic, TypeVar

import msgspec

from czscie.documents import DocumentError, decode_json
from czscie.errors import Code, CzscieError
from czscie.filesystem import write_atomically
from czscie.implementation import Implementation
from czscie.lift.interpreter import PyPy, PythonBuildStandalone
from czscie.pbs.asset_list import AssetList, can_be_a_file, list_names
from czscie.pbs.assets import Asset
from czscie.pbs.provider import Source
from czscie.pbs.pypy_list import PyPyList, list_name
from czscie.pbs.pypy_releases import FileEntry, ReleaseEntry

_Parsed = TypeVar("_Parsed")
Wanted = TypeVar("Wanted", PythonBuildStandalone, PyPy)


@dataclass(frozen=True, slots=True)
class Mirror(ABC, Generic[Wanted]):
    """A mirror below `parent`, which other mirrors may be in, too."""

    PROVIDER: ClassVar[str]
    parent: Path

    @property
    def directory(self) -> Path:
        return self.parent / "providers" / self.PROVIDER

    @property
    def url(self) -> str:
        """What names it as a `base_url`."""
        return self.directory.absolute().as_uri()

    @abstractmethod
    def add(self, wanted: Wanted, source: Source, archive: Path) -> None:
        """Copies the `archive` of `source`, which is what `wanted` asks for, and lists it.

        Raises CzscieError when it cannot be written.
        """


class StandaloneMirror(Mirror[PythonBuildStandalone]):
    """CPythons of python-build-standalone."""

    PROVIDER = PythonBuildStandalone.PROVIDER

    def add(self, wanted: PythonBuildStandalone, source: Source, archive: Path) -> None:
        asset = Asset.parse(source.pin.name or "")
        release = self.directory / "download" / asset.release
        _copy(archive, release / asset.name)
        _add_checksum(release / "SHA256SUMS", source.digest, asset.name)
        latest = self.directory / "latest" / "download"
        for directory in [release, latest] if wanted.release is None else [release]:
            self._list(directory, wanted, asset, source.digest, archive.stat().st_size)
        # Says, as the project does, which release a build takes that names none.
        newest = max(path.name for path in release.parent.iterdir())
        _write(self.directory / "latest-release.json", json.dumps({"tag": newest}).encode() + b"\n")

    def _list(
        self, directory: Path, wanted: PythonBuildStandalone, asset: Asset, digest: str, size: int
    ) -> None:
        for name in filter(can_be_a_file, list_names(wanted.version.rstrip("td"), [asset.flavor])):
            path = directory / name
            earlier = _earlier(path, AssetList.parse)
            if earlier is None or earlier.release != asset.release:
                earlier = AssetList.of(asset.release)
            _write(path, earlier.with_asset(asset, digest, size).rendered())


class PyPyMirror(Mirror[PyPy]):
    """PyPys."""

    PROVIDER = PyPy.PROVIDER

    def add(self, wanted: PyPy, source: Source, archive: Path) -> None:
        name = source.pin.name or ""
        python = Implementation.parse(source.pin.version or "")
        _copy(archive, self.directory / name)
        _add_checksum(self.directory / "checksums.html", source.digest, name)
        self._add_release(python, name)
        for release in dict.fromkeys((f"v{python.own_version}", wanted.release)):
            path = self.directory / list_name(wanted.version, release)
            archives = _earlier(path, PyPyList.parse) or PyPyList(())
            _write(path, archives.with_archive(name, source.digest).rendered())

    def _add_release(self, python: Implementation, name: str) -> None:
        path = self.directory / "versions.json"
        releases = _earlier(path, lambda raw: decode_json(raw, list[ReleaseEntry])) or []
        key = python.own_version, python.version
        files = {FileEntry(name)}
        for each in releases:
            if (each.pypy_version, each.python_version) == key:
                files.update(each.files)
        others = [each for each in releases if (each.pypy_version, each.python_version) != key]
        entry = ReleaseEntry(*key, True, tuple(sorted(files, key=lambda file: file.filename)))
        _write(path, msgspec.json.format(msgspec.json.encode([*others, entry]), indent=2))


def _earlier(path: Path, parse: Callable[[bytes], _Parsed]) -> _Parsed | None:
    """The index that an earlier run wrote, None if there is none. Raises CzscieError for another file."""
    if not path.exists():
        return None
    try:
        return parse(path.read_bytes())
    except DocumentError as error:
        raise CzscieError(
            f"{path} is not the index of a mirror",
            code=Code.OUTPUT_EXISTS,
            why=str(error),
            hint="name another directory, or remove this file",
        ) from error


def _copy(path: Path, target: Path) -> None:
    with path.open("rb") as file:
        size = path.stat().st_size
        write_atomically(target, lambda stream: shutil.copyfileobj(file, stream), size, mode=0o666)


def _add_checksum(path: Path, digest: str, name: str) -> None:
    """Lists the file `name` as the checksums of a release do, beside those of earlier runs."""
    earlier = path.read_text().splitlines() if path.exists() else []
    lines = {line for line in earlier if not line.endswith(f" {name}")} | {f"{digest}  {name}"}
    _write(path, "".join(f"{line}\n" for line in sorted(lines)).encode())


def _write(path: Path, content: bytes) -> None:
    write_atomically(path, lambda stream: stream.write(content), mode=0o666)
