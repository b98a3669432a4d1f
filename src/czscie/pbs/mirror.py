"""Which server python-build-standalone's releases come from, and where on it their files are."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from czscie.errors import CzscieError
from czscie.network.url import without_secrets

OFFICIAL = "https://github.com/astral-sh/python-build-standalone/releases/download"
#: The project keeps the name of its newest release on a branch of its own, so that nobody needs GitHub's API.
OFFICIAL_LATEST = (
    "https://raw.githubusercontent.com/astral-sh/python-build-standalone/latest-release/latest-release.json"
)
#: The variables that name a mirror: ours, then uv's.
VARIABLES = ("CZSCIE_PBS_URL", "UV_PYTHON_INSTALL_MIRROR")

_SCHEMES = ("https", "http", "file")


@dataclass(frozen=True, slots=True)
class Mirror:
    """A place that holds releases. `origin` says who named it; `base` may hold a password."""

    base: str
    origin: str

    @classmethod
    def find(cls, base_url: str | None, environ: Mapping[str, str] = os.environ) -> Mirror:
        """The first that is there: `base_url` of the manifest, CZSCIE_PBS_URL, UV_PYTHON_INSTALL_MIRROR,
        GitHub.

        Raises CzscieError when it is not an https, http or file URL.
        """
        named = ((base_url, "base_url"), *((environ.get(variable), variable) for variable in VARIABLES))
        for url, origin in named:
            if url:
                if urlsplit(url).scheme not in _SCHEMES:
                    raise CzscieError(
                        f"{origin} is {without_secrets(url)!r}, which is not a URL of a mirror",
                        why="it has to begin with https://, http:// or file://",
                    )
                return cls(url.rstrip("/"), origin)
        return cls(OFFICIAL, "the default")

    @property
    def latest(self) -> str:
        """The URL of `latest-release.json`."""
        return OFFICIAL_LATEST if self.base == OFFICIAL else f"{self.base}/latest-release.json"

    def directories(self, release: str) -> tuple[str, ...]:
        """Where the files of `release` may be: as uv, as GitHub and as pbs-installer lay them out."""
        tagged = f"{self.base}/{release}"
        return (tagged,) if self.base == OFFICIAL else (tagged, f"{self.base}/download/{release}", self.base)

    def __str__(self) -> str:
        return f"{without_secrets(self.base)} ({self.origin})"
