from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import pytest

from czscie.errors import CzscieError
from czscie.image.archive import write_archive
from czscie.image.base import read_base
from czscie.lift.image_reference import ImageReference
from image.factories import AMD64, ARM64, image, saved, tar

FIRST, SECOND = tar({"etc/first": b"1"}), tar({"etc/second": b"2" * 20_000})


@pytest.fixture(autouse=True)
def _cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CZSCIE_CACHE", str(tmp_path / "cache"))


def archive(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def test_the_layers_of_an_archive_of_docker_save_are_compressed(tmp_path: Path) -> None:
    data = saved({"a/layer.tar": FIRST, "b/layer.tar": SECOND}, config={"Env": ["A=1"]})
    base = read_base([archive(tmp_path / "base.tar", data)], AMD64)
    assert base.configuration.config == {"Env": ["A=1"]}
    assert [gzip.decompress(b"".join(layer.blob.chunks())) for layer in base.layers] == [FIRST, SECOND]
    assert [layer.diff_id for layer in base.layers] == [
        hashlib.sha256(each).hexdigest() for each in (FIRST, SECOND)
    ]
    assert all(layer.blob.is_intact() for layer in base.layers)


def test_layers_that_are_compressed_stay_as_they_are(tmp_path: Path) -> None:
    packed = gzip.compress(FIRST)
    data = saved({"a.tar.gz": packed}, diff_ids=[hashlib.sha256(FIRST).hexdigest()])
    (layer,) = read_base([archive(tmp_path / "base.tar", data)], AMD64).layers
    assert b"".join(layer.blob.chunks()) == packed
    assert layer.blob.is_intact()


def test_a_layer_that_is_a_link_to_another_is_found(tmp_path: Path) -> None:
    digest = hashlib.sha256(FIRST).hexdigest()
    data = saved({"a/layer.tar": FIRST}, links={"b/layer.tar": "../a/layer.tar"}, diff_ids=[digest, digest])
    base = read_base([archive(tmp_path / "base.tar", data)], AMD64)
    assert [layer.diff_id for layer in base.layers] == [digest, digest]


def test_the_image_of_the_platform_is_taken_from_a_layout(tmp_path: Path) -> None:
    images = [image(tmp_path, AMD64), image(tmp_path, ARM64)]
    write_archive(images, ImageReference("moo", "1"), tmp_path / "base.tar")
    base = read_base([tmp_path / "base.tar"], ARM64)
    assert base.configuration.architecture == "arm64"
    assert [layer.blob.digest for layer in base.layers] == [layer.blob.digest for layer in images[1].layers]
    assert all(layer.blob.is_intact() for layer in base.layers)


def test_each_platform_may_have_an_archive_of_its_own(tmp_path: Path) -> None:
    arm = archive(tmp_path / "arm.tar", saved({"a": FIRST}, platform=ARM64))
    amd = archive(tmp_path / "amd.tar", saved({"a": SECOND}))
    (layer,) = read_base([arm, amd], AMD64).layers
    assert layer.diff_id == hashlib.sha256(SECOND).hexdigest()


def test_a_platform_without_a_base_is_told_which_there_are(tmp_path: Path) -> None:
    with pytest.raises(CzscieError) as caught:
        read_base([archive(tmp_path / "base.tar", saved({"a": FIRST}))], ARM64)
    assert caught.value.what == "there is no base image for linux/arm64/v8"
    assert caught.value.why == ("the base images are for: linux/amd64",)


def test_what_is_damaged_is_refused(tmp_path: Path) -> None:
    wrong = hashlib.sha256(b"").hexdigest()
    broken = {
        "docker": saved({"a": FIRST}, diff_ids=[wrong]),
        "gzip": saved({"a": gzip.compress(FIRST)}, diff_ids=[wrong]),
        "number": saved({"a": FIRST}, diff_ids=[wrong, wrong]),
        "nothing": tar({"etc/passwd": b""}),
        "nonsense": tar({"manifest.json": b"{}"}),
        "missing": tar({"manifest.json": b'[{"Config":"../x","Layers":[]}]'}),
    }
    for name, data in broken.items():
        with pytest.raises(CzscieError, match="cannot be used"):
            read_base([archive(tmp_path / name, data)], AMD64)


def test_a_blob_that_is_another_is_refused(tmp_path: Path) -> None:
    write_archive([image(tmp_path, shared=b"A" * 64)], ImageReference("moo", "1"), tmp_path / "base.tar")
    data = bytearray((tmp_path / "base.tar").read_bytes())
    manifest = data.index(b'{"annotations":{"title"')
    data[manifest + 16] ^= 1
    with pytest.raises(CzscieError, match="cannot be used"):
        read_base([archive(tmp_path / "other.tar", bytes(data))], AMD64)


def test_what_is_no_archive_is_named(tmp_path: Path) -> None:
    for path in (archive(tmp_path / "text", b"text" * 999), archive(tmp_path / "x.gz", gzip.compress(FIRST))):
        with pytest.raises(CzscieError, match="is not an image archive"):
            read_base([path], AMD64)
    with pytest.raises(CzscieError, match="cannot read the base image"):
        read_base([tmp_path / "missing"], AMD64)
