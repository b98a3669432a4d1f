"""Brings an archive into the cache. It has its name there only once its SHA-256 was found right."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from czscie.cache import cache_directory
from czscie.errors import CzscieError
from czscie.pbs.mirror import without_secrets
from czscie.pbs.partial import Partial, claim_partial
from czscie.pbs.progress import Progress, Show
from czscie.pbs.transfer import Client, Missing, Patience, RangeRefused, persevere

#: No archive of python-build-standalone comes near: a server that does not stop cannot fill the disk.
LARGEST_ARCHIVE = 2 << 30

_CHUNK = 1 << 20


class WrongDigest(CzscieError):
    """A server's file is not the one that was asked for."""


@dataclass(frozen=True, slots=True)
class Download:
    """An archive to fetch: its file name, its SHA-256 in hexadecimal, and URLs, of which the first that
    exists counts.
    """

    name: str
    sha256: str
    urls: tuple[str, ...]

    @property
    def path(self) -> Path:
        """Where in the cache the archive is, or will be; the name begins with the digest."""
        return cache_directory("archives") / f"{self.sha256}-{self.name}"

    def fetch(self, patience: Patience | None = None, progress: Progress | None = None) -> Path:
        """The path of the verified archive, downloaded unless the cache has it.

        A part that an earlier attempt left is gone on with. Raises WrongDigest when the server's file has
        another digest: nothing of it is kept then. Raises CzscieError when it cannot be had.
        """
        path = self.path
        if _has(path, self.sha256):
            return path
        with claim_partial(path) as partial, Client(patience) as client:
            if not _has(path, self.sha256):
                progress = progress or Progress()
                with progress.transfer(self.name) as show:
                    _Transfer(self, client, partial, progress, show).run()
                partial.finish(path)
        return path


class _Transfer:
    def __init__(
        self, download: Download, client: Client, partial: Partial, progress: Progress, show: Show
    ) -> None:
        self.download = download
        self.client = client
        self.partial = partial
        self.progress = progress
        self.show = show
        #: Whether what there is came in more than one piece.
        self.resumed = False

    def run(self) -> None:
        """Fill the partial file with what has the right digest."""
        what = f"cannot download {self.download.name}"
        self._receive(what)
        if self.partial.digest != self.download.sha256 and self.resumed:
            # What was there before need not have been a part of the same file.
            self.partial.restart()
            self._receive(what)
        if self.partial.digest != self.download.sha256:
            received = self.partial.digest
            self.partial.discard()
            raise WrongDigest(
                f"{self.download.name} has the wrong SHA-256; nothing of it was kept",
                why=(
                    f"expected {self.download.sha256}",
                    f"received {received}",
                    f"from     {without_secrets(self.download.urls[0])}",
                ),
                mend="set CZSCIE_PBS_URL to a mirror that has the right file",
            )

    def _receive(self, what: str) -> None:
        persevere(self._attempt, what, self.download.urls[0], self.client.patience, self.progress)

    def _attempt(self) -> None:
        for url in self.download.urls:
            try:
                return self._read(url)
            except Missing:
                continue
        raise CzscieError(
            f"cannot download {self.download.name}",
            why=[f"there is nothing at {without_secrets(url)}" for url in self.download.urls],
            mend="set CZSCIE_PBS_URL to a mirror that has it",
        )

    def _read(self, url: str) -> None:
        partial = self.partial
        try:
            with self.client.open(url, partial.size) as body:
                if body.start not in (0, partial.size):
                    raise RangeRefused
                if body.start == 0:
                    partial.restart()
                self.resumed = body.start > 0
                for chunk in body.chunks:
                    partial.write(chunk)
                    self.show(partial.size, body.total)
                    if partial.size > LARGEST_ARCHIVE:
                        self._refuse_size()
        except RangeRefused:
            # All of it was there and only the name was missing, or what is there is no part of this file.
            self.resumed = True

    def _refuse_size(self) -> None:
        self.partial.restart()
        raise CzscieError(
            f"{self.download.name} is larger than any archive of python-build-standalone",
            why=f"the server sent more than {LARGEST_ARCHIVE} bytes",
        )


def _has(path: Path, sha256: str) -> bool:
    """Whether `path` is there and whole: a disk may have lost what was once verified."""
    try:
        with path.open("rb") as file:
            digest = hashlib.sha256()
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except FileNotFoundError:
        return False
    return digest.hexdigest() == sha256
