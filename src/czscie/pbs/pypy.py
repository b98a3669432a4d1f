"""The provider PyPy: a release of that project, or of a mirror of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from czscie.implementation import Implementation
from czscie.network.client import Client
from czscie.network.fetch import fetch
from czscie.network.network import Network
from czscie.network.remote import Remote
from czscie.network.url import is_file, without_secrets
from czscie.pbs.archive import read_archive
from czscie.pbs.distribution import Distribution, detect_pypy_layout
from czscie.pbs.mirror import named_mirrors
from czscie.pbs.pin import Pin
from czscie.pbs.pypy_releases import OFFICIAL, VARIABLES, PyPyArchive, PyPyReleases
from czscie.platforms import Platform
from czscie.progress import Progress

if TYPE_CHECKING:
    from czscie.console import Console


@dataclass(frozen=True, slots=True)
class PyPySource:
    """An archive, pinned by its digest. `size` is None unless a lock tells it: no index of PyPy does.

    `mirrors` are the URLs of the directories to fetch it from, in order; they may contain passwords. `named`
    is whether the manifest names them.
    """

    platform: Platform
    archive: PyPyArchive
    digest: str
    mirrors: tuple[str, ...] = field(repr=False)
    network: Network
    named: bool
    size: int | None = None

    @property
    def description(self) -> str:
        """`pypy 3.9.16 v7.3.11 linux64`."""
        return str(self.archive)

    @property
    def url(self) -> str:
        """The archive's own place unless the manifest names another: the metadata of an executable must not
        depend on the mirror of its builder.
        """
        return without_secrets(f"{self.mirrors[0] if self.named else OFFICIAL}/{self.archive.name}")

    @property
    def remote(self) -> Remote:
        urls = tuple(f"{base}/{self.archive.name}" for base in self.mirrors)
        hint = "set CZSCIE_PYPY_URL to a mirror that has it"
        return Remote(self.archive.name, self.digest, urls, self.size, hint=hint)

    @property
    def is_tree(self) -> bool:
        return False

    @property
    def root(self) -> str:
        return self.archive.root

    @property
    def pin(self) -> Pin:
        url = None if is_file(self.url) else self.url
        archive = self.archive
        return Pin(self.digest, self.size, str(archive.python), archive.release, name=archive.name, url=url)

    def load(self, console: Console | None = None) -> Distribution:
        """Read the archive, downloading it unless the cache has it. Raises CzscieError."""
        [path] = fetch([self.remote], self.network, console)
        items = read_archive(path, self.root)
        layout = detect_pypy_layout(items, path.name, self.archive.python)
        return Distribution.of(items, layout, self.platform, path.name)


class PyPyOrigin:
    """Finds archives of PyPy."""

    def __init__(self, network: Network, console: Console | None = None) -> None:
        self._network = network
        self._progress = Progress(console)

    def resolve(
        self, platform: Platform, version: str, release: str | None = None, base_urls: Sequence[str] = ()
    ) -> PyPySource:
        """The archive for `platform` that the arguments, named as in the manifest, mean.

        Raises CzscieError, which says what there is when there is no such archive.
        """
        with Client(self._network) as client:
            releases = PyPyReleases(base_urls, self._network.environ, client, self._progress)
            archive = releases.find(version, release, platform)
            digest = releases.sha256(archive)
        return PyPySource(platform, archive, digest, releases.mirrors, self._network, bool(base_urls))

    def pinned(self, platform: Platform, pin: Pin, base_urls: Sequence[str] = ()) -> PyPySource:
        """The source of the archive that a lock pins, without a server.

        It comes from the mirrors that are named here and now, or from where the lock has it. Raises
        CzscieError for a mirror that is no URL.
        """
        named = [url for url, _ in named_mirrors(base_urls, self._network.environ, VARIABLES)]
        locked = OFFICIAL if pin.url is None else pin.url.rpartition("/")[0]
        archive = PyPyArchive(pin.name or "", Implementation.parse(pin.version or ""))
        mirrors = tuple(named or [locked])
        return PyPySource(platform, archive, pin.sha256, mirrors, self._network, bool(base_urls), pin.size)
