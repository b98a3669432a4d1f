"""The files of a release, and the document that lists them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from czscie import __version__
from czscie.filesystem import path_digest

#: The document that lists the files, for programs; and the one of their digests, for sha256sum.
MANIFEST = "dist-manifest.json"
SUMS = "SHA256SUMS"

#: The kind of executables.
EXECUTABLE = "executable"


class Artifact(msgspec.Struct, frozen=True):
    """One file: `kind` says what it is, `platform` what an executable or its bill is for. `size` is in
    bytes.
    """

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
    def of(cls, artifacts: Iterable[Artifact]) -> Release:
        return cls(__version__, tuple(sorted(artifacts, key=lambda each: each.name)))

    def with_more(self, artifacts: Iterable[Artifact]) -> Release:
        return Release.of([*self.artifacts, *artifacts])

    def executables(self) -> dict[str, Artifact]:
        """The executables by platform."""
        return {each.platform: each for each in self.artifacts if each.platform and each.kind == EXECUTABLE}

    def write(self, out: Path) -> None:
        """Writes the manifest of the release and the digests of all files into `out`."""
        (out / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(self)) + b"\n")
        listed = [*self.artifacts, Artifact.of(out / MANIFEST, "dist-manifest")]
        lines = [f"{each.sha256}  {each.name}\n" for each in sorted(listed, key=lambda each: each.name)]
        (out / SUMS).write_bytes("".join(lines).encode())
