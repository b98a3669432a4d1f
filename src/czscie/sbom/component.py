"""The components of a bill of materials: plain values, cached beside what they describe."""

from __future__ import annotations

from typing import Literal

import msgspec

#: The property with the digest of a tree of files (czscie.container.tree): a hash in CycloneDX is that of one
#: file.
TREE = "czscie:tree-sha256"
#: The file name of a wheel.
WHEEL = "czscie:wheel"
#: The digest of what a launcher is compiled from.
SOURCE = "czscie:source-sha256"
#: The digest of the PEX or the script that the manifest names.
PAYLOAD = "czscie:payload-sha256"
#: Why modules of a wheel stay files.
STAYING = "czscie:files"

#: CycloneDX's component.type, as far as we list such.
Kind = Literal["application", "library", "file"]


class Component(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that is shipped.

    `reference` names it among those that are listed together, and `needs` are references of those that it
    needs. `version` is None where the files do not tell it, `certain` whether they tell it in so many words.
    `licences` are SPDX expressions or, where its makers have none, names. `sha256` is that of the file it
    came as, which is at `url`. `places` are the paths of files that hold it.
    """

    reference: str
    name: str
    kind: Kind = "library"
    version: str | None = None
    certain: bool = True
    description: str | None = None
    purl: str | None = None
    cpe: str | None = None
    licences: tuple[str, ...] = ()
    sha256: str | None = None
    url: str | None = None
    places: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    properties: dict[str, str] = {}
