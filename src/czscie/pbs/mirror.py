"""The mirrors of python-build-standalone's releases, and the paths of files on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from czscie.errors import Code, CzscieError
from czscie.network.url import is_file, scheme, without_secrets
from czscie.pbs.assets import Asset

OFFICIAL = "https://github.com/astral-sh/python-build-standalone/releases/download"
#: The project stores the tag of its newest release on a branch, so GitHub's API is not needed.
OFFICIAL_LATEST = (
    "https://raw.githubusercontent.com/astral-sh/python-build-standalone/latest-release/latest-release.json"
)
#: The variables that name mirrors: ours, uv's, and that of pbs-installer, which pdm and poetry contain.
VARIABLES = ("CZSCIE_PBS_URL", "UV_PYTHON_INSTALL_MIRROR", "PBS_INSTALLER_BASE_URL")

_SCHEMES = ("https", "http", "file")


@dataclass(frozen=True, slots=True)
class Mirror:
    """A place with releases. `origin` is the setting that names it; `base` may contain a password."""

    base: str
    origin: str

    @property
    def is_official(self) -> bool:
        """Whether it is the project's own place."""
        return self.base == OFFICIAL

    @property
    def is_file(self) -> bool:
        """Whether it is a directory on this machine."""
        return is_file(self.base)

    @property
    def latest(self) -> str:
        """The URL of `latest-release.json`."""
        return OFFICIAL_LATEST if self.is_official else f"{self.base}/latest-release.json"

    def directories(self, release: str) -> tuple[str, ...]:
        """The possible URLs of the files of `release`: the layouts of uv, GitHub and pbs-installer."""
        tagged = f"{self.base}/{release}"
        return (tagged,) if self.is_official else (tagged, self.archives(release), self.base)

    def archives(self, release: str) -> str:
        """The URL of the directory that science puts the archives of `release` into."""
        return f"{self.base}/download/{release}"

    def list_directories(self, release: str | None) -> tuple[str, ...]:
        """The URLs of the directories that can have science's lists of `release`, or of the newest."""
        if self.is_official:
            return ()
        latest = f"{self.base}/latest/download"
        return (latest,) if release is None else (self.archives(release), latest)

    def __str__(self) -> str:
        return f"{without_secrets(self.base)} ({self.origin})"


def find_mirrors(base_urls: Sequence[str], environ: Mapping[str, str]) -> tuple[Mirror, ...]:
    """The mirrors to try, in order. By default GitHub alone.

    The first setting that exists counts: `base_urls` of the manifest, CZSCIE_PBS_URL (several with spaces
    between them), UV_PYTHON_INSTALL_MIRROR, PBS_INSTALLER_BASE_URL. Raises CzscieError when one is not an
    https, http or file URL.
    """
    named = named_mirrors(base_urls, environ, VARIABLES)
    return tuple(Mirror(*each) for each in named) or (Mirror(OFFICIAL, "the default"),)


def named_mirrors(
    base_urls: Sequence[str], environ: Mapping[str, str], variables: Sequence[str]
) -> list[tuple[str, str]]:
    """The URL of each mirror that is named, without a slash at its end, and the setting that names it.

    The first setting that exists counts: `base_urls` of the manifest, then `variables`, each with URLs and
    spaces between them. Raises CzscieError when one is not an https, http or file URL.
    """
    settings = [("base_url", tuple(base_urls))]
    settings += [(variable, tuple(environ.get(variable, "").split())) for variable in variables]
    origin, urls = next(((origin, urls) for origin, urls in settings if urls), ("", ()))
    return [(_checked(url, origin), origin) for url in urls]


def spellings(directory: str, asset: Asset) -> tuple[str, str]:
    """The URLs of `asset`: a mirror may have the `+` of its name as it is, or literally as `%2B`."""
    if is_file(directory):
        return f"{directory}/{asset.url_name}", f"{directory}/{quote(asset.url_name)}"
    return f"{directory}/{asset.url_name}", f"{directory}/{asset.name}"


def _checked(url: str, origin: str) -> str:
    if scheme(url) not in _SCHEMES:
        raise CzscieError(
            f"{origin} is {without_secrets(url)!r}, which is not the URL of a mirror",
            code=Code.NETWORK_SETTING,
            why="it must begin with https://, http:// or file://",
        )
    return url.rstrip("/")
