from __future__ import annotations

import gzip
import hashlib
import io
import json
import stat
import tarfile
from pathlib import Path
from typing import Any

import pytest

from czscie.errors import CzscieError
from czscie.image.archive import write_archive, write_layout
from czscie.lift.image_reference import ImageReference
from image.factories import AMD64, ARM64, image

MOO = ImageReference("team/moo", "1")


def members(path: Path) -> dict[str, bytes]:
    with tarfile.open(path, "r:") as tar:
        names = tar.getnames()
        assert len(names) == len(set(names))
        found = {}
        for name in names:
            file = tar.extractfile(name)
            assert file is not None
            found[name] = file.read()
        return found


def follow(files: dict[str, bytes], descriptor: dict[str, Any]) -> dict[str, Any]:
    """The document that a descriptor names; every digest and size is checked."""
    data = files["blobs/" + descriptor["digest"].replace(":", "/")]
    assert len(data) == descriptor["size"]
    assert f"sha256:{hashlib.sha256(data).hexdigest()}" == descriptor["digest"]
    if "gzip" in descriptor["mediaType"]:
        return {"tar": gzip.decompress(data)}
    document: dict[str, Any] = json.loads(data)
    return document


def test_an_archive_is_a_layout(tmp_path: Path) -> None:
    write_archive([image(tmp_path)], MOO, tmp_path / "moo.tar")
    files = members(tmp_path / "moo.tar")
    assert json.loads(files["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
    (descriptor,) = json.loads(files["index.json"])["manifests"]
    assert descriptor["annotations"] == {
        "io.containerd.image.name": "docker.io/team/moo:1",
        "org.opencontainers.image.ref.name": "1",
    }
    manifest = follow(files, descriptor)
    configuration = follow(files, manifest["config"])
    tars = [follow(files, layer)["tar"] for layer in manifest["layers"]]
    diff_ids = [f"sha256:{hashlib.sha256(tar).hexdigest()}" for tar in tars]
    assert configuration["rootfs"] == {"type": "layers", "diff_ids": diff_ids}
    assert len(configuration["history"]) == len(tars) == 2
    assert configuration["config"] == {"Entrypoint": ["/run"]}
    with tarfile.open(fileobj=io.BytesIO(tars[1])) as tar:
        assert tar.getnames() == ["etc", "etc/platform"]


def test_an_archive_is_what_docker_saves_with_the_same_blobs(tmp_path: Path) -> None:
    write_archive([image(tmp_path)], MOO, tmp_path / "moo.tar")
    files = members(tmp_path / "moo.tar")
    (docker,) = json.loads(files["manifest.json"])
    manifest = follow(files, json.loads(files["index.json"])["manifests"][0])
    assert docker["RepoTags"] == ["team/moo:1"]
    assert [docker["Config"], *docker["Layers"]] == [
        "blobs/" + each["digest"].replace(":", "/") for each in (manifest["config"], *manifest["layers"])
    ]


def test_several_platforms_are_one_index(tmp_path: Path) -> None:
    images = [image(tmp_path, AMD64), image(tmp_path, ARM64)]
    write_archive(images, MOO, tmp_path / "moo.tar")
    files = members(tmp_path / "moo.tar")
    (descriptor,) = json.loads(files["index.json"])["manifests"]
    index = follow(files, descriptor)
    assert [each["platform"] for each in index["manifests"]] == [
        {"architecture": "amd64", "os": "linux"},
        {"architecture": "arm64", "os": "linux", "variant": "v8"},
    ]
    assert [follow(files, each)["config"]["digest"] for each in index["manifests"]] == [
        f"sha256:{image.configuration.digest}" for image in images
    ]
    tags = [each["RepoTags"] for each in json.loads(files["manifest.json"])]
    assert tags == [["team/moo:1"], ["team/moo:1-arm64"]]
    # The layer that both have is there once: oci-layout, two indexes, the docker manifest, and blobs.
    assert len(files) == 4 + 2 + 2 + 3


def test_the_same_images_make_the_same_archive(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        write_archive([image(tmp_path / name)], MOO, tmp_path / f"{name}.tar")
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "other.tar").read_bytes()


def test_a_layout_is_a_directory_that_is_replaced_as_a_whole(tmp_path: Path) -> None:
    layout = tmp_path / "layout"
    write_layout([image(tmp_path)], MOO, layout)
    first = {str(path.relative_to(layout)) for path in layout.rglob("*") if path.is_file()}
    write_archive([image(tmp_path)], MOO, tmp_path / "moo.tar")
    assert first == set(members(tmp_path / "moo.tar")) - {"manifest.json"}
    assert stat.S_IMODE(layout.stat().st_mode) == stat.S_IMODE(tmp_path.stat().st_mode) | 0o055
    write_layout([image(tmp_path, shared=b"another")], MOO, layout)
    second = {str(path.relative_to(layout)) for path in layout.rglob("*") if path.is_file()}
    assert len(second) == len(first) and second != first


def test_what_is_no_layout_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/file").touch()
    with pytest.raises(CzscieError, match="not empty"):
        write_layout([image(tmp_path)], MOO, tmp_path / "mine")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["file"]
