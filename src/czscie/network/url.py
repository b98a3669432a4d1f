"""URLs without secrets, their origins and proxies."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass, url2pathname

_SECRETS = re.compile(r"(?<=://)[^/@]*@|[?#].*")
_PORTS = {"http": 80, "https": 443}


def without_secrets(url: str) -> str:
    """`url` without user, password, query and fragment, for messages and files."""
    return _SECRETS.sub("", url)


def origin(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port: the scope of a password (RFC 6454)."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or _PORTS.get(parts.scheme)


def scheme(url: str) -> str:
    """`https`, `http`, `file` …; empty for an invalid URL, such as `http://[x`."""
    try:
        parts = urlsplit(url)
        _ = parts.hostname, parts.port
    except ValueError:
        return ""
    return parts.scheme


def is_file(url: str) -> bool:
    """Whether it names a local file, which needs no network."""
    return scheme(url) == "file"


def file_path(url: str) -> Path:
    """The path of the local file that `url` names."""
    return Path(url2pathname(urlsplit(url).path))


def proxy_of(url: str) -> str | None:
    """The proxy for `url` from the environment or the system, without secrets; None without one."""
    scheme, host, _ = origin(url)
    proxies = getproxies()
    proxy = proxies.get(scheme) or proxies.get("all")
    return without_secrets(proxy) if proxy and not proxy_bypass(host) else None
