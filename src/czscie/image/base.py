"""Reads the base image from an archive of `docker save`, of podman or of an OCI layout.

Nothing is unpacked. The archive is untrusted: digests are checked.
"""

from __future__ import annotations

import gzip
import posixpath
import tarfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import msgspec

from czscie.build_cache import key_of, product
from czscie.container.tree import TAR_DAMAGE
from czscie.documents import DocumentError, decode_json
from czscie.errors import Code, CzscieError
from czscie.filesystem import pieces, sha256_of
from czscie.image.blob import Blob
from czscie.image.image import Base
from czscie.image.layer import MEDIA_TYPE, Layer, LayerDigests, compress_layer
from czscie.image.manifest import INDEXES, MANIFESTS, Configuration, Descriptor, ImageManifest, Index
from czscie.image.platform import ImagePlatform

_Document = TypeVar("_Document")
_Layer = TypeVar("_Layer")
_Found = TypeVar("_Found")

_COMMENT = "of the base image"
#: Documents are read whole; this is a hundred times what large ones have.
_DOCUMENT_MAX = 16 << 20
#: What `docker save` and BuildKit write is an index in an index.
_DEPTH = 4
_LINKS = 4


def read_base(archives: Sequence[Path], platform: ImagePlatform) -> Base:
    """The image for `platform` in the first of `archives` that has one. Raises CzscieError."""
    return _find(archives, platform, lambda configuration, layers: Base(configuration, tuple(layers)))


def check_base(archives: Sequence[Path], platform: ImagePlatform) -> None:
    """Raises CzscieError when none of `archives` has an image for `platform`. Reads no layers."""
    _find(archives, platform, lambda _configuration, _layers: None)


def _find(
    archives: Sequence[Path],
    platform: ImagePlatform,
    read: Callable[[Configuration, Iterator[Layer]], _Found],
) -> _Found:
    found: list[str] = []
    for path in archives:
        try:
            with tarfile.open(path, "r:") as tar:
                members = {member.name.removeprefix("./"): member for member in tar}
            for configuration, layers in _Archive(path, members).images():
                if configuration.platform.serves(platform):
                    return read(configuration, layers)
                found.append(configuration.platform.name)
        except OSError as error:
            raise CzscieError(
                f"cannot read the base image {path}",
                code=Code.FILE_UNREADABLE,
                why=error.strerror or str(error),
            ) from error
        except TAR_DAMAGE as error:
            raise CzscieError(
                f"{path} is not an image archive",
                code=Code.BASE_IMAGE,
                why=str(error),
                hint="save one: docker save -o IMAGE.tar NAME (and decompress it if it is compressed)",
            ) from error
    raise CzscieError(
        f"there is no base image for {platform.name}",
        code=Code.BASE_IMAGE,
        why=f"the base images are for: {', '.join(dict.fromkeys(found))}"
        if found
        else "no base image has a platform",
        hint=f"save one: docker pull --platform {platform.name} NAME; docker save -o IMAGE.tar NAME",
    )


class _DockerImage(msgspec.Struct, frozen=True, rename="pascal"):
    """A member of `manifest.json`: the paths of members of the archive."""

    config: str
    layers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Archive:
    """A tar; `members` are by their names."""

    path: Path
    members: dict[str, tarfile.TarInfo]

    def images(self) -> Iterator[tuple[Configuration, Iterator[Layer]]]:
        """The configurations of the archive's images, each with its layers, which are read when asked for."""
        if "index.json" in self.members:
            for manifest in self._manifests(self._read("index.json", Index), _DEPTH):
                configuration = self._document(manifest.config, Configuration)
                yield configuration, self._layers(manifest, configuration)
        elif "manifest.json" in self.members:
            for image in self._read("manifest.json", list[_DockerImage]):
                configuration = self._read(image.config, Configuration)
                yield configuration, self._docker_layers(image, configuration)
        else:
            raise self._refusal("it has neither index.json nor manifest.json")

    def _manifests(self, index: Index, depth: int) -> Iterator[ImageManifest]:
        """The manifests of `index` and of the indexes in it, as far as the archive has them."""
        for descriptor in index.manifests:
            here = _path(descriptor) in self.members
            if here and descriptor.media_type in MANIFESTS and not _is_attestation(descriptor):
                yield self._document(descriptor, ImageManifest)
            elif here and descriptor.media_type in INDEXES and depth > 0:
                yield from self._manifests(self._document(descriptor, Index), depth - 1)

    def _layers(self, manifest: ImageManifest, configuration: Configuration) -> Iterator[Layer]:
        for descriptor, diff_id in self._pairs(manifest.layers, configuration):
            blob = self._blob(descriptor)
            if not blob.is_intact():
                raise self._refusal(f"its {descriptor.digest} is damaged")
            yield Layer(blob, diff_id, _COMMENT)

    def _docker_layers(self, image: _DockerImage, configuration: Configuration) -> Iterator[Layer]:
        for name, diff_id in self._pairs(image.layers, configuration):
            yield self._docker_layer(self._member(name), diff_id)

    def _docker_layer(self, blob: Blob, diff_id: str) -> Layer:
        """A layer whose file is a tar, compressed or not; it is known by the SHA-256 of the tar."""
        digest = sha256_of(blob.chunks())
        if digest == diff_id:
            made = product(
                key_of("base layer", diff_id),
                ".tar.gz",
                LayerDigests,
                lambda path: compress_layer(blob.chunks(), path),
            )
            return Layer.written(made.path, made.known, _COMMENT)
        try:
            with blob.open() as file, gzip.open(file) as tar:
                found = sha256_of(pieces(tar))
        except (OSError, EOFError, zlib.error) as error:
            raise self._refusal(f"its layer {diff_id} cannot be read: {error}") from error
        if found != diff_id:
            raise self._refusal(f"its layer {diff_id} is damaged")
        return Layer(replace(blob, media_type=MEDIA_TYPE, digest=digest), diff_id, _COMMENT)

    def _pairs(self, layers: Sequence[_Layer], configuration: Configuration) -> Iterator[tuple[_Layer, str]]:
        """Each layer with the SHA-256 of its tar."""
        diff_ids = [each.removeprefix("sha256:") for each in configuration.rootfs.diff_ids]
        if len(diff_ids) != len(layers):
            raise self._refusal("its manifest and its configuration do not have the same layers")
        yield from zip(layers, diff_ids, strict=True)

    def _document(self, descriptor: Descriptor, kind: type[_Document]) -> _Document:
        blob = self._blob(descriptor)
        if not blob.is_intact():
            raise self._refusal(f"its {descriptor.digest} is damaged")
        return self._decoded(blob, kind)

    def _read(self, name: str, kind: type[_Document]) -> _Document:
        return self._decoded(self._member(name), kind)

    def _decoded(self, blob: Blob, kind: type[_Document]) -> _Document:
        if blob.size > _DOCUMENT_MAX:
            raise self._refusal(f"a document in it has {blob.size} bytes")
        try:
            return decode_json(b"".join(blob.chunks()), kind)
        except DocumentError as error:
            raise self._refusal(f"a document in it is invalid: {error}") from error

    def _blob(self, descriptor: Descriptor) -> Blob:
        found = self._member(_path(descriptor))
        return replace(
            found, media_type=descriptor.media_type, digest=descriptor.digest.removeprefix("sha256:")
        )

    def _member(self, name: str) -> Blob:
        """A file of the archive, its digest not known. `docker save` links layers that are equal."""
        member = self.members.get(name)
        for _ in range(_LINKS):
            if member is None or not (member.issym() or member.islnk()):
                break
            beside = posixpath.dirname(member.name) if member.issym() else ""
            member = self.members.get(posixpath.normpath(posixpath.join(beside, member.linkname)))
        if member is None or not member.isfile():
            raise self._refusal(f"it has no {name[:200]}")
        if not 0 <= member.size <= self.path.stat().st_size - member.offset_data:
            raise self._refusal(f"it ends before its {name[:200]} does")
        return Blob("", "", member.size, self.path, member.offset_data)

    def _refusal(self, why: str) -> CzscieError:
        return CzscieError(
            f"the base image {self.path} cannot be used", code=Code.BASE_IMAGE, why=why, hint="save it again"
        )


def _path(descriptor: Descriptor) -> str:
    return f"blobs/{descriptor.digest.replace(':', '/')}"


def _is_attestation(descriptor: Descriptor) -> bool:
    """Whether it says how an image was built, as BuildKit does for a platform that does not exist."""
    return descriptor.platform is not None and descriptor.platform.os == "unknown"
