"""A PEX, read: a zip (zipapp), or a directory whose wheels are zips (packed) or directories (loose)."""

from __future__ import annotations

import functools
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from czscie.container.content import File
from czscie.container.untrusted_zip import Shelf, files_in_zip, files_on_disk, open_zip
from czscie.czex import info as pex_info
from czscie.czex.info import PexInfo
from czscie.errors import Code, CzscieError
from czscie.wheel.wheel import Wheel

_WHEELS = ".deps/"

#: What is pex's own at the root of a PEX (`PEXSources` of pex/venv/installer.py).
_OWN_FILES = {"PEX-INFO", "PEX-LAYOUT", "__main__.py", "__main__.pyc", "pex", ".bootstrap", ".last-access"}
_OWN_DIRECTORIES = {".bootstrap", ".deps", "__pex__", "__pycache__"}


@dataclass(frozen=True, slots=True)
class Pex:
    """The content of a PEX. Its files can be read until it is closed.

    `wheels` are sorted by file name, `sources` (the user's own files) by path.
    """

    path: Path
    info: PexInfo
    wheels: tuple[Wheel, ...]
    sources: tuple[File, ...]
    _archive: zipfile.ZipFile | None

    @classmethod
    def open(cls, path: Path) -> Pex:
        """Read the PEX at `path`: a file, with whatever stands before its zip, or a directory.

        Raises CzscieError when it is not a PEX, is damaged, or holds a path that is not safe.
        """
        label = path.name
        if path.is_dir():
            if not (path / pex_info.PATH).is_file():
                raise _not_a_pex(path, "the directory has no PEX-INFO")
            return cls._read(path, files_on_disk(path, label), None)
        if not path.exists():
            raise CzscieError(f"there is no PEX at {path}", code=Code.PROGRAM_UNKNOWN)
        archive = open_zip(path, label)
        try:
            return cls._read(path, files_in_zip(lambda: archive, label), archive)
        except BaseException:
            archive.close()
            raise

    @classmethod
    def _read(cls, path: Path, files: Sequence[File], archive: zipfile.ZipFile | None) -> Pex:
        info = _read_info(files, path)
        return cls(path, info, _wheels(info, files, path.name), _sources(files), archive)

    def close(self) -> None:
        """Close the PEX's zip, if it is one: contents cannot be read any more."""
        if self._archive is not None:
            self._archive.close()

    def __enter__(self) -> Pex:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _not_a_pex(path: Path, why: str) -> CzscieError:
    return CzscieError(
        f"{path} is not a PEX",
        code=Code.PEX_INVALID,
        why=why,
        hint="make one with pex: https://docs.pex-tool.org/buildingpex.html",
    )


def _read_info(files: Sequence[File], path: Path) -> PexInfo:
    for file in files:
        if file.path == pex_info.PATH:
            return PexInfo.parse(file.content.read(), path.name)
    raise _not_a_pex(path, "the zip has no PEX-INFO")


def _sources(files: Sequence[File]) -> tuple[File, ...]:
    """The user's files: all that are not pex's, and no bytecode (it is bound to another Python's clock)."""
    return tuple(
        file
        for file in files
        if file.path not in _OWN_FILES
        and file.path.partition("/")[0] not in _OWN_DIRECTORIES
        and "__pycache__" not in file.path.split("/")
    )


def _wheels(info: PexInfo, files: Sequence[File], label: str) -> tuple[Wheel, ...]:
    """The distributions of PEX-INFO, each in one of the four forms."""
    zipped: dict[str, File] = {}
    spread: dict[str, list[File]] = {}
    for file in files:
        name, _, rest = file.path.removeprefix(_WHEELS).partition("/")
        if not file.path.startswith(_WHEELS):
            continue
        if rest:
            spread.setdefault(name, []).append(File(rest, file.content, file.executable))
        else:
            zipped[name] = file
    shelf = Shelf()
    wheels = []
    for name in sorted(info.distributions):
        if name in zipped:
            members = _files_in_nested_zip(shelf, zipped[name], f"{label}/{_WHEELS}{name}")
            spread_out = not info.deps_are_wheel_files
            archive = None if spread_out else zipped[name].content
            wheels.append(Wheel.read(name, members, spread=spread_out, label=label, archive=archive))
        elif name in spread:
            wheels.append(Wheel.read(name, spread[name], spread=True, label=label))
        else:
            raise CzscieError(
                f"{label} lists {name} in its PEX-INFO but does not contain it", code=Code.PEX_INVALID
            )
    return tuple(wheels)


def _files_in_nested_zip(shelf: Shelf, file: File, label: str) -> tuple[File, ...]:
    return files_in_zip(functools.partial(shelf.open, file.content, label), label)
