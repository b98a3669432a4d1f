"""The files that an executable embeds beside its interpreters."""

from __future__ import annotations

import stat
from dataclasses import dataclass, replace
from pathlib import Path

from czscie.filesystem import exists
from czscie.lift.table import SOMETHING, URL, Shape, Table

#: science's file types; all but the first two are unpacked on the user's machine.
TYPES = ("blob", "directory", "zip", "tar", "tar.gz", "tar.bz2", "tar.xz", "tar.Z", "tar.zst")

#: What is unpacked when it is fetched at a start (native/src/fetch/archive.zig).
FETCHED_TYPES = ("blob", "tar", "tar.gz", "tar.Z", "tar.zst")

NAME = Shape.of("a file name or relative path without { and }", r"[^\0{}]*[^\0{}/]")
#: File name endings by which science guesses a type.
_ENDINGS = {
    ".zip": "zip",
    ".tar": "tar",
    ".tar.gz": "tar.gz",
    ".tgz": "tar.gz",
    ".tar.bz2": "tar.bz2",
    ".tbz2": "tar.bz2",
    ".tar.xz": "tar.xz",
    ".tar.lzma": "tar.xz",
    ".tlz": "tar.xz",
    ".tar.zst": "tar.zst",
    ".tzst": "tar.zst",
    ".tar.Z": "tar.Z",
}
#: Every spelling that `file_kind` knows.
KINDS = tuple(dict.fromkeys((*TYPES, *(ending.removeprefix(".") for ending in _ENDINGS))))

KEY = Shape.of("a non-empty string without { and }", r"[^\0{}]+")
SHA256 = Shape.of("a SHA-256 digest of 64 hexadecimal digits", r"[0-9a-fA-F]{64}")
_SOURCE = replace(SOMETHING, words="the name of a binding, or a table with url and lazy")


@dataclass(frozen=True, slots=True)
class Digest:
    """The expected size in bytes, and the expected SHA-256 in lower-case hexadecimal digits."""

    size: int | None
    fingerprint: str | None

    @classmethod
    def read(cls, table: Table) -> Digest:
        size = table.optional_integer("size", 0)
        fingerprint = table.optional_text("fingerprint", SHA256)
        table.finish()
        return cls(size, None if fingerprint is None else fingerprint.lower())


@dataclass(frozen=True, slots=True)
class FromUrl:
    """A file to download: when the scie is built, or if `lazy` at run time."""

    url: str
    lazy: bool


@dataclass(frozen=True, slots=True)
class FromBinding:
    """A file that the binding called `name` prints at run time."""

    name: str


@dataclass(frozen=True, slots=True)
class EmbeddedFile:
    """One element of `lift.files`. `path` is the file's path on this machine unless it has a `source`."""

    name: str
    key: str | None
    places: tuple[Path, ...]
    digest: Digest | None
    type: str | None
    is_executable: bool | None
    eager_extract: bool
    source: FromUrl | FromBinding | None

    @property
    def id(self) -> str:
        """Its name in placeholders."""
        return self.key or self.name

    @property
    def binding(self) -> str | None:
        """The name of the binding that prints it, None if it comes from somewhere else."""
        return self.source.name if isinstance(self.source, FromBinding) else None

    @property
    def path(self) -> Path:
        """Where it stands: the first of its places where there is something, or the first of all."""
        return next((place for place in self.places if exists(place)), self.places[0])

    def starts(self, path: Path) -> bool:
        """Whether it may be executed when it is installed; `path` is where it is on this machine."""
        if self.is_executable is None and self.source is None:
            return bool(path.stat().st_mode & stat.S_IXUSR)
        return bool(self.is_executable)

    def at(self, path: Path) -> EmbeddedFile:
        """The same file, which is at the absolute `path` now, and nowhere else."""
        return replace(self, places=(path,), source=None)

    @property
    def is_lazy(self) -> bool:
        """Whether the manifest wants it downloaded when the executable runs."""
        return isinstance(self.source, FromUrl) and self.source.lazy

    @property
    def is_bound(self) -> bool:
        """Whether a binding prints it when the executable runs."""
        return self.binding is not None

    @property
    def is_fetched(self) -> bool:
        """Whether the manifest wants it made at the first start that needs it, in either way."""
        return self.is_lazy or self.is_bound

    def with_laziness(self, lazy: bool) -> EmbeddedFile:
        """The same file, embedded or downloaded when the executable runs; it has a URL."""
        assert isinstance(self.source, FromUrl)
        return replace(self, source=replace(self.source, lazy=lazy))

    @property
    def url(self) -> str | None:
        """The URL to download it from; None for a local file."""
        return self.source.url if isinstance(self.source, FromUrl) else None

    @property
    def kind(self) -> str:
        """Its type: the one that is given, or what its name and what stands at its path tell."""
        if self.type is not None:
            return self.type
        if self.source is None and self.path.is_dir():
            return "directory"
        return next((kind for ending, kind in _ENDINGS.items() if self.name.endswith(ending)), "blob")

    @classmethod
    def read(cls, table: Table, directory: Path) -> EmbeddedFile:
        name = table.text("name", NAME)
        key = table.optional_text("key", KEY)
        digest = table.optional_table("digest")
        file = cls(
            name=name,
            key=key,
            places=file_places(directory, name),
            digest=None if digest is None else Digest.read(digest),
            type=table.optional_choice("type", TYPES),
            is_executable=table.flag("is_executable") or None,
            eager_extract=table.flag("eager_extract"),
            source=_read_source(table),
        )
        _check_digest(table, file)
        table.finish()
        return file


def file_places(directory: Path, name: str) -> tuple[Path, ...]:
    """Where the file `name` of a manifest in `directory` may stand: there, or in the working directory."""
    return tuple(dict.fromkeys((directory / name, Path.cwd() / name)))


def file_kind(type_or_ending: str) -> str | None:
    """The one of TYPES that is spelled so, or as the ending of a file's name; None when none is."""
    return type_or_ending if type_or_ending in TYPES else _ENDINGS.get(f".{type_or_ending}")


def _read_source(table: Table) -> FromUrl | FromBinding | None:
    source = table.optional_text_or_table("source", _SOURCE)
    if not source:
        return None
    if isinstance(source, str):
        return FromBinding(source)
    fetched = FromUrl(url=source.text("url", URL), lazy=source.flag("lazy", default=True))
    source.finish()
    return fetched


def _check_digest(table: Table, file: EmbeddedFile) -> None:
    """As in science: a remote file needs a digest, and a directory has none."""
    if file.source is not None and file.digest is None:
        table.reject("digest", allowed="a table with size and fingerprint, because the file has a source")
    elif isinstance(file.source, FromUrl) and file.digest is not None and file.digest.fingerprint is None:
        table.reject("digest", allowed="a fingerprint, because the file has a source")
    if file.digest is not None and file.type == "directory":
        table.reject("digest", allowed='no digest, because the type is "directory"')
