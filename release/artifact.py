"""The files of a release, and the document that lists them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from czscie import __version__
from czscie.filesystem import path_digest

#: The name of the document. Its fields are those of Artifact, and the version of czscie.
MANIFEST = "dist-manifest.json"


class Artifact(msgspec.Struct, frozen=True):
    """One file: `kind` says what it is, `platform` what an executable is for. `size` is in bytes."""

    name: str
    kind: str
    platform: str | None
    size: int
    sha256: str

    @classmethod
    def of(cls, path: Path, kind: str, platform: str | None = None) -> Artifact:
        return cls(path.name, kind, platform, path.stat().st_size, path_digest(path))


class Release(msgspec.Struct, frozen=True):
    """All files of a release, by name."""

    version: str
    artifacts: tuple[Artifact, ...]

    @classmethod
    def of(cls, artifacts: Sequence[Artifact]) -> Release:
        return cls(__version__, tuple(sorted(artifacts, key=lambda each: each.name)))

    def executables(self) -> dict[str, Artifact]:
        """The executables by platform."""
        return {each.platform: each for each in self.artifacts if each.platform and each.kind == "executable"}

    def write(self, path: Path) -> None:
        path.write_bytes(msgspec.json.format(msgspec.json.encode(self)) + b"\n")
