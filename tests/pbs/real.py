"""Real assets of python-build-standalone of every triple and flavor, with their published digests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypedDict


class RealAsset(TypedDict):
    filename: str
    url: str
    version: str
    release: str
    triple: str
    flavor: str
    sha256: str


REAL_ASSETS: list[RealAsset] = json.loads(Path(__file__).with_name("assets.json").read_bytes())


def checksums(release: str) -> bytes:
    """The part of the release's SHA256SUMS that we have."""
    here = [asset for asset in REAL_ASSETS if asset["release"] == release]
    return "".join(f"{asset['sha256']}  {asset['filename']}\n" for asset in here).encode()
