"""Wheels for sources: built by their build backend if it may run, otherwise described by their metadata."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname
from zipfile import ZipFile

import msgspec
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import Version

from czscie.build_cache import key_of, knowledge
from czscie.cache import cache_directory
from czscie.container.untrusted_zip import files_in_zip, open_zip
from czscie.czex.target import Target
from czscie.errors import Code, CzscieError
from czscie.filesystem import write_atomically
from czscie.leftovers import scratch
from czscie.lift.lift import Lift
from czscie.lift.package_indexes import NO_INDEXES, PackageIndexes
from czscie.lift.payload import may_build
from czscie.lock.build_backend import build_wheel, written_settings
from czscie.lock.lock import Hashes, LockedDirectory, LockedPackage, LockedWheel, PackageTools, Sdist
from czscie.lock.pex_tool import FoundSource
from czscie.lock.requested import relative
from czscie.lock.sdist import Static, escaped, named_by_file, project_digest, static_metadata, unpacked
from czscie.lock.uv_settings import indexes_of
from czscie.network.client import Client
from czscie.network.fetch import fetch
from czscie.network.remote import Remote
from czscie.network.retry import Watch
from czscie.network.url import is_file, scheme, without_secrets
from czscie.session import Session
from czscie.wheel.wheel import Wheel

#: The SHA-256 of a wheel that is not built yet.
UNBUILT = "0" * 64
#: The version of a project that only a build can tell.
UNKNOWN_VERSION = "0"
_KIND = "wheels"
#: Seconds for a source whose index has no digest of it.
_PATIENCE = 600.0


class Built(msgspec.Struct, frozen=True):
    """The cached result of building a source: the wheel and its metadata."""

    wheel: LockedWheel
    project: str
    version: str
    requires: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unbuilt:
    """A source that was not built, because no backend may run.

    `requires_known` is whether its metadata lists its requirements.
    """

    project: str
    version: str | None
    source: str
    requires_known: bool


class _Unknown(Exception):
    """Nothing is known about the source."""


@dataclass(frozen=True, slots=True)
class Builder:
    """Builds each source once.

    `allowed` are the projects whose backends may run, None is for all. Unless it `runs`, no backend runs: the
    cache or the metadata of sources must do, and `unbuilt` collects, by project, those that would be built.
    `directory` is the manifest's, `lock` its lock. What backends require comes from `indexes`.
    """

    allowed: tuple[str, ...] | None
    directory: Path
    lock: Path
    session: Session
    runs: bool = True
    indexes: PackageIndexes = NO_INDEXES
    unbuilt: dict[str, Unbuilt] = field(default_factory=dict)
    #: Packages by the SHA-256 of the wheels, or of their stand-ins, that were given to pip.
    _packages: dict[str, LockedPackage] = field(default_factory=dict)
    _wheels: dict[str, Path] = field(default_factory=dict)
    #: Of directories: what is compared and then locked are the same files.
    _digests: dict[Path, str] = field(default_factory=dict)

    @classmethod
    def of(cls, lift: Lift, session: Session, *, runs: bool = True) -> Builder:
        payload = lift.payload
        allowed = None if payload is None else payload.build
        directory, lock = lift.path.parent.absolute(), lift.lock_path.absolute()
        return cls(allowed, directory, lock, session, runs, indexes_of(payload))

    # For pip.

    def wheel(self, found: FoundSource, directory: Path) -> Path:
        """The wheel to give to pip for a source that it met: built now, or a stub with its metadata.

        The stub is written into `directory`. Raises CzscieError.
        """
        if found.url not in self._wheels:
            package, path = self._wheel(found, directory)
            self._packages[hashlib.sha256(path.read_bytes()).hexdigest()] = package
            self._wheels[found.url] = path
        return self._wheels[found.url]

    def package_of(self, sha256: str) -> LockedPackage | None:
        """The package of a wheel that pip was given; None for any other."""
        return self._packages.get(sha256)

    def _wheel(self, found: FoundSource, directory: Path) -> tuple[LockedPackage, Path]:
        at = urlsplit(found.url).path if scheme(found.url) else ""
        name = unquote(at.rstrip("/").rpartition("/")[2])
        path = Path(url2pathname(at)) if is_file(found.url) else None
        named = named_by_file(name)
        project = canonicalize_name(found.project or named.name or name or "a source")
        if scheme(found.url) not in ("https", "http", "file"):
            raise unpinnable(project, found.url)
        sdist: Sdist | None = None
        if path is not None and path.is_dir():
            source, digest = path, self._directory_digest(path)
        else:
            sdist = self._sdist(name, path, found)
            source, digest = self._fetched(sdist), sdist.hashes.sha256
        built = self._built(project, source, digest)
        if built is None:
            static = self._described(project, found.version or named.version, source)
            stub = _write_stub(static, directory)
            package = _package(self._stand_in(static), sdist, source, self.directory)
            return package, stub
        package = _package(built, sdist, source, self.directory)
        return package, remote_of(built.wheel, self.directory).path

    def _sdist(self, name: str, path: Path | None, found: FoundSource) -> Sdist:
        sha256 = found.sha256 or self._digest(found.url)
        if path is not None:
            return Sdist(name=name, path=relative(path, self.directory), hashes=Hashes(sha256=sha256))
        return Sdist(name=name, url=without_secrets(found.url), hashes=Hashes(sha256=sha256))

    def _digest(self, url: str) -> str:
        """The SHA-256 of a file whose index does not have it."""
        digest = hashlib.sha256()
        with Client(self.session.network) as client, client.open(url, Watch(_PATIENCE)) as body:
            for chunk in body.chunks:
                digest.update(chunk)
        return digest.hexdigest()

    # For locks.

    def package(self, package: LockedPackage) -> LockedPackage:
        """`package`, which has a source, with the wheel built from it. Raises CzscieError."""
        source = self.source_of(package)
        digest = self._directory_digest(source) if package.sdist is None else package.sdist.hashes.sha256
        built = self._built(package.name, source, digest)
        if built is None:
            built = self._stand_in(self._described(package.name, package.version, source))
        return _package(built, package.sdist, source, self.directory)

    def project(self, path: Path) -> Built:
        """The project at `path`, built as it is now; without its wheel if no backend may run.

        Raises CzscieError.
        """
        static = static_metadata(path)
        name = static.name or path.resolve().name
        if self.allowed is not None and static.name is None:
            raise CzscieError(
                f"the manifest does not allow building the project at {path}",
                code=Code.BUILD_NOT_ALLOWED,
                why="build of [lift.payload] lists names, and only its build backend knows its name",
                hint='set name in [project] of its pyproject.toml, or set build = "allow"',
            )
        built = self._built(canonicalize_name(name), path, self._directory_digest(path))
        return built or self._stand_in(self._described(canonicalize_name(name), static.version, path))

    def source_of(self, package: LockedPackage) -> Path:
        """The source that wheels of `package` are built from. Raises CzscieError when it is unavailable."""
        if package.directory is not None:
            return _beside(self.directory, package.directory.path)
        assert package.sdist is not None
        return self._fetched(package.sdist)

    def _directory_digest(self, path: Path) -> str:
        if path not in self._digests:
            self._digests[path] = project_digest(path, self.lock)
        return self._digests[path]

    def _fetched(self, sdist: Sdist) -> Path:
        [path] = fetch([remote_of(sdist, self.directory)], self.session.network, self.session.console)
        return path

    def _built(self, project: str, source: Path, digest: str) -> Built | None:
        """The wheel built from `source`; None if no backend may run and the cache has none."""
        if not may_build(self.allowed, project):
            raise forbidden(project, source.name)
        place = str(source.absolute()) if source.is_dir() else ""
        key = key_of("wheel of a source", place, digest, *written_settings(os.environ))
        try:
            known = knowledge(key, Built, lambda: self._make(project, source))
        except _Unknown:
            return None
        if not remote_of(known.wheel, source).path.is_file():
            (cache_directory("known") / key).unlink(missing_ok=True)
            return self._built(project, source, digest)
        return known

    def _make(self, project: str, source: Path) -> Built:
        if not self.runs:
            raise _Unknown
        if self.session.network.offline:
            raise CzscieError(
                f"the cache has no wheel of {project}, and czscie is offline",
                code=Code.OFFLINE,
                why="a build backend and what it requires may need a network",
                hint="run czscie lock on a machine with network access, and czscie vendor to carry the wheel",
            )
        with (
            self.session.console.phase(
                f"Building a wheel of {project}", f"Built a wheel of {project}"
            ) as phase,
            scratch() as directory,
        ):
            built = _describe(_kept(build_wheel(_laid_out(source, directory), directory, self.indexes)))
            phase.become(f"Built a wheel of {project} {built.version}")
        return built

    # If no backend may run.

    def _described(self, project: str, version: str | None, source: Path) -> Static:
        with scratch() as temporary:
            static = static_metadata(_laid_out(source, temporary))
        version = static.version or version
        self.unbuilt[project] = Unbuilt(project, version, source.name, static.requires is not None)
        return Static(project, version or UNKNOWN_VERSION, static.requires, static.requires_python)

    def _stand_in(self, static: Static) -> Built:
        assert static.name is not None and static.version is not None
        wheel = LockedWheel(name=_stub_name(static), hashes=Hashes(sha256=UNBUILT))
        return Built(wheel, static.name, static.version, static.requires or ())


def remote_of(wheel: LockedWheel | Sdist, directory: Path) -> Remote:
    """The file that the lock of the manifest in `directory` pins. A wheel that was built has no URL."""
    urls = [wheel.url] if wheel.url is not None else []
    if wheel.path is not None:
        urls.append(_beside(directory, wheel.path).resolve().as_uri())
    hint = f"czscie lock --upgrade-only {wheel.name.partition('-')[0]}"
    return Remote(wheel.name, wheel.hashes.sha256, tuple(urls), wheel.size, kind=_KIND, hint=hint)


def _beside(directory: Path, path: str) -> Path:
    """`path` of a lock in `directory`; it may point anywhere. Raises CzscieError for a NUL."""
    if "\0" in path:
        raise CzscieError(f"the lock has an invalid path: {path[:200]!r}", code=Code.LOCK_UNREADABLE)
    return directory / path


def check_wheel(package: LockedPackage, target: Target) -> None:
    """Raises CzscieError when the wheel built from a source is not for `target`."""
    for wheel in package.built:
        if parse_wheel_filename(wheel.name)[3].isdisjoint(target.tags):
            raise CzscieError(
                f"{package.name} {package.version} builds a wheel here that is not for {target}",
                code=Code.BUILD_FAILED,
                why=f"it builds {wheel.name}",
                hint=f"build that wheel on {target.platform.name} and name its directory in find_links",
                option=f"build that wheel on {target.platform.name} and name its directory: --find-links DIR",
            )


def unpinnable(project: str, url: str) -> CzscieError:
    return CzscieError(
        f"{project} comes from {without_secrets(url)}, which has no digest",
        code=Code.NOT_PINNABLE,
        why="a lock pins files and local directories",
        hint=f"build a wheel from it and require the wheel: {project} @ https://…whl",
    )


def forbidden(project: str, source: str) -> CzscieError:
    return CzscieError(
        f"{project} has no wheel, and the manifest does not allow building one",
        code=Code.BUILD_NOT_ALLOWED,
        why=f"its source is {source}, and build in [lift.payload] does not list {project}",
        hint=f'set build = ["{project}"] in [lift.payload], or build = "allow" for every project',
    )


def _laid_out(source: Path, directory: Path) -> Path:
    return source if source.is_dir() else unpacked(source, directory / "source")


def _kept(made: Path) -> LockedWheel:
    """The wheel in the cache."""
    content = made.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    wheel = LockedWheel(name=made.name, size=len(content), hashes=Hashes(sha256=sha256))
    write_atomically(remote_of(wheel, Path()).path, lambda stream: stream.write(content))
    return wheel


def _describe(built: LockedWheel) -> Built:
    path = remote_of(built, Path()).path
    with open_zip(path, path.name) as archive:
        wheel = Wheel.read(path.name, files_in_zip(lambda: archive, path.name), spread=False, label=path.name)
    return Built(built, wheel.project, wheel.version, wheel.requires)


def _package(built: Built, sdist: Sdist | None, source: Path, directory: Path) -> LockedPackage:
    return LockedPackage(
        name=canonicalize_name(built.project),
        version=built.version,
        sdist=sdist,
        directory=LockedDirectory(path=relative(source, directory)) if sdist is None else None,
        tool=PackageTools.of(built=(built.wheel,)),
    )


def _stub_name(static: Static) -> str:
    assert static.name is not None and static.version is not None
    return f"{escaped(static.name)}-{Version(static.version)}-py3-none-any.whl"


def _write_stub(static: Static, directory: Path) -> Path:
    path = directory / _stub_name(static)
    with ZipFile(path, "w") as archive:
        for name, data in static.stub().items():
            archive.writestr(name, data)
    return path
