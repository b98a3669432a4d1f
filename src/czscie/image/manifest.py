"""The documents of an image: configuration, manifest, index.

https://github.com/opencontainers/image-spec: config.md, manifest.md, image-index.md, descriptor.md,
annotations.md. The structs are the schema, for reading (members that are not named are ignored) and writing.
"""

from __future__ import annotations

from typing import Any

import msgspec

from czscie.image.blob import Blob
from czscie.image.platform import ImagePlatform

CONFIGURATION = "application/vnd.oci.image.config.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"

#: What Docker called the same before there was a standard.
MANIFESTS = (MANIFEST, "application/vnd.docker.distribution.manifest.v2+json")
INDEXES = (INDEX, "application/vnd.docker.distribution.manifest.list.v2+json")


class Descriptor(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """Names a blob. `digest` begins with `sha256:`."""

    media_type: str
    digest: str
    size: int
    platform: ImagePlatform | None = None
    annotations: dict[str, str] = {}

    @classmethod
    def of(cls, blob: Blob, platform: ImagePlatform | None = None) -> Descriptor:
        digest = f"sha256:{blob.digest}"
        return cls(media_type=blob.media_type, digest=digest, size=blob.size, platform=platform)


class ImageManifest(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    schema_version: int = 2
    media_type: str = MANIFEST
    config: Descriptor
    layers: tuple[Descriptor, ...]
    annotations: dict[str, str] = {}


class Index(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    schema_version: int = 2
    media_type: str = INDEX
    manifests: tuple[Descriptor, ...]


class RootFs(msgspec.Struct, frozen=True):
    """`diff_ids` are the SHA-256 of the layers' tars, with `sha256:` before each."""

    type: str = "layers"
    diff_ids: tuple[str, ...] = ()


class History(msgspec.Struct, frozen=True, omit_defaults=True):
    """The origin of a layer; an `empty_layer` only changed the configuration."""

    created: str | None = None
    created_by: str | None = None
    author: str | None = None
    comment: str | None = None
    empty_layer: bool = False


class Configuration(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """An image's configuration. `config` are the settings of its processes: Entrypoint, Env, User …, from any
    base.
    """

    architecture: str
    os: str
    variant: str | None = None
    created: str | None = None
    config: dict[str, Any] = {}
    rootfs: RootFs
    history: tuple[History, ...] = ()

    @property
    def platform(self) -> ImagePlatform:
        return ImagePlatform(self.architecture, self.os, self.variant)


def render(document: msgspec.Struct) -> bytes:
    """The document's JSON, its free tables sorted, so that equal documents have equal bytes."""
    return msgspec.json.encode(document, order="sorted")
