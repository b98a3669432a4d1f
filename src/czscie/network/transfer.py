"""The download of one file into the cache, from the first URL that has it, resumed as often as necessary."""

from __future__ import annotations

from czscie.cache import cache_directory
from czscie.disk import writing
from czscie.errors import Code, CzscieError
from czscie.network.client import Client, NotFound, RangeRefused
from czscie.network.partial import Partial, claim_partial
from czscie.network.remote import Remote, WrongContent
from czscie.network.retry import Failure, Transient, Unreachable, Watch, persevere
from czscie.network.url import origin, without_secrets
from czscie.progress import Progress, Show

#: Well above any file of unknown size: a server that never stops must not fill the disk.
LARGEST = 4 << 30


class Transfer:
    """Fetches `file` with `client`, within the limit of `watch`."""

    def __init__(self, file: Remote, client: Client, watch: Watch, progress: Progress, show: Show) -> None:
        self._file = file
        self._client = client
        self._watch = watch
        self._progress = progress
        self._show = show
        #: The result of each URL in the last attempt, a line each, and the URL that was read last.
        self._tried: list[str] = []
        self._source = ""
        #: Whether the file arrived in more than one piece.
        self._resumed = False

    def run(self) -> None:
        """Download to `file.path`, unless another process does meanwhile. Raises CzscieError or Stopped."""
        path = self._file.path
        with claim_partial(cache_directory(self._file.kind) / self._file.sha256) as partial:
            if not self._file.is_at(path):
                self._fill(partial)
                partial.finish(path)

    def _fill(self, partial: Partial) -> None:
        """Fill `partial` until it has the right digest."""
        self._receive(partial)
        if partial.digest != self._file.sha256 and self._resumed:
            # The earlier part may have belonged to a different file.
            partial.restart()
            self._receive(partial)
        if partial.digest != self._file.sha256:
            received = partial.digest
            raise self._wrong(
                partial, f"expected SHA-256 {self._file.sha256}", f"received SHA-256 {received}"
            )

    def _receive(self, partial: Partial) -> None:
        persevere(
            lambda: self._attempt(partial),
            Failure(f"cannot download {self._file.name}", self._file.hint or "try again later"),
            self._tried,
            self._client.network.patience,
            self._watch,
            self._progress,
        )

    def _attempt(self, partial: Partial) -> None:
        """Try each URL once, until one has the file. A host that cannot be reached is tried once."""
        self._tried.clear()
        failed: list[Transient] = []
        down = set()
        for url in self._file.urls:
            if origin(url) in down:
                continue
            shown = without_secrets(url)
            try:
                return self._read(url, partial)
            except NotFound:
                self._tried.append(f"there is nothing at {shown}")
            except Transient as problem:
                self._tried.append(f"{shown}: {problem.cause}")
                failed.append(problem)
                down.add(origin(url))
            except Unreachable as problem:
                self._tried += problem.why
                down.add(origin(url))
        if failed:
            raise failed[0]
        raise CzscieError(
            f"cannot download {self._file.name}", code=Code.UNREACHABLE, why=self._tried, hint=self._file.hint
        )

    def _read(self, url: str, partial: Partial) -> None:
        expected = self._file.size
        try:
            with self._client.open(url, self._watch, partial.size) as body:
                self._source = url
                if expected is not None and body.total not in (None, expected):
                    raise self._wrong(partial, f"expected {expected} bytes", f"received {body.total} bytes")
                if body.start not in (0, partial.size):
                    raise RangeRefused
                if body.start == 0:
                    partial.restart()
                self._resumed = body.start > 0
                for chunk in body.chunks:
                    with writing(self._file.path, expected or body.total):
                        partial.write(chunk)
                    self._show(partial.size, expected or body.total)
                    if partial.size > (LARGEST if expected is None else expected):
                        raise self._too_large(partial)
        except RangeRefused:
            # Either the file is complete and lacks only its name, or it is not a part of this file.
            self._resumed = True
            return
        if expected is not None and partial.size < expected:
            raise Transient("the connection was lost")

    def _too_large(self, partial: Partial) -> CzscieError:
        expected = self._file.size
        if expected is not None:
            return self._wrong(partial, f"expected {expected} bytes", "received more")
        partial.restart()
        return CzscieError(
            f"{self._file.name} is larger than any file that czscie fetches",
            code=Code.CONTENT_WRONG,
            why=f"the server sent more than {LARGEST} bytes",
        )

    def _wrong(self, partial: Partial, *why: str) -> WrongContent:
        partial.restart()
        return WrongContent(
            f"{self._file.name} has the wrong SHA-256 or size and was discarded",
            code=Code.CONTENT_WRONG,
            why=(*why, f"from {without_secrets(self._source)}"),
            hint=self._file.hint,
        )
