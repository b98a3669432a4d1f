"""The archives that `czscie image` writes, read and laid out as directories with nothing but tar."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Archive:
    """What `docker load` reads of it."""

    path: Path

    def configuration(self, architecture: str) -> dict[str, Any]:
        """What the image for `architecture` (`amd64`) says of how it is run."""
        found: dict[str, Any] = self._image(architecture)[0]["config"]
        return found

    def layers(self, architecture: str) -> dict[str, tuple[str, int]]:
        """Digest and size of each layer, by what its history calls it: `application`."""
        document, blobs = self._image(architecture)
        names = [history["comment"].partition(":")[0] for history in document["history"]]
        with tarfile.open(self.path) as tar:
            sizes = [tar.getmember(blob).size for blob in blobs]
        return {name: (blob, size) for name, blob, size in zip(names, blobs, sizes, strict=True)}

    def lay_out(self, architecture: str, root: Path) -> str:
        """Unpacks the layers, one over the other, into the new directory `root`; returns the entry point."""
        root.mkdir(parents=True)
        for blob in self._image(architecture)[1]:
            with tarfile.open(self.path) as tar:
                data = _read(tar, blob)
            command = ["tar", "--extract", "--gzip", "--preserve-permissions", "--directory", str(root)]
            subprocess.run(command, input=data, check=True)
        entry_point: str = self.configuration(architecture)["Entrypoint"][0]
        return entry_point

    def _image(self, architecture: str) -> tuple[dict[str, Any], list[str]]:
        """The configuration, and the names of the layers in the archive."""
        with tarfile.open(self.path) as tar:
            for image in json.loads(_read(tar, "manifest.json")):
                document = json.loads(_read(tar, image["Config"]))
                if document["architecture"] == architecture:
                    return document, image["Layers"]
        raise KeyError(architecture)


def _read(tar: tarfile.TarFile, name: str) -> bytes:
    return (tar.extractfile(name) or io.BytesIO()).read()
