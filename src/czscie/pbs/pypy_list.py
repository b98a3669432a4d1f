"""The lists of archives in mirrors of PyPy that science writes, which stand in for PyPy's own indexes.

    distributions-3.9-v7.3.11.json
                  Python release, or `any` where none was asked for

`science download provider PyPy` writes one for each version and release that it is asked for, beside the
archives (science/providers/pypy.py). It has only the minor versions of Python.
"""

from __future__ import annotations

import re
from typing import Annotated

import msgspec

from czscie.documents import DocumentError, decode_json

_OFFICIAL = "https://downloads.python.org/pypy"
_NAME = re.compile(
    r"pypy(?P<version>\d+\.\d+)-(?P<release>v[^-/\\]+)-(?P<arch>[\w-]+)\.(?P<extension>tar\.bz2|tar\.gz|zip)"
)


class ListedPyPy(msgspec.Struct, frozen=True):
    """An archive: `version` is the minor one of Python, `fingerprint` its SHA-256 in hexadecimal."""

    arch: str
    extension: str
    file_type: str
    fingerprint: Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]
    name: str
    rel_path: str
    release: str
    version: str


class PyPyList(msgspec.Struct, frozen=True):
    """Archives of PyPy. `base_url` is what science downloaded from."""

    assets: tuple[ListedPyPy, ...]
    base_url: str = _OFFICIAL

    @classmethod
    def parse(cls, raw: bytes) -> PyPyList:
        """Raises DocumentError when it is no such list or has a name twice."""
        found = decode_json(raw, cls)
        if len(found.digests) < len(found.assets):
            raise DocumentError("it has a name twice")
        return found

    @property
    def digests(self) -> dict[str, str]:
        """The SHA-256 of each archive, in hexadecimal, by its name."""
        return {each.name: each.fingerprint for each in self.assets}

    def with_archive(self, name: str, digest: str) -> PyPyList:
        """The list with the archive `name`, which is one of PyPy's, and its SHA-256 in hexadecimal."""
        match = _NAME.fullmatch(name)
        assert match is not None
        listed = ListedPyPy(
            file_type=match["extension"], fingerprint=digest, name=name, rel_path=name, **match.groupdict()
        )
        others = (each for each in self.assets if each.name != name)
        assets = sorted((*others, listed), key=lambda each: each.name)
        return PyPyList(tuple(assets), self.base_url)

    def rendered(self) -> bytes:
        return msgspec.json.format(msgspec.json.encode(self), indent=2)


def list_name(version: str, release: str | None) -> str:
    """The name of the list for what a manifest asks for."""
    return f"distributions-{version}-{release or 'any'}.json"
