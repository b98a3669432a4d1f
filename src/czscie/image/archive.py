"""Images written for engines: a layout directory, and a tar that is a layout and a docker-archive at once.

The layout is https://github.com/opencontainers/image-spec/blob/main/image-layout.md; `podman load`, skopeo
and Docker with containerd's store read it. Docker's own store reads `manifest.json`, which is as `docker
save` writes it and names the same blobs. So one tar has each layer once.
"""

from __future__ import annotations

import shutil
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, cast

import msgspec

from czscie.disk import writing
from czscie.errors import Code, CzscieError
from czscie.filesystem import clearing_up, umask, write_atomically
from czscie.image.blob import Blob
from czscie.image.image import ContainerImage
from czscie.image.layer import TIME
from czscie.image.manifest import INDEX, Descriptor, Index, render
from czscie.lift.image_reference import ImageReference

_LAYOUT = b'{"imageLayoutVersion":"1.0.0"}'
_REFERENCE = "org.opencontainers.image.ref.name"
#: The whole reference, as BuildKit writes it: podman and containerd read it first.
_WHOLE_REFERENCE = "io.containerd.image.name"


class _DockerImage(msgspec.Struct, frozen=True, rename="pascal"):
    """A member of `manifest.json`. The paths are those of members of the archive."""

    config: str
    repo_tags: tuple[str, ...]
    layers: tuple[str, ...]


def write_archive(images: Sequence[ContainerImage], reference: ImageReference, path: Path) -> None:
    """Writes `images`, which are of different platforms, to the tar `path`, called `reference`.

    Where a name can be but one image's, which is what Docker's own store knows, it is that of the first; the
    others have the architecture at the end of their tags.
    """

    def write(file: BinaryIO) -> None:
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for name, blob in _members(images, reference):
                _add(tar, name, blob)
            docker = msgspec.json.encode(_docker_images(images, reference))
            _add(tar, "manifest.json", Blob.of("", docker))

    size = sum(blob.size for _, blob in _members(images, reference))
    write_atomically(path, write, size, mode=0o666)


def write_layout(images: Sequence[ContainerImage], reference: ImageReference, directory: Path) -> None:
    """Writes `images`, which are of different platforms, to the new or empty `directory`.

    Raises CzscieError when the directory has other content.
    """
    if directory.exists() and any(directory.iterdir()) and not (directory / "oci-layout").is_file():
        raise CzscieError(
            f"{directory} is not empty", code=Code.OUTPUT_EXISTS, hint="name a new directory: --oci DIR"
        )
    with clearing_up(directory.parent):
        directory.parent.mkdir(parents=True, exist_ok=True)
        _write_and_rename(images, reference, directory)


def _write_and_rename(images: Sequence[ContainerImage], reference: ImageReference, directory: Path) -> None:
    temporary = Path(tempfile.mkdtemp(dir=directory.parent, prefix=f".{directory.name}."))
    try:
        temporary.chmod(0o777 & ~umask())
        for name, blob in _members(images, reference):
            target = temporary / name
            with writing(directory / name, blob.size):
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("wb") as out, blob.checked() as stream:
                    shutil.copyfileobj(stream, out)
        if directory.exists():
            shutil.rmtree(directory)
        temporary.replace(directory)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _members(images: Sequence[ContainerImage], reference: ImageReference) -> Iterator[tuple[str, Blob]]:
    """The files of the layout, by their paths; each blob once."""
    yield "oci-layout", Blob.of("", _LAYOUT)
    descriptors = [Descriptor.of(image.manifest, image.platform) for image in images]
    blobs = [blob for image in images for blob in image.blobs]
    if len(images) > 1:
        index = Blob.of(INDEX, render(Index(manifests=tuple(descriptors))))
        blobs.append(index)
        descriptors = [Descriptor.of(index)]
    names = {_REFERENCE: reference.tag, _WHOLE_REFERENCE: reference.familiar}
    top = Index(manifests=(msgspec.structs.replace(descriptors[0], annotations=names),))
    yield "index.json", Blob.of(INDEX, render(top))
    for blob in {blob.digest: blob for blob in blobs}.values():
        yield _path(blob), blob


def _docker_images(images: Sequence[ContainerImage], reference: ImageReference) -> list[_DockerImage]:
    return [
        _DockerImage(
            _path(image.configuration),
            ((reference if image is images[0] else reference.on(image.platform.architecture)).text,),
            tuple(_path(layer.blob) for layer in image.layers),
        )
        for image in images
    ]


def _path(blob: Blob) -> str:
    return f"blobs/sha256/{blob.digest}"


def _add(tar: tarfile.TarFile, name: str, blob: Blob) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = blob.size, TIME, 0o644
    with blob.checked() as stream:
        tar.addfile(info, cast("BinaryIO", stream))
