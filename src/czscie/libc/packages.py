"""The Debian packages of C libraries: a table of digests that is part of czscie.

The digests were copied from Debian's index, whose signature apt had verified, when the table was made
(`python -m e2e.debian`). So no download needs to be trusted, wherever it comes from.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec

from czscie.documents import DocumentError, decode_json
from czscie.errors import Code, CzscieError
from czscie.platforms import Platform

if TYPE_CHECKING:
    from czscie.console import Console
    from czscie.lift.libc import Libc
    from czscie.network.network import Network
    from czscie.network.remote import Remote

#: Names mirrors of Debian, with spaces between them: https, http or file URLs of directories with `pool/`.
MIRROR = "CZSCIE_DEBIAN_URL"
_SCHEMES = ("https", "http", "file")
#: What Debian itself serves: the newest version of each package.
_NEWEST = "https://deb.debian.org/debian"

#: What Debian calls the architectures of platforms, and how its directories of libraries are called.
ARCHITECTURES = {
    "x86_64": ("amd64", "x86_64-linux-gnu"),
    "aarch64": ("arm64", "aarch64-linux-gnu"),
    "armv7l": ("armhf", "arm-linux-gnueabihf"),
    "powerpc64": ("ppc64el", "powerpc64le-linux-gnu"),
    "riscv64": ("riscv64", "riscv64-linux-gnu"),
    "s390x": ("s390x", "s390x-linux-gnu"),
}

#: SPDX expressions of what is taken from each package (its copyright file has the texts).
_LICENCES = {
    "libc6": "LGPL-2.1-or-later",
    "libc-bin": "LGPL-2.1-or-later",
    "libcrypt1": "LGPL-2.1-or-later",
    "musl": "MIT",
}
_OF_GCC = "GPL-3.0-or-later WITH GCC-exception-3.1"


class PinnedPackage(msgspec.Struct, frozen=True, kw_only=True):
    """One `.deb`. `path` is below the mirror's root, `size` in bytes, `sha256` of the file."""

    name: str
    version: str
    architecture: str
    source: str
    path: str
    size: int
    sha256: str

    @property
    def file_name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def licence(self) -> str:
        """An SPDX licence expression of the libraries in it."""
        return _LICENCES.get(self.name, _OF_GCC)

    @property
    def package_url(self) -> str:
        """Its purl (https://github.com/package-url/purl-spec)."""
        return f"pkg:deb/debian/{self.name}@{quote(self.version, safe='')}?arch={self.architecture}"


class PackageTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`release` is for people; `url` is a mirror that keeps these very files.

    `others` are mirrors that have them as long as they are Debian's newest. `named` are the mirrors of the
    manifest, in place of all these.
    """

    release: str
    url: str
    packages: tuple[PinnedPackage, ...]
    others: tuple[str, ...] = ()
    named: tuple[str, ...] = ()

    @classmethod
    def of(cls, settings: Libc) -> PackageTable:
        """The table that `lift.libc` names, or czscie's own. Raises CzscieError when it is unreadable."""
        table = cls.builtin() if settings.packages is None else cls.read(settings.packages)
        return msgspec.structs.replace(table, named=settings.base_url)

    @classmethod
    def builtin(cls) -> PackageTable:
        """The table of this version of czscie."""
        return msgspec.structs.replace(cls.parse(builtin_table(), "debian.json"), others=(_NEWEST,))

    @classmethod
    def read(cls, path: Path) -> PackageTable:
        """Raises CzscieError when `path` is not a valid table."""
        try:
            return cls.parse(path.read_bytes(), str(path))
        except OSError as error:
            raise CzscieError(
                f"cannot read {path}", code=Code.FILE_UNREADABLE, why=error.strerror or str(error)
            ) from error

    @classmethod
    def parse(cls, text: bytes, label: str) -> PackageTable:
        try:
            return decode_json(text, cls)
        except DocumentError as error:
            raise CzscieError(
                f"{label} is not a table of Debian packages", code=Code.LIBC_UNAVAILABLE, why=str(error)
            ) from error

    def find(self, name: str, platform: Platform) -> PinnedPackage:
        """The package `name` for `platform`. Raises CzscieError when the table has none."""
        architecture = ARCHITECTURES[platform.arch][0]
        for package in self.packages:
            if (package.name, package.architecture) == (name, architecture):
                return package
        raise CzscieError(
            f"there is no C library to bundle for {platform.name}",
            code=Code.LIBC_UNAVAILABLE,
            why=f"{self.release} has no {name} for {architecture}",
            hint='set bundle = "never" in [lift.libc]',
        )

    def remote(self, package: PinnedPackage, environ: Mapping[str, str] = os.environ) -> Remote:
        """The file of `package` on the mirrors. Raises CzscieError when one that is set is not a URL."""
        from czscie.network.remote import Remote
        from czscie.network.url import scheme, without_secrets

        bases = self.named or tuple(environ.get(MIRROR, "").split()) or (self.url, *self.others)
        for base in bases:
            if scheme(base) not in _SCHEMES:
                raise CzscieError(
                    f"{MIRROR} is {without_secrets(base)!r}, which is not the URL of a mirror",
                    code=Code.NETWORK_SETTING,
                    why="it must begin with https://, http:// or file://",
                )
        # Mirrors on disk may have the name with its + and ~ as they are or escaped.
        paths = dict.fromkeys((quote(package.path), package.path))
        urls = tuple(f"{base.rstrip('/')}/{path}" for base in bases for path in paths)
        hint = f"name a mirror of Debian that has it: {MIRROR}, or base_url in [lift.libc]"
        return Remote(package.file_name, package.sha256, urls, package.size, kind="debian", hint=hint)


def builtin_table() -> bytes:
    """The text of the table of this version of czscie."""
    return resources.files(__package__).joinpath("debian.json").read_bytes()


def fetch_packages(
    table: PackageTable,
    packages: tuple[PinnedPackage, ...],
    network: Network,
    console: Console | None = None,
) -> dict[str, Path]:
    """The paths of the verified `packages`, by name; missing ones are downloaded.

    Raises CzscieError when one is unavailable.
    """
    from czscie.network.fetch import fetch

    paths = fetch([table.remote(package) for package in packages], network, console)
    return {package.name: path for package, path in zip(packages, paths, strict=True)}
