"""After a change only the layers that it is in are compressed again, to the image of a first build."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest

from building import Project
from czex.factories import write_zip
from czscie import api
from czscie.container.content import File, Link
from czscie.image import layers
from czscie.image.build import ImageOptions
from czscie.image.layer import LayerDigests, LayerDirectory, write_layer
from image.factories import saved, tar


def make(project: Project, name: str) -> bytes:
    path = project.directory / name
    api.image(project.directory / "lift.toml", ImageOptions.parse(path, None, "moo", ()))
    return path.read_bytes()


def change(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    write_zip(path, {**entries, "moo.py": entries["moo.py"] + b"# changed\n"})


def test_a_change_of_the_application_compresses_its_layer_alone(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compressed: list[list[str]] = []

    def write(items: Iterable[File | Link | LayerDirectory], path: Path) -> LayerDigests:
        found = [*items]
        compressed.append([item.path for item in found])
        return write_layer(found, path)

    monkeypatch.setattr(layers, "write_layer", write)
    (project.directory / "base.tar").write_bytes(saved({"layer.tar": tar({"etc/a": b"a"})}, config={}))
    project.manifest(lift='image = { base = ["base.tar"] }')
    make(project, "first.tar")
    assert len(compressed) == 4  # the interpreter, the dependencies, the commands, the application
    compressed.clear()
    change(project.directory / "moo.pex")
    cached = make(project, "cached.tar")
    [application] = compressed
    assert any(path.endswith("/moo.py") for path in application)
    assert not any(path.endswith("/cow.py") for path in application)
    cache = tmp_path / "cache"
    for kind in ("packed", "known"):
        (cache / kind).rename(cache / f"{kind} of before")
    assert make(project, "fresh.tar") == cached
