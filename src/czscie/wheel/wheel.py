"""A wheel, in any of the forms of a PEX: its metadata, and its files at their paths in a wheel.

https://packaging.python.org/en/latest/specifications/binary-distribution-format/
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from czscie.container.content import Content, File, OnDisk, pieces_of
from czscie.container.paths import check_together, checked_name
from czscie.container.untrusted_zip import Shelf, files_in_zip
from czscie.errors import Code, CzscieError
from czscie.filesystem import path_digest, sha256_of
from czscie.wheel.entry_points import EntryPoints
from czscie.wheel.pex_wheel_layout import wheel_paths
from czscie.wheel.record import Row, WheelRecord, parse_record
from czscie.wheel.script import as_wheel_script

if TYPE_CHECKING:
    from packaging.requirements import Requirement
    from packaging.specifiers import SpecifierSet
    from packaging.tags import Tag

#: What installers leave in a metadata directory: not the wheel's, and some of it names the build machine.
_INSTALLERS_FILES = {"INSTALLER", "REQUESTED", "direct_url.json", "uv_build.json", "uv_cache.json"}

#: `>=3.6.*` was valid once; what it means is `>=3.6`.
_ORDERED_PREFIX = re.compile(r"(?P<operator><=|>=|<|>|~=)(?P<version>\s*[^\s,;()*]+)\.\*")


@dataclass(frozen=True, eq=False)
class Wheel:
    """A distribution in wheel layout.

    `filename` is its name below `.deps`; `name` and `version` are as the metadata spells them, `project` is
    the name normalised (PEP 503). `build` is the file name's build tag as a sort key. `requires` and
    `requires_python` are the metadata's texts. `dist_info` is the metadata directory. `members` have the
    paths of a wheel (`pkg/…`, `x.dist-info/…`, `x.data/scripts/…`), are sorted, and hold no bytecode and no
    script that entry points make anew. `archive` is the wheel file itself, None where there is none any more.
    """

    filename: str
    name: str
    project: str
    version: str
    build: tuple[int, str]
    tags: frozenset[Tag]
    requires: tuple[str, ...]
    requires_python: str | None
    extras: tuple[str, ...]
    entry_points: EntryPoints
    dist_info: str
    members: tuple[File, ...]
    archive: Content | None = None

    @classmethod
    def read(
        cls,
        filename: str,
        files: Sequence[File],
        *,
        spread: bool,
        label: str,
        archive: Content | None = None,
    ) -> Wheel:
        """The wheel called `filename` that consists of `files`; `spread` when pex installed it already.

        Raises CzscieError, which names the wheel and calls the PEX `label`, when it is not a wheel.
        """
        where = f"{checked_name(filename, label)} in {label}"
        build, tags = _parse_filename(filename, where)
        dist_info = _find_dist_info(files, filename, where)
        texts = {
            name: _read_text(files, f"{dist_info}/{name}")
            for name in ("METADATA", "RECORD", "entry_points.txt")
        }
        metadata = _parse_metadata(texts["METADATA"] or "", where)
        entry_points = EntryPoints.parse(texts["entry_points.txt"] or "", where)
        paths = wheel_paths(files, dist_info, where) if spread else [(file.path, file) for file in files]
        return cls(
            filename=filename,
            name=metadata.name,
            project=metadata.project,
            version=metadata.version,
            build=build,
            tags=tags,
            requires=metadata.requires,
            requires_python=metadata.requires_python,
            extras=metadata.extras,
            entry_points=entry_points,
            dist_info=dist_info,
            members=_members(paths, dist_info, entry_points, parse_record(texts["RECORD"] or ""), where),
            archive=archive,
        )

    @functools.cached_property
    def digest(self) -> str | None:
        """SHA-256 of the wheel file, in hexadecimal; None where there is none any more.

        Raises CzscieError when it cannot be read.
        """
        if isinstance(self.archive, OnDisk):
            return path_digest(self.archive.path)
        return None if self.archive is None else sha256_of(pieces_of(self.archive))

    def requirements(self) -> tuple[Requirement, ...]:
        """The wheel's requirements, with their markers. Raises CzscieError when one is invalid."""
        return tuple(self._requirement(text) for text in self.requires)

    def python_versions(self) -> SpecifierSet | None:
        """The versions of Python for the wheel, None for any. Raises CzscieError when they are invalid."""
        from packaging.specifiers import InvalidSpecifier, SpecifierSet

        if not self.requires_python:
            return None
        try:
            return SpecifierSet(_without_ordered_prefix(self.requires_python))
        except InvalidSpecifier as error:
            raise CzscieError(
                f"{self.filename} has an invalid Requires-Python: {self.requires_python}",
                code=Code.WHEEL_INVALID,
            ) from error

    def _requirement(self, text: str) -> Requirement:
        from packaging.requirements import InvalidRequirement, Requirement

        try:
            return Requirement(text)
        except InvalidRequirement:
            try:
                return Requirement(_without_ordered_prefix(text))
            except InvalidRequirement as error:
                raise CzscieError(
                    f"{self.filename} has an invalid requirement: {text}",
                    code=Code.WHEEL_INVALID,
                    why=str(error).splitlines()[0],
                ) from error

    def __str__(self) -> str:
        return f"{self.project} {self.version}"


def is_script_path(path: str) -> bool:
    """Whether `path` is that of a script in a wheel: `x.data/scripts/…`."""
    data, _, rest = path.partition("/")
    return data.endswith(".data") and rest.startswith("scripts/")


@dataclass(frozen=True, slots=True)
class _Metadata:
    name: str
    project: str
    version: str
    requires: tuple[str, ...]
    requires_python: str | None
    extras: tuple[str, ...]


def _parse_metadata(text: str, where: str) -> _Metadata:
    from packaging.metadata import parse_email
    from packaging.utils import canonicalize_name

    raw, _ = parse_email(text)
    if "name" not in raw or "version" not in raw:
        raise CzscieError(f"{where} has no METADATA with a name and a version", code=Code.WHEEL_INVALID)
    return _Metadata(
        name=raw["name"],
        project=checked_name(canonicalize_name(raw["name"]), where),
        version=raw["version"],
        requires=tuple(raw.get("requires_dist", ())),
        requires_python=raw.get("requires_python"),
        extras=tuple(canonicalize_name(extra) for extra in raw.get("provides_extra", ())),
    )


def _parse_filename(filename: str, where: str) -> tuple[tuple[int, str], frozenset[Tag]]:
    """The build tag and the tags of `name-version[-build]-python-abi-platform.whl`."""
    from packaging.tags import parse_tag

    parts = filename.removesuffix(".whl").split("-")
    if not filename.endswith(".whl") or len(parts) < 5:
        raise CzscieError(
            f"{where} is not a wheel",
            code=Code.WHEEL_INVALID,
            why="a wheel is called name-version-python-abi-platform.whl",
            hint="make the PEX again with a current pex",
        )
    build = re.match(r"(\d+)(.*)", parts[-4]) if len(parts) > 5 else None
    return (int(build[1]), build[2]) if build else (-1, ""), parse_tag("-".join(parts[-3:]))


def _find_dist_info(files: Sequence[File], filename: str, where: str) -> str:
    """The metadata directory: of several, as of a wheel that brings others along, the wheel's own."""
    from packaging.utils import canonicalize_name

    found = [
        directory
        for directory, _, rest in (file.path.partition("/") for file in files)
        if rest == "METADATA" and directory.endswith(".dist-info")
    ]
    own = canonicalize_name(filename.split("-")[0])
    for directory in found:
        if canonicalize_name(directory.split("-")[0]) == own:
            return directory
    if len(found) == 1:
        return found[0]
    raise CzscieError(
        f"{where} has no metadata directory", code=Code.WHEEL_INVALID, why="*.dist-info/METADATA is missing"
    )


def _read_text(files: Sequence[File], path: str) -> str | None:
    for file in files:
        if file.path == path:
            return file.content.read().decode("utf-8", "replace")
    return None


def _without_ordered_prefix(text: str) -> str:
    return _ORDERED_PREFIX.sub(r"\g<operator>\g<version>", text)


def _members(
    paths: list[tuple[str, File]],
    dist_info: str,
    entry_points: EntryPoints,
    recorded: Mapping[str, Row],
    where: str,
) -> tuple[File, ...]:
    """The files at their paths in the wheel, and a RECORD that is true of them."""
    record = f"{dist_info}/RECORD"
    # Rows of what pip put beside its target directory begin with `../`.
    rows = {re.sub(r"^(\.\./)+", "", path): row for path, row in recorded.items()}
    files: list[File] = []
    known: dict[str, Row] = {}
    for path, file in sorted(paths, key=lambda item: item[0]):
        if path != record and not _is_dropped(path, dist_info, entry_points):
            member = _member(path, file)
            files.append(member)
            if member.content is file.content and file.path in rows:
                known[path] = rows[file.path]
    files.append(File(record, WheelRecord(record, tuple(files), known)))
    check_together([file.path for file in files], where)
    return tuple(sorted(files, key=lambda file: file.path))


def _member(path: str, file: File) -> File:
    if is_script_path(path):
        # All scripts are programs, whatever their mode was: pex 2.105 drops it from those of Python.
        return File(path, as_wheel_script(file.content), executable=True)
    return dataclasses.replace(file, path=path)


def _is_dropped(path: str, dist_info: str, entry_points: EntryPoints) -> bool:
    """Whether a file is not the wheel's: bytecode, an installer's notes, a script made from entry points."""
    if "__pycache__" in path.split("/"):
        return True
    directory, _, name = path.rpartition("/")
    if directory == dist_info and name in _INSTALLERS_FILES:
        return True
    script = re.sub(r"(\.exe|-script\.pyw?)$", "", name)
    return is_script_path(path) and (name in entry_points or script in entry_points)


def read_wheels(paths: Sequence[Path], label: str = "what lift.bare adds") -> tuple[Wheel, ...]:
    """The wheels in the files at `paths`; errors call them `label`.

    Raises CzscieError when one is damaged or not a wheel.
    """
    shelf = Shelf()
    return tuple(_read(path, shelf, label) for path in paths)


def _read(path: Path, shelf: Shelf, label: str) -> Wheel:
    archive = OnDisk(path)
    members = files_in_zip(functools.partial(shelf.open, archive, path.name), path.name)
    return Wheel.read(path.name, members, spread=False, label=label, archive=archive)
