"""Sources of attestations: GitHub's API, or local files.

An attestation is a Sigstore bundle: https://docs.sigstore.dev/about/bundle/
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec

from czscie.documents import DocumentError, decode_json, parse_json
from czscie.errors import Code, CzscieError
from czscie.network.client import Client
from czscie.network.network import Network
from czscie.network.read import read_small
from czscie.network.retry import Failure
from czscie.network.url import without_secrets
from czscie.progress import Progress

#: GitHub's own limit.
_LARGEST = 16 << 20
_API = "https://api.github.com/repos/astral-sh/python-build-standalone/attestations"
#: The hint when GitHub is unreachable.
BRING_ALONG = "save them with `gh attestation download`, then run czscie lock --attest --attestations DIR"


class Bundles(Protocol):
    """A source of attestations."""

    def find(self, sha256: str) -> list[bytes]:
        """The bundles, as JSON, for the file with that SHA-256, in hexadecimal. May be empty.

        Raises CzscieError when they cannot be read.
        """
        ...

    def __str__(self) -> str:
        """The name of the source in messages."""
        ...


@dataclass(frozen=True, slots=True)
class BundlesInFiles:
    """A file of bundles, or a directory of files `sha256:<digest>.jsonl`, as `gh attestation download` writes
    them; on Windows, where names hold no colon, there is a hyphen.
    """

    path: Path

    def find(self, sha256: str) -> list[bytes]:
        names = [f"sha256{separator}{sha256}.jsonl" for separator in ":-"]
        paths = [self.path / name for name in names] if self.path.is_dir() else [self.path]
        try:
            return [bundle for path in paths if path.is_file() for bundle in _split(path.read_bytes())]
        except OSError as error:
            raise CzscieError(
                f"cannot read {error.filename}", code=Code.FILE_UNREADABLE, why=error.strerror or str(error)
            ) from error

    def __str__(self) -> str:
        return str(self.path)


class _Entry(msgspec.Struct):
    bundle: msgspec.Raw = msgspec.Raw(b"null")
    bundle_url: str | None = None


class _Answer(msgspec.Struct):
    attestations: list[_Entry]


@dataclass(frozen=True, slots=True)
class BundlesOfGitHub:
    """GitHub's API. It needs no account, but allows only some sixty anonymous requests an hour.

    https://docs.github.com/en/rest/repos/attestations
    """

    network: Network
    progress: Progress
    api: str = _API

    def find(self, sha256: str) -> list[bytes]:
        url = f"{self.api}/sha256:{sha256}"
        with Client(self.network) as client:
            raw = self._read(client, url)
            if raw is None:
                return []
            try:
                answer = decode_json(raw, _Answer)
            except DocumentError as error:
                raise CzscieError(
                    f"{url} is not a list of attestations", code=Code.ATTESTATION_UNVERIFIED, why=str(error)
                ) from error
            found = (self._bundle(client, entry) for entry in answer.attestations)
            return [bundle for bundle in found if bundle is not None]

    def _bundle(self, client: Client, entry: _Entry) -> bytes | None:
        """The bundle itself: older answers contain it, newer ones link to it."""
        if (inline := bytes(entry.bundle)) != b"null":
            return inline
        if entry.bundle_url is None:
            return None
        raw = self._read(client, entry.bundle_url)
        return None if raw is None else _unpack(raw, without_secrets(entry.bundle_url))

    def _read(self, client: Client, url: str) -> bytes | None:
        failure = Failure("cannot read an attestation", BRING_ALONG)
        return read_small(client, url, failure, _LARGEST, self.progress)

    def __str__(self) -> str:
        return self.api


def _split(text: bytes) -> list[bytes]:
    """One bundle, or one per line."""
    try:
        parse_json(text)
    except DocumentError:
        return [line for line in text.splitlines() if line.strip()]
    return [text]


def _unpack(raw: bytes, where: str) -> bytes:
    """JSON as it is, or as one block of Snappy, which begins with the length that it unpacks to."""
    if raw.startswith(b"{"):
        return raw
    import cramjam

    try:
        length = cramjam.snappy.decompress_raw_len(raw)
        if length > _LARGEST:
            raise CzscieError(
                f"{where} is too large",
                code=Code.ATTESTATION_UNVERIFIED,
                why=f"it would unpack to {length} bytes",
            )
        return bytes(cramjam.snappy.decompress_raw(raw))
    except cramjam.DecompressionError as error:
        raise CzscieError(f"{where} is damaged", code=Code.ATTESTATION_UNVERIFIED, why=str(error)) from error
