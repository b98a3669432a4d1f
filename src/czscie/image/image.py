"""An image of one platform: layers, configuration, and the manifest of both."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from czscie.image import manifest as documents
from czscie.image.blob import Blob
from czscie.image.layer import TIME, Layer
from czscie.image.manifest import Configuration, Descriptor, History, ImageManifest, RootFs
from czscie.image.platform import ImagePlatform

#: RFC 3339, as the specification asks.
CREATED = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(TIME))


@dataclass(frozen=True, slots=True)
class ContainerImage:
    """`layers` begin with those of the base image."""

    platform: ImagePlatform
    configuration: Blob
    layers: tuple[Layer, ...]
    manifest: Blob

    @property
    def blobs(self) -> tuple[Blob, ...]:
        return (self.manifest, self.configuration, *(layer.blob for layer in self.layers))

    @property
    def size(self) -> int:
        """The bytes of it that a registry stores."""
        return sum(blob.size for blob in self.blobs)


@dataclass(frozen=True, slots=True)
class Base:
    """A base image, without its manifest."""

    configuration: Configuration
    layers: tuple[Layer, ...]


def scratch(platform: ImagePlatform) -> Base:
    """The empty base image."""
    configuration = Configuration(
        architecture=platform.architecture, os=platform.os, variant=platform.variant, rootfs=RootFs()
    )
    return Base(configuration, ())


def compose(
    base: Base, layers: Sequence[Layer], settings: Mapping[str, object], annotations: Mapping[str, str]
) -> ContainerImage:
    """The image of `layers` on `base`. `settings` override those of the base by name; None removes one."""
    below = base.configuration
    every = (*base.layers, *layers)
    configuration = Configuration(
        architecture=below.architecture,
        os=below.os,
        variant=below.variant,
        created=CREATED,
        config={name: value for name, value in {**below.config, **settings}.items() if value is not None},
        rootfs=RootFs(diff_ids=tuple(f"sha256:{layer.diff_id}" for layer in every)),
        history=(
            *below.history,
            *(History(CREATED, "czscie image", comment=layer.comment) for layer in layers),
        ),
    )
    blob = Blob.of(documents.CONFIGURATION, documents.render(configuration))
    manifest = ImageManifest(
        config=Descriptor.of(blob),
        layers=tuple(Descriptor.of(layer.blob) for layer in every),
        annotations=dict(annotations),
    )
    return ContainerImage(
        configuration.platform, blob, every, Blob.of(documents.MANIFEST, documents.render(manifest))
    )
