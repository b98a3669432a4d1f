"""The assets of a release of python-build-standalone, from its `SHA256SUMS`.

`SHA256SUMS` is an asset of every release since 20220227: lines of a digest, two spaces and an asset's name. A
release does not change once it is published, so the file is cached, and downloaded again only when it lacks
something. Mirrors that science wrote have lists of another form (czscie.pbs.asset_list).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

from czscie.cache import cache_directory, make_way, mark_used
from czscie.documents import DocumentError, parse_json
from czscie.errors import Code, CzscieError
from czscie.filesystem import open_regular, write_atomically
from czscie.network.client import Client
from czscie.network.read import read_small
from czscie.network.retry import Failure, Unreachable
from czscie.network.url import without_secrets
from czscie.pbs.asset_list import AssetList, can_be_a_file
from czscie.pbs.assets import Asset
from czscie.pbs.mirror import Mirror
from czscie.progress import Progress

FIRST_RELEASE = "20220227"

_CHECKSUMS = "SHA256SUMS"
_LARGEST_INDEX = 4 << 20
#: Attempts per mirror when there is another one.
_ATTEMPTS_BEFORE_THE_NEXT = 2
_OWN_PYTHON = 'build with this machine\'s Python (provider = "Host")'
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
    """The releases of the mirrors. The next mirror is tried when one lacks a release or is unreachable.

    `lists` are the names of science's lists that have what is looked for.
    """

    def __init__(
        self, mirrors: Sequence[Mirror], client: Client, progress: Progress, lists: Sequence[str] = ()
    ) -> None:
        self._mirrors = mirrors
        self._client = client
        self._progress = progress
        self._lists = lists

    def newest(self) -> str:
        """The tag of the newest release. Raises CzscieError when no mirror names it."""
        failed: list[Unreachable] = []
        why: list[str] = []
        for mirror in self._mirrors:
            try:
                if (tag := self._newest_of(mirror)) is not None:
                    return tag
                places = [mirror.latest, *self._list_urls(mirror, None)[:1]]
                why += [f"there is nothing at {without_secrets(place)}" for place in places]
            except Unreachable as error:
                failed.append(error)
                why += error.why
        if len(failed) == len(self._mirrors) == 1:
            raise failed[0]
        names = ", ".join(map(str, self._mirrors))
        raise CzscieError(
            f"{names} {'does' if len(self._mirrors) == 1 else 'do'} not say which release of "
            "python-build-standalone is the newest",
            code=Code.RELEASES_UNREADABLE,
            why=why,
            hint='name the release: release = "YYYYMMDD" in lift.interpreters',
            option="name one: --python X.Y.Z+YYYYMMDD",
        )

    def find(self, tag: str, fresh: bool = False) -> Release:
        """The release `tag`; `fresh` reads the mirrors even if it is cached. Raises CzscieError."""
        if not fresh:
            for mirror in self._mirrors:
                if (release := _read_kept(mirror, tag)) is not None:
                    return release
        failed: list[Unreachable] = []
        why: list[str] = []
        for mirror in self._mirrors:
            try:
                if (release := self._find_at(mirror, tag)) is not None:
                    return release
                indexes = [f"{directory}/{_CHECKSUMS}" for directory in mirror.directories(tag)]
                indexes += self._list_urls(mirror, tag)[:1]
                why += [f"that release is not listed at {without_secrets(index)}" for index in indexes]
            except Unreachable as error:
                failed.append(error)
                why += error.why
        if len(failed) == len(self._mirrors) == 1:
            raise failed[0]
        if tag < FIRST_RELEASE:
            why = [f"releases before {FIRST_RELEASE} publish no {_CHECKSUMS}, so nothing can be verified"]
        raise CzscieError(
            f"there is no release {tag} of python-build-standalone at {', '.join(map(str, self._mirrors))}",
            code=Code.INTERPRETER_NOT_RELEASED,
            why=why,
            hint="https://github.com/astral-sh/python-build-standalone/releases lists them"
            if self._mirrors[-1].is_official
            else "name a release that the mirror has, or another mirror",
        )

    def _newest_of(self, mirror: Mirror) -> str | None:
        raw = self._read(mirror.latest, mirror)
        if raw is not None:
            try:
                tag = parse_json(raw)["tag"]
            except (ValueError, TypeError, KeyError):
                tag = None
            if not isinstance(tag, str) or not _TAG.fullmatch(tag):
                raise CzscieError(
                    f"{without_secrets(mirror.latest)} does not name a release",
                    code=Code.RELEASES_UNREADABLE,
                    why='expected JSON such as {"tag": "20261021"}',
                )
            return tag
        flat = self._read(f"{mirror.base}/{_CHECKSUMS}", mirror)
        assets = parse_checksums(flat, mirror.base) if flat else ()
        if (newest := max((asset.release for asset in assets), default=None)) is not None:
            return newest
        return next((found.release for found in self._read_lists(mirror, None)), None)

    def _find_at(self, mirror: Mirror, tag: str) -> Release | None:
        kept = _kept(mirror, tag)
        for directory in mirror.directories(tag):
            raw = self._read(f"{directory}/{_CHECKSUMS}", mirror)
            digests = {} if raw is None else _of_release(tag, raw, directory)
            if digests and raw is not None:
                if kept is not None:
                    _keep(kept, directory.removeprefix(mirror.base), raw)
                return Release(tag, directory, digests, kept, fresh=True)
        for found in self._read_lists(mirror, tag):
            if found.release == tag and (digests := found.digests):
                return Release(tag, mirror.archives(tag), digests, None, fresh=True)
        return None

    def _read_lists(self, mirror: Mirror, tag: str | None) -> Iterator[AssetList]:
        """Those of science's lists that `mirror` has: of the release `tag` or of the newest."""
        for url in self._list_urls(mirror, tag):
            if (raw := self._read(url, mirror)) is None:
                continue
            try:
                yield AssetList.parse(raw)
            except DocumentError as error:
                raise CzscieError(
                    f"{without_secrets(url)} is not a list of archives as science writes it",
                    code=Code.RELEASES_UNREADABLE,
                    why=str(error),
                ) from error

    def _list_urls(self, mirror: Mirror, tag: str | None) -> list[str]:
        names = [name for name in self._lists if not mirror.is_file or can_be_a_file(name)]
        return [f"{directory}/{quote(name)}" for directory in mirror.list_directories(tag) for name in names]

    def _read(self, url: str, mirror: Mirror) -> bytes | None:
        """The small file at `url`, None when there is none."""
        failure = Failure(
            "cannot read an index of python-build-standalone",
            f"try again later, set CZSCIE_PBS_URL to a mirror, or {_OWN_PYTHON}",
        )
        attempts = None if mirror == self._mirrors[-1] else _ATTEMPTS_BEFORE_THE_NEXT
        try:
            return read_small(self._client, url, failure, _LARGEST_INDEX, self._progress, attempts)
        except Unreachable as error:
            if error.code is not Code.OFFLINE:
                raise
            raise Unreachable(
                f"{failure.what}: czscie is offline",
                code=error.code,
                why=error.why,
                hint=f"run it once online, set CZSCIE_PBS_URL to a mirror on this machine, or {_OWN_PYTHON}",
            ) from error


def parse_checksums(raw: bytes, where: str) -> dict[Asset, str]:
    """The assets of a `SHA256SUMS` with their digests; names that are no asset's are left out.

    Raises CzscieError on any line that is not `<sha256>  <name>` and on a second one for the same name, whose
    digest nobody could choose; `where` is what messages call the directory of the file.
    """
    found: dict[Asset, str] = {}
    names: set[str] = set()
    for number, line in enumerate(raw.decode("utf-8", "replace").splitlines(), 1):
        match = _LINE.fullmatch(line)
        name = "" if match is None else unquote(match[2])
        if match is None or name in names:
            raise CzscieError(
                f"{without_secrets(where)}/{_CHECKSUMS} is not a list of SHA-256 digests",
                code=Code.RELEASES_UNREADABLE,
                why=f"line {number} is {line[:80]!r}"
                if match is None
                else f"line {number} is the second for {name}",
            )
        names.add(name)
        try:
            asset = Asset.parse(name)
        except CzscieError:
            continue
        found[asset] = match[1]
    return found


def _of_release(tag: str, raw: bytes, where: str) -> dict[Asset, str]:
    return {asset: digest for asset, digest in parse_checksums(raw, where).items() if asset.release == tag}


def _kept(mirror: Mirror, tag: str) -> Path | None:
    """Where the index of `tag` is kept; of a directory on this machine none is, it is at hand anyway."""
    if mirror.is_file:
        return None
    identity = hashlib.sha256(without_secrets(mirror.base).encode()).hexdigest()[:16]
    return cache_directory("indexes") / f"{tag}-{identity}.index"


def _keep(path: Path, below: str, raw: bytes) -> None:
    """Keep an index with a digest, and where it was below the mirror's base, which may hold a password."""
    content = below.encode() + b"\n" + raw
    digest = hashlib.sha256(content).hexdigest().encode()
    make_way(path)
    write_atomically(path, lambda stream: stream.write(digest + b"\n" + content))


def _read_kept(mirror: Mirror, tag: str) -> Release | None:
    kept = _kept(mirror, tag)
    if kept is None or not kept.is_file():
        return None
    try:
        with open_regular(kept) as file:
            digest, _, content = file.read().partition(b"\n")
    except FileNotFoundError:
        return None
    if hashlib.sha256(content).hexdigest().encode() != digest:
        return None  # damaged: the mirror has it
    mark_used(kept)
    below, _, raw = content.partition(b"\n")
    digests = _of_release(tag, raw, str(kept))
    return Release(tag, mirror.base + below.decode(), digests, kept, fresh=False) if digests else None
