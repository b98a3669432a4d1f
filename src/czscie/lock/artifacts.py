"""What a resolve chose, as packages of a lock: wheels as they are, everything else as the wheel it builds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from packaging.utils import canonicalize_name

from czscie.czex.target import Target
from czscie.errors import CzscieError
from czscie.lock.lock import (
    Directory,
    Hashes,
    LockedPackage,
    LockedWheel,
    PackageTools,
    Sdist,
)
from czscie.lock.pex_tool import Artifact
from czscie.lock.question import relative
from czscie.lock.wheels import built_wheel, source_of
from czscie.network.network import Network
from czscie.network.url import is_file, without_secrets

if TYPE_CHECKING:
    from czscie.console import Console


def as_package(
    artifact: Artifact, target: Target, directory: Path, network: Network, console: Console
) -> LockedPackage:
    """The package with the one wheel that `target` gets; `directory` is the manifest's.

    Raises CzscieError when it is built of source and cannot be built, or is of what has no digest.
    """
    scheme = urlsplit(artifact.url).scheme
    if scheme not in ("https", "http", "file"):
        raise CzscieError(
            f"{artifact.project} comes from {without_secrets(artifact.url)}, for which there is no digest",
            why="a lock pins files, and directories of this machine",
            mend=f"build a wheel of it and require that: {artifact.project} @ https://…whl",
        )
    name = unquote(urlsplit(artifact.url).path.rpartition("/")[2])
    project = canonicalize_name(artifact.project)
    hashes = Hashes(sha256=artifact.sha256)
    if name.endswith(".whl"):
        url, path = _place(artifact.url, directory)
        wheel = LockedWheel(name=name, url=url, path=path, hashes=hashes)
        return LockedPackage(name=project, version=artifact.version, wheels=(wheel,))
    return _built(_source(artifact, project, name, hashes, directory), target, directory, network, console)


def _source(artifact: Artifact, project: str, name: str, hashes: Hashes, directory: Path) -> LockedPackage:
    url, path = _place(artifact.url, directory)
    if path is not None and (directory / path).is_dir():
        return LockedPackage(name=project, version=artifact.version, directory=Directory(path=path))
    sdist = Sdist(name=name, url=url, path=path, hashes=hashes)
    return LockedPackage(name=project, version=artifact.version, sdist=sdist)


def _built(
    package: LockedPackage, target: Target, directory: Path, network: Network, console: Console
) -> LockedPackage:
    with console.phase(f"Built a wheel of {package.name} {package.version}"):
        wheel = built_wheel(source_of(package, directory, network, console), target)
    console.warn(
        f"{package.name} {package.version} has no wheel for {target.platform.name}: it is built of its "
        "source, which may give other bytes elsewhere (czscie vendor carries the wheel)"
    )
    return LockedPackage(
        name=package.name,
        version=package.version,
        sdist=package.sdist,
        directory=package.directory,
        tool=PackageTools.of(built=(wheel,)),
    )


def _place(url: str, directory: Path) -> tuple[str | None, str | None]:
    """The URL as a lock keeps it, or the path of a file of this machine."""
    if is_file(url):
        return None, relative(Path(url2pathname(urlsplit(url).path)), directory)
    return without_secrets(url), None
