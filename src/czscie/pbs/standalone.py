"""The provider PythonBuildStandalone: CPython from a release of that project, or from a mirror of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from czscie.errors import CzscieError
from czscie.network.client import Client
from czscie.network.fetch import fetch
from czscie.network.network import Network
from czscie.network.remote import Remote, WrongContent
from czscie.network.url import without_secrets
from czscie.pbs.archive import read_archive
from czscie.pbs.assets import Asset
from czscie.pbs.choice import Wanted
from czscie.pbs.distribution import Distribution, detect_layout
from czscie.pbs.mirror import Mirror
from czscie.pbs.releases import Release, Releases
from czscie.platforms import Platform
from czscie.progress import Progress

if TYPE_CHECKING:
    from czscie.console import Console


@dataclass(frozen=True, slots=True)
class StandaloneSource:
    """One asset, pinned by its digest. `size` is None: no index of PBS tells it."""

    platform: Platform
    asset: Asset
    digest: str
    url: str
    urls: tuple[str, ...] = field(repr=False)
    network: Network
    index: Path | None
    size: int | None = None

    @property
    def description(self) -> str:
        """`cpython 3.13.9+20251014 x86_64-unknown-linux-gnu install_only_stripped`."""
        return str(self.asset)

    @property
    def remote(self) -> Remote:
        """The archive, to be fetched."""
        mend = "set CZSCIE_PBS_URL to a mirror that has it"
        return Remote(self.asset.name, self.digest, self.urls, self.size, mend=mend)

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


class PythonBuildStandalone:
    """Finds assets. A mirror is asked once which release is the newest, so all platforms get the same."""

    def __init__(
        self,
        console: Console | None = None,
        network: Network | None = None,
    ) -> None:
        self._progress = Progress(console)
        self._network = network or Network.of()
        self._newest: dict[Mirror, str] = {}

    def release(self, tag: str | None = None, base_url: str | None = None) -> Release:
        """The release `tag`, or the newest that the mirror has. Raises CzscieError when there is none."""
        with Client(self._network) as client:
            releases = Releases(Mirror.find(base_url, self._network.environ), client, self._progress)
            return releases.find(tag or self._newest_of(releases))

    def resolve(
        self,
        platform: Platform,
        version: str,
        release: str | None = None,
        flavor: str | None = None,
        base_url: str | None = None,
    ) -> StandaloneSource:
        """The asset for `platform` that the arguments, named as in the manifest, mean.

        Without `release` the newest one of the mirror is meant. Raises CzscieError, which says what the
        release does hold when there is no such asset.
        """
        wanted = Wanted.parse(version, flavor, platform)
        mirror = Mirror.find(base_url, self._network.environ)
        with Client(self._network) as client:
            releases = Releases(mirror, client, self._progress)
            tag = release or self._newest_of(releases)
            found = releases.find(tag)
            try:
                asset, digest = wanted.choose(found)
            except CzscieError:
                if found.fresh:
                    raise
                found = releases.find(tag, fresh=True)
                asset, digest = wanted.choose(found)
        return StandaloneSource(
            platform=platform,
            asset=asset,
            digest=digest,
            url=without_secrets(f"{found.directory}/{asset.url_name}"),
            urls=_spellings(found.directory, asset),
            network=self._network,
            index=found.kept,
        )

    def _newest_of(self, releases: Releases) -> str:
        if releases.mirror not in self._newest:
            self._newest[releases.mirror] = releases.newest()
        return self._newest[releases.mirror]


def _spellings(directory: str, asset: Asset) -> tuple[str, str]:
    """Both ways in which a mirror may have the `+` of the name: as it is, or literally as `%2B`."""
    if urlsplit(directory).scheme == "file":
        return f"{directory}/{asset.url_name}", f"{directory}/{quote(asset.url_name)}"
    return f"{directory}/{asset.url_name}", f"{directory}/{asset.name}"
