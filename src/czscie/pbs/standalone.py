"""The provider PythonBuildStandalone: CPython from a release of that project, or from a mirror of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from czscie.errors import CzscieError
from czscie.pbs.archive import read_archive
from czscie.pbs.assets import Asset
from czscie.pbs.choice import Wanted
from czscie.pbs.distribution import Distribution, detect_layout
from czscie.pbs.download import Download, WrongDigest
from czscie.pbs.mirror import Mirror, without_secrets
from czscie.pbs.progress import Progress
from czscie.pbs.releases import Releases
from czscie.pbs.transfer import Client, Patience
from czscie.platforms import Platform

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
    patience: Patience
    index: Path | None
    size: int | None = None

    @property
    def description(self) -> str:
        """`cpython 3.13.9+20251014 x86_64-unknown-linux-gnu install_only_stripped`."""
        return str(self.asset)

    def load(self, console: Console | None = None) -> Distribution:
        """Read the archive, downloading it unless the cache has it. Raises CzscieError."""
        try:
            path = Download(self.asset.name, self.digest, self.urls).fetch(self.patience, Progress(console))
        except WrongDigest:
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
        patience: Patience | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._progress = Progress(console)
        self._patience = patience or Patience()
        self._environ = environ
        self._newest: dict[Mirror, str] = {}

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
        mirror = Mirror.find(base_url, self._environ)
        with Client(self._patience) as client:
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
            patience=self._patience,
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
