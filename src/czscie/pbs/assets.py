"""The names of python-build-standalone's assets, as its release process writes them since release 20220227.

    cpython-3.13.9+20251014-x86_64-unknown-linux-gnu-install_only_stripped.tar.gz
            version  release triple                  flavor

Triples hold hyphens and so do flavors, so a name can only be read with the closed list of triples, longest
first: `freethreaded-install_only_stripped` ends in `-install_only_stripped` as well.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

from packaging.version import Version

from czscie.errors import Code, CzscieError

#: Every triple that a release since 20220227 holds or held.
TRIPLES: tuple[str, ...] = tuple(
    sorted(
        (
            "aarch64-apple-darwin",
            "aarch64-pc-windows-msvc",
            "aarch64-unknown-linux-gnu",
            "aarch64-unknown-linux-musl",
            "armv7-unknown-linux-gnueabi",
            "armv7-unknown-linux-gnueabihf",
            "i686-pc-windows-msvc",
            "i686-pc-windows-msvc-shared",
            "i686-pc-windows-msvc-static",
            "i686-unknown-linux-gnu",
            "ppc64le-unknown-linux-gnu",
            "riscv64-unknown-linux-gnu",
            "s390x-unknown-linux-gnu",
            "x86_64-apple-darwin",
            "x86_64-pc-windows-msvc",
            "x86_64-pc-windows-msvc-shared",
            "x86_64-pc-windows-msvc-static",
            "x86_64-unknown-linux-gnu",
            "x86_64-unknown-linux-musl",
            "x86_64_v2-unknown-linux-gnu",
            "x86_64_v2-unknown-linux-musl",
            "x86_64_v3-unknown-linux-gnu",
            "x86_64_v3-unknown-linux-musl",
            "x86_64_v4-unknown-linux-gnu",
            "x86_64_v4-unknown-linux-musl",
        ),
        key=lambda triple: (-len(triple), triple),
    )
)

INSTALL_ONLY = "install_only"
INSTALL_ONLY_STRIPPED = "install_only_stripped"
FREE_THREADED = "freethreaded"

_FLAVOR = re.compile(
    r"(freethreaded-)?install_only(_stripped)?"
    r"|(freethreaded\+)?(debug|noopt|lto|pgo|pgo\+lto)(\+static)?-full"
)
_NAME = re.compile(
    r"cpython-(?P<version>\d+\.\d+\.\d+(?:(?:a|b|rc)\d+)?)\+(?P<release>\d{8})"
    rf"-(?P<triple>{'|'.join(map(re.escape, TRIPLES))})"
    rf"-(?P<flavor>{_FLAVOR.pattern})(?P<suffix>\.tar\.gz|\.tar\.zst)"
)


@dataclass(frozen=True, slots=True)
class Asset:
    """One archive of a release: `version` is CPython's (`3.15.0rc1`), `release` the date that tags it."""

    version: str
    release: str
    triple: str
    flavor: str

    @classmethod
    def parse(cls, name: str) -> Asset:
        """Read an asset's name, its `+` written as such or as `%2B`. Raises CzscieError on any other name."""
        match = _NAME.fullmatch(unquote(name))
        if match is None:
            raise CzscieError(
                f"{name!r} is not the name of a python-build-standalone asset", code=Code.RELEASES_UNREADABLE
            )
        asset = cls(match["version"], match["release"], match["triple"], match["flavor"])
        if not asset.name.endswith(match["suffix"]):
            raise CzscieError(
                f"{name!r} is not the name of a python-build-standalone asset",
                code=Code.RELEASES_UNREADABLE,
                why=f"{asset.flavor} comes as {asset.suffix}",
            )
        return asset

    @property
    def name(self) -> str:
        """The file name, with a plain `+`."""
        return f"cpython-{self.version}+{self.release}-{self.triple}-{self.flavor}{self.suffix}"

    @property
    def url_name(self) -> str:
        """The file name as it stands in a URL: `%2B` for `+`."""
        return quote(self.name, safe="")

    @property
    def suffix(self) -> str:
        return ".tar.zst" if self.flavor.endswith("-full") else ".tar.gz"

    @property
    def order(self) -> Version:
        """A sort key for versions: `3.9.25` is before `3.13.0rc1`, and that before `3.13.0`."""
        return Version(self.version)

    def __str__(self) -> str:
        """The name in messages: `cpython 3.13.9+20251014 x86_64-unknown-linux-gnu install_only_stripped`."""
        return f"cpython {self.version}+{self.release} {self.triple} {self.flavor}"


def is_flavor(text: str) -> bool:
    """Whether `text` is a flavor that the grammar knows."""
    return _FLAVOR.fullmatch(text) is not None
