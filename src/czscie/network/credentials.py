"""Credentials for a host, from the URL, the environment or a netrc file, and sent to no other host."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from netrc import NetrcParseError, netrc
from pathlib import Path
from urllib.parse import unquote, urlsplit

from czscie.errors import Code, CzscieError

#: Ours, and science's for compatibility.
PREFIXES = ("CZSCIE_AUTH", "SCIENCE_AUTH")

#: RFC 9110, 5.5: what a field's value may hold.
_VALUE = re.compile(r"[\x21-\x7e]+( [\x21-\x7e]+)*")


@dataclass(frozen=True, slots=True)
class Credential:
    """The value of the `Authorization` field (RFC 7617, RFC 6750), and its origin for messages."""

    authorization: str = field(repr=False)
    origin: str

    @classmethod
    def basic(cls, user: str, password: str, origin: str) -> Credential:
        encoded = base64.b64encode(f"{user}:{password}".encode()).decode()
        return cls(f"Basic {encoded}", origin)

    @classmethod
    def bearer(cls, token: str, origin: str) -> Credential:
        """Raises CzscieError, which does not show the token, when it is invalid."""
        if not _VALUE.fullmatch(token):
            raise CzscieError(
                f"{origin} is not a valid token",
                code=Code.NETWORK_SETTING,
                why="it has a line break or a character that is not ASCII",
            )
        return cls(f"Bearer {token}", origin)


def find_credential(url: str, environ: Mapping[str, str]) -> Credential | None:
    """The first of: user and password in `url`, `CZSCIE_AUTH_<HOST>_…`, `SCIENCE_AUTH_<HOST>_…`, netrc.

    `<HOST>` is the host in capitals with `_` for every character but letters and digits; after it comes
    `BEARER`, or `BASIC_USER` and `BASIC_PASS`. Raises CzscieError when one of those two is missing.
    """
    parts = urlsplit(url)
    if parts.username is not None:
        return Credential.basic(unquote(parts.username), unquote(parts.password or ""), "the URL")
    host = parts.hostname
    if not host:
        return None
    return _of_environment(host, environ) or _of_netrc(host, environ)


def variable_for(url: str) -> str:
    """The beginning of the variables for the host of `url`."""
    return _variable(PREFIXES[0], urlsplit(url).hostname or "")


def _variable(prefix: str, host: str) -> str:
    return f"{prefix}_{re.sub(r'[^A-Z0-9]', '_', host.upper())}"


def _of_environment(host: str, environ: Mapping[str, str]) -> Credential | None:
    for prefix in PREFIXES:
        variable = _variable(prefix, host)
        if token := environ.get(f"{variable}_BEARER", "").strip():
            return Credential.bearer(token, f"{variable}_BEARER")
        if user := environ.get(f"{variable}_BASIC_USER"):
            password = environ.get(f"{variable}_BASIC_PASS")
            if password is None:
                raise CzscieError(
                    f"{variable}_BASIC_USER is set without a password",
                    code=Code.NETWORK_SETTING,
                    hint=f"set {variable}_BASIC_PASS too",
                )
            return Credential.basic(user, password, f"{variable}_BASIC_USER")
    return None


def _of_netrc(host: str, environ: Mapping[str, str]) -> Credential | None:
    path = _netrc(environ)
    if path is None:
        return None
    try:
        found = netrc(path).authenticators(host)
    except NetrcParseError as error:
        # Its message may quote what it did not expect, which may be a password.
        raise CzscieError(
            f"cannot read {path}", code=Code.NETWORK_SETTING, why=f"line {error.lineno} is invalid"
        ) from None
    except (OSError, UnicodeError) as error:
        raise CzscieError(
            f"cannot read {path}",
            code=Code.NETWORK_SETTING,
            why=getattr(error, "strerror", None) or "it is not text",
        ) from None
    return None if found is None else Credential.basic(found[0], found[2] or "", str(path))


def _netrc(environ: Mapping[str, str]) -> Path | None:
    chosen = environ.get("NETRC")
    for name in (chosen,) if chosen else ("~/.netrc", "~/_netrc"):
        with suppress(RuntimeError):  # the system does not know the home directory
            path = Path(name).expanduser()
            if path.is_file():
                return path
    return None
