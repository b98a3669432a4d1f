"""Resolved artifacts as packages of a lock: wheels unchanged, everything else as the wheel built from it."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from packaging.utils import canonicalize_name

from czscie.lock.builder import Builder, unpinnable
from czscie.lock.lock import Hashes, LockedDirectory, LockedPackage, LockedWheel, Sdist
from czscie.lock.pex_tool import Artifact
from czscie.lock.requested import relative
from czscie.network.url import is_file, scheme, without_secrets


def as_package(artifact: Artifact, directory: Path, builder: Builder) -> LockedPackage:
    """The package with the one wheel of `artifact`; `directory` is the manifest's.

    Raises CzscieError when its source cannot be built, or has no digest.
    """
    if (built := builder.package_of(artifact.sha256)) is not None:
        return built
    if scheme(artifact.url) not in ("https", "http", "file"):
        raise unpinnable(artifact.project, artifact.url)
    name = unquote(urlsplit(artifact.url).path.rpartition("/")[2])
    project = canonicalize_name(artifact.project)
    hashes = Hashes(sha256=artifact.sha256)
    if name.endswith(".whl"):
        url, path = _place(artifact.url, directory)
        wheel = LockedWheel(name=name, url=url, path=path, hashes=hashes)
        return LockedPackage(name=project, version=artifact.version, wheels=(wheel,))
    source = _source(artifact, project, name, hashes, directory)
    return builder.package(source)


def _source(artifact: Artifact, project: str, name: str, hashes: Hashes, directory: Path) -> LockedPackage:
    url, path = _place(artifact.url, directory)
    if path is not None and (directory / path).is_dir():
        return LockedPackage(name=project, version=artifact.version, directory=LockedDirectory(path=path))
    sdist = Sdist(name=name, url=url, path=path, hashes=hashes)
    return LockedPackage(name=project, version=artifact.version, sdist=sdist)


def _place(url: str, directory: Path) -> tuple[str | None, str | None]:
    """The URL as a lock stores it, or the path of a local file."""
    if is_file(url):
        return None, relative(Path(url2pathname(urlsplit(url).path)), directory)
    return without_secrets(url), None
