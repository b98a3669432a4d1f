"""Network errors in words, with the one setting that fixes each."""

from __future__ import annotations

import ssl
from typing import TypeVar
from urllib.parse import urlsplit

import httpx

from czscie.errors import Code, CzscieError
from czscie.network.network import Network
from czscie.network.retry import Transient
from czscie.network.tls import refusal
from czscie.network.url import proxy_of, without_secrets

_Cause = TypeVar("_Cause", bound=BaseException)

CREDENTIALS_OF_PROXY = "set user and password in HTTPS_PROXY and HTTP_PROXY: http://user:password@proxy:8080"


def explain(error: httpx.HTTPError | httpx.InvalidURL, url: str, network: Network) -> Exception:
    """A Transient for errors that a retry may fix, a CzscieError for all others."""
    host = urlsplit(url).hostname
    proxy = proxy_of(url)
    through = f" through the proxy {proxy}" if proxy else ""
    unreadable = f"cannot read {without_secrets(url)}"
    match error:
        case httpx.TooManyRedirects():
            return CzscieError(unreadable, code=Code.UNREACHABLE, why="it redirects too many times")
        case httpx.ConnectTimeout():
            return Transient(f"no connection to {host}{through} within {network.patience.connect:g} s")
        case httpx.TimeoutException():
            return Transient(f"the server sent nothing for {network.patience.read:g} s")
        case httpx.ProxyError():
            asks = "407" in str(error)
            hint = CREDENTIALS_OF_PROXY if asks else "correct HTTPS_PROXY, or name the host in NO_PROXY"
            return CzscieError(
                f"{unreadable}{through}", code=Code.UNREACHABLE, why=f"the proxy returned {error}", hint=hint
            )
        case httpx.ConnectError():
            refused = _cause(error, ssl.SSLCertVerificationError)
            if refused is not None:
                return refusal(refused, host or "", network.environ)
            broken = _cause(error, ssl.SSLError)
            if broken is not None and not isinstance(broken, ssl.SSLEOFError):
                return CzscieError(
                    f"the TLS handshake with {host} failed",
                    code=Code.TLS_REFUSED,
                    why=broken.reason or str(broken),
                )
            return Transient(f"no connection to {host}{through}: {error}")
        case httpx.UnsupportedProtocol() | httpx.InvalidURL():
            return CzscieError(unreadable, code=Code.UNREACHABLE, why=without_secrets(str(error)))
        case httpx.TransportError():
            return Transient("the connection was lost")
    return CzscieError(unreadable, code=Code.UNREACHABLE, why=type(error).__name__)


def unusable_proxy(error: Exception) -> CzscieError:
    """The environment or the system names a proxy that cannot be used.

    `error` may contain its URL and is not repeated.
    """
    if isinstance(error, ImportError):
        return CzscieError(
            "the proxy that ALL_PROXY or HTTPS_PROXY names is a SOCKS proxy",
            code=Code.NETWORK_SETTING,
            why="the package for SOCKS proxies is not installed",
            hint="pip install 'httpx[socks]'",
        )
    return CzscieError(
        "the proxy that HTTPS_PROXY, HTTP_PROXY or ALL_PROXY names cannot be used",
        code=Code.NETWORK_SETTING,
        why="it is not a URL such as http://proxy:8080",
    )


def _cause(error: BaseException | None, kind: type[_Cause]) -> _Cause | None:
    while error is not None:
        if isinstance(error, kind):
            return error
        error = error.__cause__ or error.__context__
    return None
