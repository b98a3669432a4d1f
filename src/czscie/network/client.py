"""A client for https, http and file URLs that can start at any byte."""

from __future__ import annotations

import email.utils
import http
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from czscie import __version__
from czscie.errors import Code, CzscieError
from czscie.filesystem import open_regular, pieces
from czscie.network.credentials import Credential, find_credential, variable_for
from czscie.network.network import OFFLINE, Network
from czscie.network.retry import Transient, Unreachable, Watch
from czscie.network.url import file_path, is_file, without_secrets
from czscie.trace import traced_url

if TYPE_CHECKING:
    import httpx


class NotFound(Exception):
    """There is no file at that URL."""


class RangeRefused(Exception):
    """The server does not support the requested range, or has no such part of the file."""


@dataclass(frozen=True, slots=True)
class Body:
    """The bytes of a file from `start` on.

    `total` is the size of the whole file, if the server sends it. `encoding` is the content coding (RFC 9110,
    8.4), empty for none.
    """

    start: int
    total: int | None
    encoding: str
    chunks: Iterator[bytes]


class Client:
    """Opens URLs, for several threads at once.

    A context manager, because connections are kept for the next request.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self._http: httpx.Client | None = None
        self._connecting = threading.Lock()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._http is not None:
            self._http.close()

    @contextmanager
    def open(self, url: str, watch: Watch, start: int = 0) -> Iterator[Body]:
        """A context manager for the Body at `url`, from byte `start` on if the server supports that.

        Entering and reading raise NotFound, RangeRefused, Transient, Late, Stopped or, where no second
        attempt would help, CzscieError: Unreachable when czscie is offline.
        """
        opened = _open_file(url, start, watch) if is_file(url) else self._open_http(url, start, watch)
        with traced_url(url), opened as body:
            yield body

    @contextmanager
    def _open_http(self, url: str, start: int, watch: Watch) -> Iterator[Body]:
        import httpx

        from czscie.network.errors import explain

        client = self._connect(url)
        credential = find_credential(url, self.network.environ)
        patience = self.network.patience
        limits = httpx.Timeout(watch.within(patience.read), connect=watch.within(patience.connect))
        # What arrives has to be the file's own bytes, so that digests and ranges mean what they say.
        headers = {"Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
        if credential is not None:
            headers["Authorization"] = credential.authorization  # httpx drops it where another host comes in
        try:
            with client.stream("GET", _without_user(url), headers=headers, timeout=limits) as response:
                _check_status(response, url, credential)
                yield _body(response, watch)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            watch.check()
            raise explain(error, url, self.network) from error

    def _connect(self, url: str) -> httpx.Client:
        if self.network.offline:
            raise Unreachable(
                "cannot download a file: czscie is offline",
                code=Code.OFFLINE,
                why=f"{without_secrets(url)}: --offline or {OFFLINE} is set",
            )
        with self._connecting:
            if self._http is None:
                self._http = self._new_client()
        return self._http

    def _new_client(self) -> httpx.Client:
        import httpx

        from czscie.network.errors import unusable_proxy
        from czscie.network.tls import tls_context

        try:
            return httpx.Client(
                verify=tls_context(self.network.environ),
                follow_redirects=True,
                headers={"User-Agent": f"czscie/{__version__}"},
                event_hooks={"response": [_refuse_downgrade]},
            )
        except (ImportError, ValueError, httpx.InvalidURL) as error:
            raise unusable_proxy(error) from error


@contextmanager
def _open_file(url: str, start: int, watch: Watch) -> Iterator[Body]:
    path = file_path(url)
    try:
        with open_regular(path) as file:
            total = file.seek(0, 2)
            if start > total:
                raise RangeRefused
            file.seek(start)
            yield Body(start, total, "", _watched(pieces(file), watch))
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        raise NotFound from None
    except OSError as error:
        raise CzscieError(
            f"cannot read {path}", code=Code.FILE_UNREADABLE, why=error.strerror or str(error)
        ) from error


def _watched(chunks: Iterator[bytes], watch: Watch) -> Iterator[bytes]:
    for chunk in chunks:
        watch.check()
        yield chunk


def _body(response: httpx.Response, watch: Watch) -> Body:
    # As it arrives: a chunk of a given size would be lost with the connection.
    chunks = _watched(response.iter_raw(), watch)
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    length = response.headers.get("Content-Length", "")
    total = int(length) if length.isdecimal() else None
    if response.status_code != http.HTTPStatus.PARTIAL_CONTENT:
        return Body(0, total, encoding, chunks)
    # RFC 9110, 14.4: `bytes 100-199/200`, and `*` for a total that the server does not know.
    unit, _, rest = response.headers.get("Content-Range", "").partition(" ")
    span, _, whole = rest.partition("/")
    first = span.partition("-")[0]
    if unit != "bytes" or not first.isdecimal():
        raise RangeRefused
    return Body(int(first), int(whole) if whole.isdecimal() else None, encoding, chunks)


def _check_status(response: httpx.Response, asked: str, credential: Credential | None) -> None:
    status = response.status_code
    if status in (http.HTTPStatus.OK, http.HTTPStatus.PARTIAL_CONTENT):
        return
    if status in (http.HTTPStatus.NOT_FOUND, http.HTTPStatus.GONE):
        raise NotFound
    if status == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        raise RangeRefused
    answer = f"the server returned {status} {response.reason_phrase}".rstrip()
    if status in (http.HTTPStatus.REQUEST_TIMEOUT, http.HTTPStatus.TOO_MANY_REQUESTS) or status >= 500:
        raise Transient(answer, _retry_after(response.headers.get("Retry-After", "")))
    why, hint = [answer], None
    if status in (http.HTTPStatus.UNAUTHORIZED, http.HTTPStatus.FORBIDDEN):
        variable = variable_for(asked)
        if credential is not None:
            why.append(f"the credentials come from {credential.origin}")
        hint = f"set {variable}_BEARER, or {variable}_BASIC_USER and _BASIC_PASS, or add the host to ~/.netrc"
    elif status == http.HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        from czscie.network.errors import CREDENTIALS_OF_PROXY

        hint = CREDENTIALS_OF_PROXY
    raise CzscieError(
        f"cannot read {without_secrets(str(response.url))}", code=Code.UNREACHABLE, why=why, hint=hint
    )


def _retry_after(value: str) -> float | None:
    """Seconds to wait: RFC 9110, 10.2.3 allows a number of them or a date."""
    if value.isdecimal():
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (TypeError, ValueError):
        return None


def _refuse_downgrade(response: httpx.Response) -> None:
    """A redirect must not leave TLS: nothing would authenticate the digests then."""
    if response.has_redirect_location and response.url.scheme == "https":
        target = response.url.join(response.headers["Location"])
        if target.scheme != "https":
            raise CzscieError(
                f"{without_secrets(str(response.url))} redirects to a URL without TLS",
                code=Code.TLS_REFUSED,
                why=without_secrets(str(target)),
            )


def _without_user(url: str) -> str:
    """The URL for httpx, which writes URLs into logs."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
