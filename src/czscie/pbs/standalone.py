"""The provider PythonBuildStandalone: CPython from a release of that project, or from a mirror of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from czscie.errors import CzscieError
from czscie.implementation import CPYTHON, Implementation
from czscie.network.client import Client
from czscie.network.fetch import fetch
from czscie.network.network import Network
from czscie.network.remote import Remote, WrongContent
from czscie.network.url import is_file, without_secrets
from czscie.pbs.archive import ROOT, read_archive
from czscie.pbs.assets import FREE_THREADED, Asset
from czscie.pbs.choice import Wanted
from czscie.pbs.digest_crosscheck import Witness
from czscie.pbs.distribution import Distribution, detect_layout
from czscie.pbs.mirror import OFFICIAL, Mirror, find_mirrors, spellings
from czscie.pbs.pin import Pin
from czscie.pbs.releases import Release, Releases
from czscie.platforms import Platform
from czscie.progress import Progress

if TYPE_CHECKING:
    from czscie.console import Console


@dataclass(frozen=True, slots=True)
class StandaloneSource:
    """One asset, pinned by its digest. `size` is None unless a lock tells it: no index of PBS does.

    `named` is whether the manifest names the mirrors that it comes from.
    """

    platform: Platform
    asset: Asset
    digest: str
    url: str
    urls: tuple[str, ...] = field(repr=False)
    network: Network
    index: Path | None
    size: int | None = None
    named: bool = False

    @property
    def description(self) -> str:
        """`cpython 3.13.9+20251014 x86_64-unknown-linux-gnu install_only_stripped`."""
        return str(self.asset)

    @property
    def remote(self) -> Remote:
        """The archive, to be fetched."""
        hint = "set CZSCIE_PBS_URL to a mirror that has it"
        return Remote(self.asset.name, self.digest, self.urls, self.size, hint=hint)

    @property
    def is_tree(self) -> bool:
        return False

    @property
    def root(self) -> str:
        return ROOT

    @property
    def pin(self) -> Pin:
        """The URL is the release's own unless the manifest names another: which mirror it came from is this
        machine's affair.
        """
        asset = self.asset
        url: str | None = f"{OFFICIAL}/{asset.release}/{asset.url_name}"
        if self.named:
            url = None if is_file(self.url) else self.url
        python = Implementation(CPYTHON, asset.version, FREE_THREADED in asset.flavor)
        return Pin(self.digest, self.size, str(python), asset.release, asset.flavor, asset.name, url)

    def load(self, console: Console | None = None) -> Distribution:
        """Read the archive, downloading it unless the cache has it. Raises CzscieError."""
        try:
            [path] = fetch([self.remote], self.network, console)
        except WrongContent:
            # The index may be what is out of date: the next build asks for it again.
            if self.index is not None:
                self.index.unlink(missing_ok=True)
            raise
        items = read_archive(path)
        layout = detect_layout(items, self.asset.name, self.asset.version)
        return Distribution.of(items, layout, self.platform, self.asset.name)


class StandaloneOrigin:
    """Finds assets. It resolves the newest release once, so that all platforms get the same."""

    def __init__(self, network: Network, console: Console | None = None) -> None:
        self._progress = Progress(console)
        self._network = network
        self._witness = Witness(self._network, self._progress)
        self._newest: dict[tuple[Mirror, ...], str] = {}

    def release(self, tag: str | None = None, base_urls: Sequence[str] = ()) -> Release:
        """The release `tag`, or the newest that the mirrors have. Raises CzscieError when there is none."""
        mirrors = find_mirrors(base_urls, self._network.environ)
        with Client(self._network) as client:
            releases = Releases(mirrors, client, self._progress)
            return releases.find(tag or self._newest_of(mirrors, releases))

    def resolve(
        self,
        platform: Platform,
        version: str,
        release: str | None = None,
        flavor: str | None = None,
        base_urls: Sequence[str] = (),
    ) -> StandaloneSource:
        """The asset for `platform` that the arguments, named as in the manifest, mean.

        Without `release` the newest one of the mirrors is meant. Raises CzscieError, which says what the
        release has when there is no such asset, and when a mirror's digest is not the project's.
        """
        wanted = Wanted.parse(version, flavor, platform)
        mirrors = find_mirrors(base_urls, self._network.environ)
        with Client(self._network) as client:
            releases = Releases(mirrors, client, self._progress, wanted.lists)
            tag = release or self._newest_of(mirrors, releases)
            found = releases.find(tag)
            try:
                asset, digest = wanted.choose(found)
            except CzscieError:
                if found.fresh:
                    raise
                found = releases.find(tag, fresh=True)
                asset, digest = wanted.choose(found)
        self._witness.check(asset, digest, found)
        others = [mirror for mirror in mirrors if found.directory not in mirror.directories(tag)]
        source = self._source(
            platform, asset, digest, [found.directory, *_directories(others, tag)], found.kept
        )
        return replace(source, named=bool(base_urls))

    def pinned(self, platform: Platform, pin: Pin, base_urls: Sequence[str] = ()) -> StandaloneSource:
        """The source of the asset that a lock pins, without a server.

        It comes from the mirrors that are named here and now; where none is, from where the lock has it, or
        from the project itself. Raises CzscieError for a mirror that is no URL.
        """
        asset = Asset.parse(pin.name or "")
        mirrors = find_mirrors(base_urls, self._network.environ)
        directories = _directories(mirrors, asset.release)
        if pin.url is not None and mirrors[0].is_official:
            directories.insert(0, pin.url.rpartition("/")[0])
        source = self._source(platform, asset, pin.sha256, directories, None, pin.size)
        # The metadata of an executable must not depend on the mirror of its builder.
        return replace(source, url=pin.url or "", named=bool(base_urls))

    def _newest_of(self, mirrors: tuple[Mirror, ...], releases: Releases) -> str:
        if mirrors not in self._newest:
            self._newest[mirrors] = releases.newest()
        return self._newest[mirrors]

    def _source(
        self,
        platform: Platform,
        asset: Asset,
        digest: str,
        directories: Sequence[str],
        index: Path | None,
        size: int | None = None,
    ) -> StandaloneSource:
        urls = (url for directory in directories for url in spellings(directory, asset))
        return StandaloneSource(
            platform=platform,
            asset=asset,
            digest=digest,
            url=without_secrets(f"{directories[0]}/{asset.url_name}"),
            urls=tuple(dict.fromkeys(urls)),
            network=self._network,
            index=index,
            size=size,
        )


def _directories(mirrors: Sequence[Mirror], release: str) -> list[str]:
    return [directory for mirror in mirrors for directory in mirror.directories(release)]
