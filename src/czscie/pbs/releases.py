"""What a release of python-build-standalone holds, read from its `SHA256SUMS`.

`SHA256SUMS` is an asset of every release since 20220227: lines of a digest, two spaces and an asset's name.
A release does not change once it is published, so the file is kept in the cache and asked for again only
when it disappoints.
"""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from czscie.cache import cache_directory
from czscie.errors import CzscieError
from czscie.network.client import Client
from czscie.network.read import read_small
from czscie.network.url import without_secrets
from czscie.pbs.assets import Asset
from czscie.pbs.mirror import OFFICIAL, Mirror
from czscie.progress import Progress

FIRST_RELEASE = "20220227"

_CHECKSUMS = "SHA256SUMS"
_LARGEST_INDEX = 4 << 20
_LINE = re.compile(r"([0-9a-f]{64}) [ *](\S+)")
_TAG = re.compile(r"\d{8}")


@dataclass(frozen=True, slots=True)
class Release:
    """The CPythons of one release: where they are and the SHA-256 of each, in hexadecimal.

    `tag` is the date that names it, `directory` the URL of the directory that its files are in. `kept` is
    where a copy of its index is, `fresh` whether the mirror was asked for it just now.
    """

    tag: str
    directory: str
    digests: dict[Asset, str]
    kept: Path | None
    fresh: bool

    def __str__(self) -> str:
        return f"release {self.tag} of python-build-standalone"


class Releases:
    """The releases that a mirror holds, each read once."""

    def __init__(self, mirror: Mirror, client: Client, progress: Progress) -> None:
        self.mirror = mirror
        self._client = client
        self._progress = progress

    def newest(self) -> str:
        """The tag of the newest release. Raises CzscieError when the mirror does not say."""
        raw = self._read(self.mirror.latest)
        if raw is not None:
            try:
                tag = json.loads(raw)["tag"]
            except (ValueError, TypeError, KeyError):
                tag = None
            if not isinstance(tag, str) or not _TAG.fullmatch(tag):
                raise CzscieError(
                    f"{without_secrets(self.mirror.latest)} names no release",
                    why='it has to hold JSON such as {"tag": "20261021"}',
                )
            return tag
        flat = self._read(f"{self.mirror.base}/{_CHECKSUMS}")
        tags = {asset.release for asset in parse_checksums(flat, self.mirror.base)} if flat else set()
        if not tags:
            raise CzscieError(
                f"{self.mirror} does not say which release of python-build-standalone is the newest",
                why=f"there is nothing at {without_secrets(self.mirror.latest)}",
                mend='name the release: release = "YYYYMMDD" in lift.interpreters',
            )
        return max(tags)

    def find(self, tag: str, fresh: bool = False) -> Release:
        """The release `tag`; `fresh` asks the mirror even when the cache knows it. Raises CzscieError."""
        kept = self._kept(tag)
        if kept is not None and not fresh and (release := self._read_kept(tag, kept)):
            return release
        for directory in self.mirror.directories(tag):
            raw = self._read(f"{directory}/{_CHECKSUMS}")
            found = {} if raw is None else parse_checksums(raw, directory)
            digests = {asset: digest for asset, digest in found.items() if asset.release == tag}
            if digests and raw is not None:
                if kept is not None:
                    _keep(kept, directory, raw)
                return Release(tag, directory, digests, kept, fresh=True)
        raise self._unknown(tag)

    def _unknown(self, tag: str) -> CzscieError:
        where = [f"{without_secrets(directory)}/{_CHECKSUMS}" for directory in self.mirror.directories(tag)]
        if tag < FIRST_RELEASE:
            why = [f"releases before {FIRST_RELEASE} publish no {_CHECKSUMS}, so nothing can be verified"]
        else:
            why = [f"nothing of that release is listed at {url}" for url in where]
        return CzscieError(
            f"there is no release {tag} of python-build-standalone at {self.mirror}",
            why=why,
            mend="https://github.com/astral-sh/python-build-standalone/releases lists them"
            if self.mirror.base == OFFICIAL
            else "name a release that the mirror has, or another mirror",
        )

    def _read(self, url: str) -> bytes | None:
        """The small file at `url`, None when there is none."""
        what = "cannot read an index of python-build-standalone"
        mend = "try again later, or set CZSCIE_PBS_URL to a mirror"
        return read_small(self._client, url, what, _LARGEST_INDEX, self._progress, mend)

    def _kept(self, tag: str) -> Path | None:
        """Where the index of `tag` is kept; of a directory on this machine none is, it is at hand anyway."""
        if self.mirror.base.startswith("file:"):
            return None
        identity = hashlib.sha256(self.mirror.base.encode()).hexdigest()[:16]
        return cache_directory("indexes") / f"{tag}-{identity}"

    def _read_kept(self, tag: str, kept: Path) -> Release | None:
        try:
            directory, _, raw = kept.read_bytes().partition(b"\n")
        except FileNotFoundError:
            return None
        digests = parse_checksums(raw, str(kept))
        digests = {asset: digest for asset, digest in digests.items() if asset.release == tag}
        return Release(tag, directory.decode(), digests, kept, fresh=False) if digests else None


def parse_checksums(raw: bytes, where: str) -> dict[Asset, str]:
    """The assets of a `SHA256SUMS` with their digests; names that are no asset's are left out.

    Raises CzscieError on any line that is not `<sha256>  <name>`; `where` is what the message calls the file.
    """
    found: dict[Asset, str] = {}
    for number, line in enumerate(raw.decode("utf-8", "replace").splitlines(), 1):
        match = _LINE.fullmatch(line)
        if match is None:
            raise CzscieError(
                f"{without_secrets(where)}/{_CHECKSUMS} is not a list of SHA-256 digests",
                why=f"line {number} is {line[:80]!r}",
            )
        try:
            found[Asset.parse(match[2])] = match[1]
        except CzscieError:
            continue
    return found


def _keep(path: Path, directory: str, raw: bytes) -> None:
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        file.write(directory.encode() + b"\n" + raw)
    Path(file.name).replace(path)
