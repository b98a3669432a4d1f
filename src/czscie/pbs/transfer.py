"""Reads what an https, http or file URL names, from any byte on, and tries again when it is worth it."""

from __future__ import annotations

import email.utils
import http
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from netrc import NetrcParseError
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import unquote, urlsplit, urlunsplit

from czscie import __version__
from czscie.errors import CzscieError
from czscie.pbs.mirror import without_secrets
from czscie.pbs.progress import Progress

if TYPE_CHECKING:
    import httpx

_CHUNK = 1 << 20
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for a server, in seconds, and how often to ask it.

    `read` is the longest silence, not the longest transfer. The wait before a second attempt is `first_wait`
    and doubles before each further one; a server that asks for more than `longest_wait` is not waited for.
    """

    connect: float = 15.0
    read: float = 30.0
    attempts: int = 5
    first_wait: float = 0.5
    longest_wait: float = 60.0


class Missing(Exception):
    """There is nothing at that URL."""


class RangeRefused(Exception):
    """The server has no part of the file that begins where it was asked to, or does not say that it has."""


class Transient(Exception):
    """What may be over soon. `wait` is how many seconds the server asks for, None where it does not say."""

    def __init__(self, cause: str, wait: float | None = None) -> None:
        super().__init__(cause)
        self.cause = cause
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Body:
    """The bytes of a file from `start` on. `total` is the size of the whole where the server tells it."""

    start: int
    total: int | None
    chunks: Iterator[bytes]


class Client:
    """Opens URLs. A context manager, because connections are kept for the next request."""

    def __init__(self, patience: Patience | None = None) -> None:
        self.patience = patience or Patience()
        self._http: httpx.Client | None = None

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._http is not None:
            self._http.close()

    def open(self, url: str, start: int = 0) -> _Opened:
        """A context manager that gives the Body at `url`, from byte `start` on if the server can do that.

        Entering and reading raise Missing, RangeRefused, Transient or, where no second attempt would help,
        CzscieError.
        """
        return _open_file(url, start) if urlsplit(url).scheme == "file" else self._open_http(url, start)

    @contextmanager
    def _open_http(self, url: str, start: int) -> Iterator[Body]:
        import httpx

        client = self._connect()
        address, auth = _split_credentials(url)
        # What arrives has to be the file's own bytes, so that digests and ranges mean what they say.
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
        try:
            with client.stream("GET", address, headers=headers, auth=auth) as response:
                _check_status(response)
                yield _body(response)
        except httpx.TransportError as error:
            raise self._transient(error, url) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise CzscieError(f"cannot read {without_secrets(url)}", why=str(error)) from error

    def _connect(self) -> httpx.Client:
        if self._http is None:
            import httpx

            self._http = httpx.Client(
                timeout=httpx.Timeout(self.patience.read, connect=self.patience.connect),
                follow_redirects=True,
                headers={"User-Agent": f"czscie/{__version__}"},
                event_hooks={"response": [_refuse_downgrade]},
            )
        return self._http

    def _transient(self, error: httpx.TransportError, url: str) -> Exception:
        import httpx

        host = urlsplit(url).hostname
        if isinstance(error, httpx.ConnectTimeout):
            return Transient(f"no connection to {host} within {self.patience.connect:g} s")
        if isinstance(error, httpx.TimeoutException):
            return Transient(f"the server sent nothing for {self.patience.read:g} s")
        if isinstance(error, httpx.ConnectError):
            if _certificate_refused(error):
                return CzscieError(
                    f"the certificate of {host} is not trusted",
                    why=str(error),
                    mend="set SSL_CERT_FILE to a file with your certificate authorities",
                )
            return Transient(f"no connection to {host}: {error}")
        if isinstance(error, (httpx.UnsupportedProtocol, httpx.ProxyError)):
            return CzscieError(f"cannot read {without_secrets(url)}", why=str(error))
        return Transient("the connection broke off")


if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    _Opened = AbstractContextManager[Body]


def persevere(
    attempt: Callable[[], _Result], what: str, url: str, patience: Patience, progress: Progress
) -> _Result:
    """Call `attempt` until it raises no Transient, with growing waits in between.

    Raises CzscieError, `what` being its sentence, after `patience.attempts` or when the wait is too long.
    """
    pause = patience.first_wait
    for number in range(1, patience.attempts + 1):
        try:
            return attempt()
        except Transient as problem:
            wait = max(pause, problem.wait or 0)
            if number == patience.attempts:
                ending = f"gave up after attempt {number}: {problem.cause}"
            elif wait > patience.longest_wait:
                ending = f"{problem.cause} and asks to come back in {wait:g} s"
            else:
                progress.line(f"{problem.cause}: trying again in {wait:g} s")
                time.sleep(wait)
                pause = min(2 * pause, patience.longest_wait)
                continue
            raise CzscieError(
                what,
                why=(without_secrets(url), ending),
                mend="try again later, or set CZSCIE_PBS_URL to a mirror",
            ) from problem
    raise AssertionError("patience.attempts is at least 1")


@contextmanager
def _open_file(url: str, start: int) -> Iterator[Body]:
    from urllib.request import url2pathname

    path = Path(url2pathname(urlsplit(url).path))
    try:
        with path.open("rb") as file:
            total = file.seek(0, 2)
            if start > total:
                raise RangeRefused
            file.seek(start)
            yield Body(start, total, iter(lambda: file.read(_CHUNK), b""))
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        raise Missing from None
    except OSError as error:
        raise CzscieError(f"cannot read {path}", why=error.strerror or str(error)) from error


def _body(response: httpx.Response) -> Body:
    # As it arrives: a chunk of a given size would be lost with the connection.
    length = response.headers.get("Content-Length", "")
    total = int(length) if length.isdecimal() else None
    if response.status_code != http.HTTPStatus.PARTIAL_CONTENT:
        return Body(0, total, response.iter_raw())
    # RFC 9110, 14.4: `bytes 100-199/200`, and `*` for a total that the server does not know.
    unit, _, rest = response.headers.get("Content-Range", "").partition(" ")
    span, _, whole = rest.partition("/")
    first = span.partition("-")[0]
    if unit != "bytes" or not first.isdecimal():
        raise RangeRefused
    return Body(int(first), int(whole) if whole.isdecimal() else None, response.iter_raw())


def _check_status(response: httpx.Response) -> None:
    status = response.status_code
    if status in (http.HTTPStatus.OK, http.HTTPStatus.PARTIAL_CONTENT):
        return
    if status in (http.HTTPStatus.NOT_FOUND, http.HTTPStatus.GONE):
        raise Missing
    if status == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        raise RangeRefused
    answer = f"the server answered {status} {response.reason_phrase}".rstrip()
    if status in (http.HTTPStatus.REQUEST_TIMEOUT, http.HTTPStatus.TOO_MANY_REQUESTS) or status >= 500:
        raise Transient(answer, _retry_after(response.headers.get("Retry-After", "")))
    forbidden = status in (http.HTTPStatus.UNAUTHORIZED, http.HTTPStatus.FORBIDDEN)
    raise CzscieError(
        f"cannot read {without_secrets(str(response.url))}",
        why=answer,
        mend="put the server's user and password into ~/.netrc" if forbidden else None,
    )


def _retry_after(value: str) -> float | None:
    """Seconds from now: RFC 9110, 10.2.3 has a number of them or a date."""
    if value.isdecimal():
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (TypeError, ValueError):
        return None


def _refuse_downgrade(response: httpx.Response) -> None:
    """What was asked for under TLS must not come without: nobody could vouch for the digests then."""
    if response.has_redirect_location and response.url.scheme == "https":
        target = response.url.join(response.headers["Location"])
        if target.scheme != "https":
            raise CzscieError(
                f"{without_secrets(str(response.url))} leads to a place without TLS",
                why=without_secrets(str(target)),
            )


def _split_credentials(url: str) -> tuple[str, httpx.Auth | None]:
    """The URL without user and password, which httpx would log, and what proves who we are instead."""
    import httpx

    parts = urlsplit(url)
    if parts.username is not None:
        address = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
        return address, httpx.BasicAuth(unquote(parts.username), unquote(parts.password or ""))
    netrc = Path("~/.netrc").expanduser()
    if not netrc.is_file():
        return url, None
    try:
        return url, httpx.NetRCAuth(str(netrc))
    except (OSError, NetrcParseError) as error:
        raise CzscieError(f"cannot read {netrc}", why=str(error)) from error


def _certificate_refused(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False
