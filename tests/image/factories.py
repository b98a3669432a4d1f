"""Images made by hand."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from czscie.container.content import Data, File
from czscie.image.image import ContainerImage, compose, scratch
from czscie.image.layer import Layer, write_layer
from czscie.image.platform import ImagePlatform

AMD64 = ImagePlatform("amd64", "linux")
ARM64 = ImagePlatform("arm64", "linux", "v8")


def layer(path: Path, files: Mapping[str, bytes]) -> Layer:
    items = [File(name, Data(data)) for name, data in files.items()]
    return Layer.written(path, write_layer(items, path), "made by hand")


def image(directory: Path, platform: ImagePlatform = AMD64, *, shared: bytes = b"the same") -> ContainerImage:
    """An image of two layers, of which one is the same for every platform."""
    own = layer(directory / f"{platform.architecture}.tar.gz", {"etc/platform": platform.name.encode()})
    other = layer(directory / "shared.tar.gz", {"etc/shared": shared})
    return compose(scratch(platform), [other, own], {"Entrypoint": ["/run"]}, {"title": "moo"})


def tar(files: Mapping[str, bytes], links: Mapping[str, str] | None = None) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for name, target in (links or {}).items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            archive.addfile(info)
    return out.getvalue()


def saved(
    layers: Mapping[str, bytes],
    *,
    platform: ImagePlatform = AMD64,
    config: Mapping[str, Any] | None = None,
    links: Mapping[str, str] | None = None,
    diff_ids: list[str] | None = None,
) -> bytes:
    """What `docker save` of Docker before 25 writes: `layers` are tars by their paths in the archive."""
    paths = [*layers, *(links or {})]
    digests = [hashlib.sha256(layers[path]).hexdigest() for path in layers]
    document = {
        "architecture": platform.architecture,
        "os": "linux",
        "config": config or {},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{each}" for each in diff_ids or digests]},
        "history": [{"created_by": "by hand"} for _ in layers],
    }
    manifest = [{"Config": "config.json", "RepoTags": ["base:1"], "Layers": paths}]
    files = {"manifest.json": json.dumps(manifest).encode(), "config.json": json.dumps(document).encode()}
    return tar({**files, **layers}, links)
