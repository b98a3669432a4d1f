"""The lists of assets in mirrors that science writes, which stand in for `SHA256SUMS`.

    download/20251014/distributions-3.13-install_only.json
             release                version flavor

`science download provider PythonBuildStandalone` writes one for each version and flavor that it is asked for,
into `latest/download` if it is asked for no release (science/providers/python_build_standalone.py). Archives
are in `download/<release>` in either case. Science selects by a regular expression, which is the flavor here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Annotated

import msgspec

from czscie.documents import DocumentError, decode_json
from czscie.errors import CzscieError
from czscie.pbs.assets import Asset

#: What science asks for where a version ends in `t`.
_FREE_THREADED = r"freethreaded(?:\+(?:pgo|lto)){1,2}-full"
_OFFICIAL = "https://github.com/astral-sh/python-build-standalone/releases"

_Sha256 = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]
_Tag = Annotated[str, msgspec.Meta(pattern=r"\A[0-9]{8}\Z")]


class _Digest(msgspec.Struct, frozen=True):
    fingerprint: _Sha256
    size: int


class _Listed(msgspec.Struct, frozen=True):
    digest: _Digest
    file_type: str
    name: str
    rel_path: str
    target_triple: str
    version: str


class AssetList(msgspec.Struct, frozen=True):
    """Assets of one release. `base_url` is what science downloaded from."""

    assets: tuple[_Listed, ...]
    base_url: str
    release: _Tag

    @classmethod
    def parse(cls, raw: bytes) -> AssetList:
        """Raises DocumentError when it is no such list or has a name twice."""
        found = decode_json(raw, cls)
        if len({each.name for each in found.assets}) < len(found.assets):
            raise DocumentError("it has a name twice")
        return found

    @property
    def digests(self) -> dict[Asset, str]:
        """The SHA-256 of each asset of the release, in hexadecimal; other names are left out."""
        found = {}
        for each in self.assets:
            try:
                asset = Asset.parse(each.name)
            except CzscieError:
                continue
            if asset.release == self.release:
                found[asset] = each.digest.fingerprint
        return found

    @classmethod
    def of(cls, release: str) -> AssetList:
        """A list without assets."""
        return cls((), _OFFICIAL, release)

    def with_asset(self, asset: Asset, digest: str, size: int) -> AssetList:
        """The list with `asset`, whose archive has this SHA-256, in hexadecimal, and `size` in bytes."""
        listed = _Listed(
            digest=_Digest(digest, size),
            file_type=asset.suffix.removeprefix("."),
            name=asset.name,
            rel_path=f"download/{asset.release}/{asset.name}",
            target_triple=asset.triple,
            version=asset.version,
        )
        others = (each for each in self.assets if each.name != asset.name)
        assets = sorted((*others, listed), key=lambda each: each.name)
        return msgspec.structs.replace(self, assets=tuple(assets))

    def rendered(self) -> bytes:
        return msgspec.json.format(msgspec.json.encode(self), indent=2)


def list_names(version: str, flavors: Sequence[str]) -> tuple[str, ...]:
    """The names of the lists that can have `flavors` of a `version` that has no suffix, in their order."""
    expressions = [re.escape(flavor) for flavor in flavors]
    if any(re.fullmatch(_FREE_THREADED, flavor) for flavor in flavors):
        expressions.append(_FREE_THREADED)
    return tuple(f"distributions-{version}-{expression}.json" for expression in expressions)


def can_be_a_file(name: str, system: str = os.name) -> bool:
    """Whether `system` allows a file called `name`: Windows forbids what most expressions contain."""
    return system != "nt" or "\\" not in name
