"""The lock of a lift. docs/reference/lock.md describes the file.

The structs are the schema: msgspec validates them. Names in the file have hyphens in place of underscores, as
in PEP 751, which defines `packages`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec

from czscie.documents import DocumentError, learned, parse_toml, read_document
from czscie.errors import Code, CzscieError
from czscie.filesystem import write_atomically
from czscie.implementation import Implementation
from czscie.lift.interpreter import Interpreter
from czscie.lock.toml import render_document
from czscie.pbs.pin import Pin
from czscie.platforms import Platform

#: The version of the format that this czscie writes; it reads no other.
LOCK_VERSION = "1.0"

_HEADER = """\
# Written by `czscie lock` and `czscie build`: what the executables are made of, exactly. Keep it with the
# manifest, and change the manifest rather than this file.
"""

Sha256 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
Size = Annotated[int, msgspec.Meta(ge=0)]
Text = Annotated[str, msgspec.Meta(min_length=1)]
#: What Implementation.parse reads: a whole version, and what names the build.
PythonVersion = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,3}\.[0-9]{1,3}\.[0-9A-Za-z.+-]+$")]


class _Struct(
    msgspec.Struct,
    frozen=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    rename=lambda name: name.replace("_", "-"),
):
    """A table of the file. An unknown key is an error: it may pin something that this czscie would ignore."""


class RequestedInterpreter(_Struct, frozen=True, kw_only=True):
    """The keys of an interpreter that a lock resolves. `path` is relative to the manifest."""

    provider: Text
    version: str | None = None
    release: str | None = None
    flavor: str | None = None
    path: str | None = None


class RequestedPayload(_Struct, frozen=True, kw_only=True):
    """The keys of the payload that a lock resolves, paths relative to the manifest.

    `requires` are the requirements in the project or the script. `interpreter` and `glibc` are set if wheels
    are chosen for them. `sources` are directories that uv's settings name, by projects.
    """

    pex: str | None = None
    requirements: tuple[str, ...] | None = None
    project: str | None = None
    script: str | None = None
    lock: str | None = None
    requires: tuple[str, ...] | None = None
    interpreter: str | None = None
    glibc: str | None = None
    extras: tuple[str, ...] | None = None
    groups: tuple[str, ...] | None = None
    find_links: tuple[str, ...] | None = None
    index: str | None = None
    extra_index: tuple[str, ...] | None = None
    no_index: bool | None = None
    sources: dict[str, str] | None = None


class RequestedLift(_Struct, frozen=True, kw_only=True):
    """The keys of the manifest that a lock resolves; `interpreters` are by their ids."""

    interpreters: dict[str, RequestedInterpreter] = {}
    payload: RequestedPayload | None = None


class LockedInterpreter(_Struct, frozen=True, kw_only=True):
    """An interpreter for one platform.

    `id` is the manifest's, `version` an Implementation's as text: Python's whole one, with a t at its end
    where it is free-threaded.
    `sha256` and `size` (in bytes, where it is known) are those of the archive; of a directory (Host, Local)
    they are those of its tree. `release`, `name` (the archive's) and `url` are there for those of a release,
    `flavor` for python-build-standalone's. A `helper` is not shipped: on a machine of its kind it packs the
    modules for the other platforms. `attested` says who vouched for the digest besides the release's own
    list.
    """

    id: Text
    platform: Text
    provider: Text
    version: PythonVersion
    release: str | None = None
    flavor: str | None = None
    name: str | None = None
    url: str | None = None
    sha256: Sha256
    size: Size | None = None
    helper: bool = False
    attested: str | None = None

    @classmethod
    def of(
        cls, interpreter: Interpreter, platform: Platform, pin: Pin, version: str, *, helper: bool = False
    ) -> LockedInterpreter:
        return cls(
            id=interpreter.id,
            platform=platform.name,
            provider=interpreter.PROVIDER,
            version=version,
            release=pin.release,
            flavor=pin.flavor,
            name=pin.name,
            url=pin.url,
            sha256=pin.sha256,
            size=pin.size,
            helper=helper,
        )

    @property
    def pin(self) -> Pin:
        return Pin(
            self.sha256, self.size, self.version, self.release, self.flavor, name=self.name, url=self.url
        )

    @property
    def implementation(self) -> Implementation:
        return Implementation.parse(self.version)


class LockedFile(_Struct, frozen=True, kw_only=True):
    """A file that the lift embeds. Of a directory, `sha256` is that of its tree and there is no `size`."""

    id: Text
    sha256: Sha256
    size: Size | None = None


class LockedLauncher(_Struct, frozen=True, kw_only=True):
    """A launcher as it was compiled; `name` is what czscie.platforms calls it, `size` is in bytes."""

    name: Text
    sha256: Sha256
    size: Size


class LockedLaunchers(_Struct, frozen=True, kw_only=True):
    """The launchers. `source` is the digest of everything that they are compiled from, the same for all
    platforms.

    `binaries` are the compiled ones.
    """

    source: Sha256
    binaries: tuple[LockedLauncher, ...] = ()

    def sha256(self, name: str) -> str | None:
        """The digest of the launcher called `name`, None when it is not locked."""
        return next((each.sha256 for each in self.binaries if each.name == name), None)


class LockedPayload(_Struct, frozen=True, kw_only=True):
    """`sha256` is that of the PEX, or of the lock that the manifest names; of requirements there is none.

    `platforms` are those that `packages` were resolved for.
    """

    sha256: Sha256 | None = None
    platforms: tuple[str, ...] = ()


class Hashes(_Struct, frozen=True, kw_only=True):
    sha256: Sha256


class LockedLibc(_Struct, frozen=True, kw_only=True):
    """The bundled C library: `table` is the SHA-256 of the table that pins its packages."""

    table: Sha256


class LockedWindows(_Struct, frozen=True, kw_only=True):
    """The files of `lift.windows`: the SHA-256 of the icon."""

    icon: Sha256


class LockedWheel(_Struct, frozen=True, kw_only=True):
    """A wheel of PEP 751. `url` is without secrets, or `path` is relative to the manifest; a wheel that was
    built here has neither.
    """

    name: Text
    url: str | None = None
    path: str | None = None
    size: Size | None = None
    hashes: Hashes

    @property
    def sha256(self) -> str:
        return self.hashes.sha256


class Sdist(_Struct, frozen=True, kw_only=True):
    """A source distribution of PEP 751."""

    name: Text
    url: str | None = None
    path: str | None = None
    size: Size | None = None
    hashes: Hashes


class LockedDirectory(_Struct, frozen=True, kw_only=True):
    """A project of PEP 751; `path` is relative to the manifest."""

    path: Text


class PackageNotes(_Struct, frozen=True, kw_only=True):
    """Additions by czscie to a package of PEP 751.

    `platforms` are those that need it, unless all that the payload was resolved for do. `built` are the
    wheels made from its source.
    """

    platforms: tuple[str, ...] = ()
    built: tuple[LockedWheel, ...] = ()


class PackageTools(_Struct, frozen=True, kw_only=True):
    czscie: PackageNotes

    @classmethod
    def of(cls, platforms: tuple[str, ...] = (), built: tuple[LockedWheel, ...] = ()) -> PackageTools | None:
        """None when there is nothing to note."""
        return cls(czscie=PackageNotes(platforms=platforms, built=built)) if platforms or built else None


class LockedPackage(_Struct, frozen=True, kw_only=True):
    """A package of PEP 751: wheels to download, or the source that wheels were built of."""

    name: Text
    version: Text
    wheels: tuple[LockedWheel, ...] = ()
    sdist: Sdist | None = None
    directory: LockedDirectory | None = None
    tool: PackageTools | None = None

    @property
    def notes(self) -> PackageNotes:
        return PackageNotes() if self.tool is None else self.tool.czscie

    @property
    def source(self) -> str:
        """The name of what wheels are built of; empty where they are not."""
        if self.sdist is not None:
            return self.sdist.name
        return "" if self.directory is None else self.directory.path

    @property
    def built(self) -> tuple[LockedWheel, ...]:
        return self.notes.built

    @property
    def all_wheels(self) -> tuple[LockedWheel, ...]:
        return self.wheels + self.built


class Lock(_Struct, frozen=True, kw_only=True):
    """The whole file. `libraries` are the versions of those whose output is in executables, `manifest` is
    what the manifest asked for when it was written; `provisions` are what `lift.bare` adds and
    what scripts on Windows need, each with a wheel that every platform can use.
    """

    lock_version: Text = LOCK_VERSION
    created_by: Text
    launcher: LockedLaunchers
    libraries: dict[str, Text] = {}
    manifest: RequestedLift
    interpreters: tuple[LockedInterpreter, ...] = ()
    files: tuple[LockedFile, ...] = ()
    libc: LockedLibc | None = None
    windows: LockedWindows | None = None
    provisions: tuple[LockedPackage, ...] = ()
    payload: LockedPayload | None = None
    packages: tuple[LockedPackage, ...] = ()

    @classmethod
    def parse(cls, text: str, label: str) -> Lock:
        """Raises CzscieError, which calls the file `label`, when `text` is not a lock of this version."""
        try:
            document = parse_toml(text)
            if "lock-version" not in document:
                raise DocumentError("it has no lock-version")
            version = document["lock-version"]
            if version != LOCK_VERSION:
                raise CzscieError(
                    f"{label} has lock version {version}",
                    code=Code.OTHER_VERSION,
                    why=f"this czscie reads version {LOCK_VERSION}",
                    hint="delete it and run czscie lock, or use the czscie version that wrote it",
                )
            return msgspec.convert(document, learned(cls))
        except (DocumentError, msgspec.ValidationError) as error:
            raise CzscieError(
                f"{label} is not a lock that czscie wrote",
                code=Code.LOCK_UNREADABLE,
                why=str(error),
                hint="restore it, or delete it and run czscie lock",
            ) from error

    def render(self) -> str:
        """The text of the file: tables in a fixed order, one item per line, so that git can merge it."""
        document = msgspec.to_builtins(self.sorted())
        return _HEADER + render_document({"lock-version": self.lock_version, **document})

    def sorted(self) -> Lock:
        """The same lock with everything in the order of the file."""
        return msgspec.structs.replace(
            self,
            manifest=RequestedLift(
                interpreters=dict(sorted(self.manifest.interpreters.items())), payload=self.manifest.payload
            ),
            interpreters=tuple(sorted(self.interpreters, key=lambda each: (each.id, each.platform))),
            launcher=msgspec.structs.replace(
                self.launcher, binaries=tuple(sorted(self.launcher.binaries, key=lambda each: each.name))
            ),
            libraries=dict(sorted(self.libraries.items())),
            files=tuple(sorted(self.files, key=lambda each: each.id)),
            provisions=tuple(sorted(self.provisions, key=lambda each: each.name)),
            packages=tuple(sorted(self.packages, key=lambda each: (each.name, each.version))),
        )

    def interpreter(self, identifier: str, platform: str) -> LockedInterpreter | None:
        """The interpreter `identifier` for `platform`, None when it is not locked."""
        return next(
            (each for each in self.interpreters if (each.id, each.platform) == (identifier, platform)), None
        )

    def file(self, identifier: str) -> LockedFile | None:
        return next((each for each in self.files if each.id == identifier), None)

    def packages_for(self, platform: str) -> tuple[LockedPackage, ...]:
        """The packages that `platform` needs, with the wheels of all platforms."""
        return tuple(each for each in self.packages if platform in (each.notes.platforms or (platform,)))


def read_lock(path: Path) -> Lock | None:
    """The lock at `path`, None when there is none. Raises CzscieError when it cannot be read."""
    try:
        text = read_document(path).decode()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CzscieError(
            f"the lock {path} cannot be read", code=Code.FILE_UNREADABLE, why=error.strerror or str(error)
        ) from error
    except UnicodeDecodeError as error:
        raise CzscieError(
            f"{path} is not a lock that czscie wrote", code=Code.LOCK_UNREADABLE, why="it is not UTF-8"
        ) from error
    return Lock.parse(text, str(path))


def write_lock(path: Path, lock: Lock) -> None:
    """Writes the lock unless the file already has the same text. Raises CzscieError when it cannot."""
    text = lock.render().encode()
    try:
        if not path.is_file() or path.read_bytes() != text:
            write_atomically(path, lambda stream: stream.write(text), mode=0o666)
    except OSError as error:
        raise CzscieError(
            f"the lock {path} cannot be written",
            code=Code.OUTPUT_UNWRITABLE,
            why=error.strerror or str(error),
        ) from error
