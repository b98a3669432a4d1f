"""The layers of an image for each kind of payload: a change of the application moves nothing else."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from building import Project
from czex.factories import metadata, record, write_zip
from czscie.console import Console
from czscie.image.build import ImageOptions, make_images
from czscie.session import Session
from image.factories import AMD64, saved, tar
from integration.czex.conftest import pex_environment
from lock.wheelhouse import project_directory

__all__ = ("pex_environment",)

PROGRAM = "import cow\ndef main(): print(cow.SAYS)\n"
SCRIPT = '# /// script\n# dependencies = ["cow"]\n# ///\nimport cow\nprint(cow.SAYS)\n'
PYLOCK = """\
lock-version = "1.0"
created-by = "test"
[[packages]]
name = "calf"
version = "1.0"
directory = { path = "calf" }
[[packages]]
name = "cow"
version = "1.0"
wheels = [{ name = "cow-1.0-py3-none-any.whl", path = "WHEEL", hashes = { sha256 = "DIGEST" } }]
"""


@pytest.fixture
def wheels(tmp_path: Path, pex_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only directory that pip takes wheels from: cow, which has a module."""
    directory = tmp_path / "index"
    directory.mkdir()
    files = {**metadata("cow"), "cow.py": b"SAYS = 'moo'\n"}
    path = "cow-1.0.dist-info/RECORD"
    write_zip(directory / "cow-1.0-py3-none-any.whl", {**files, path: record(files, path)})
    monkeypatch.setenv("PEX_ROOT", pex_environment["PEX_ROOT"])
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(directory))
    return directory


@pytest.fixture
def calf(project: Project) -> Path:
    """A project that requires cow."""
    return project_directory(project.directory / "calf", PROGRAM, ["cow"])


def layers(project: Project) -> dict[str, str]:
    """The digests of the image's layers by what they are."""
    order = ImageOptions.parse(project.directory / "image.tar", None, None, ())
    [image] = make_images(project.directory / "lift.toml", [], order, Session.of(Console())).images
    return {layer.comment.partition(":")[0]: layer.blob.digest for layer in image.layers}


@pytest.mark.parametrize(
    ("payload", "changed"),
    [
        ('project = "calf"', "calf/calf.py"),
        ('requirements = ["calf @ {directory}/calf", "cow"]', "calf/calf.py"),
        ('requirements = ["cow", "calf @ {directory}/calf"]\nentry_point = "cow"', "calf/calf.py"),
        ('lock = "pylock.toml"\nentry_point = "calf"', "calf/calf.py"),
        ('requirements = ["cow"]\nsources = ["app.py"]', "app.py"),
        ('script = "tool.py"', "tool.py"),
    ],
    ids=["project", "directory", "directory beside the entry point", "lock", "sources", "script"],
)
def test_a_change_of_the_application_changes_its_layer_and_no_other(
    project: Project, wheels: Path, calf: Path, payload: str, changed: str
) -> None:
    directory = project.directory
    cow = wheels / "cow-1.0-py3-none-any.whl"
    digest = hashlib.sha256(cow.read_bytes()).hexdigest()
    (directory / "pylock.toml").write_text(PYLOCK.replace("WHEEL", str(cow)).replace("DIGEST", digest))
    (directory / "app.py").write_text(PROGRAM)
    (directory / "tool.py").write_text(SCRIPT)
    (directory / "base.tar").write_bytes(
        saved({"layer.tar": tar({"etc/base": b""})}, platform=AMD64, config={})
    )
    project.manifest(
        payload=payload.format(directory=directory.as_uri()), lift='image = { base = ["base.tar"] }'
    )
    before = layers(project)
    with (directory / changed).open("a") as file:
        file.write("CHANGED = True\n")
    after = layers(project)
    assert "dependencies" in before
    assert {name for name in before if before[name] != after[name]} == {"application"}
