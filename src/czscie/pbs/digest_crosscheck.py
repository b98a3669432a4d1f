"""A cross-check of digests: a mirror alone is not trusted to say which bytes an asset has.

It runs when a digest is chosen, which is when a lift is locked. After that the lock pins the digest.
"""

from __future__ import annotations

from dataclasses import replace

from czscie.errors import Code, CzscieError
from czscie.network.client import Client
from czscie.network.network import Network
from czscie.network.url import is_file, without_secrets
from czscie.pbs.assets import Asset
from czscie.pbs.mirror import OFFICIAL, Mirror, find_mirrors
from czscie.pbs.releases import Release, Releases
from czscie.progress import Progress

#: Whose SHA256SUMS has to agree with a mirror's: a base, or `none`. Default: the project's own.
VARIABLE = "CZSCIE_PBS_DIGESTS"
_NONE = "none"

#: Seconds. Where a mirror is needed, the project's own server is often unreachable: that must not take long.
_CONNECT = 5.0
_READ = 10.0


class Witness:
    """Compares the digests of mirrors with another list. One per build: it reads each release once."""

    def __init__(self, network: Network, progress: Progress) -> None:
        patience = network.patience
        hasty = replace(
            patience, connect=min(_CONNECT, patience.connect), read=min(_READ, patience.read), attempts=1
        )
        self._network = replace(network, patience=hasty)
        self._progress = progress
        self._heard: dict[str, Release | str] = {}

    def check(self, asset: Asset, digest: str, release: Release) -> None:
        """Compare `digest`, which `release` has for `asset`; warn if no other list is available.

        Local directories are trusted: whoever can write there could write manifests. Raises CzscieError when
        the other list has a different digest.
        """
        mirror = self._mirror()
        if (
            mirror is None
            or is_file(release.directory)
            or release.directory in mirror.directories(release.tag)
        ):
            return
        if asset.release not in self._heard:
            self._heard[asset.release] = said = self._ask(mirror, asset.release)
            if isinstance(said, str):
                self._warn(f"release {asset.release}", release, said)
        said = self._heard[asset.release]
        if isinstance(said, str):
            return
        expected = said.digests.get(asset)
        if expected is None:
            self._warn(asset.name, release, f"{without_secrets(said.directory)} does not list it")
        elif expected != digest:
            raise CzscieError(
                f"a mirror and {mirror.origin} have different digests for {asset.name}",
                code=Code.CONTENT_WRONG,
                why=(
                    f"{digest} at {without_secrets(release.directory)}",
                    f"{expected} at {without_secrets(said.directory)}",
                ),
                hint="use another mirror, and report it to the operator of this one",
            )

    def _mirror(self) -> Mirror | None:
        chosen = self._network.environ.get(VARIABLE, "").strip()
        if chosen.lower() == _NONE:
            return None
        if not chosen:
            return Mirror(OFFICIAL, "the project itself")
        [mirror, *_] = find_mirrors((chosen,), {})
        return replace(mirror, origin=VARIABLE)

    def _ask(self, mirror: Mirror, tag: str) -> Release | str:
        """The release as `mirror` lists it, or the reason why that is unknown."""
        try:
            with Client(self._network) as client:
                return Releases((mirror,), client, Progress()).find(tag)
        except CzscieError as error:
            return error.why[0] if error.why else error.what

    def _warn(self, what: str, release: Release, why: str) -> None:
        self._progress.warn(
            f"only {without_secrets(release.directory)} says which digests {what} has: {why} "
            f"({VARIABLE} names another list, or none)"
        )
