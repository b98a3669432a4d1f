from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from building import Project, pex
from czscie.console import Console
from czscie.errors import CzscieError
from czscie.image.build import BuiltImages, ImageOptions, make_images
from czscie.image.dockerfile import dockerfile
from czscie.lift.manifest import read_manifest
from czscie.platforms import find_platform
from czscie.session import Session
from image.factories import AMD64, ARM64, saved, tar

BASE = 'image = { base = ["base.tar", "arm.tar"]'


@pytest.fixture
def based(project: Project) -> Project:
    """A project with base images."""
    config = {"Env": ["PATH=/bin", "A=1"], "Cmd": ["/bin/sh"], "WorkingDir": "/srv", "Labels": {"base": "1"}}
    for name, platform in (("base.tar", AMD64), ("arm.tar", ARM64)):
        files = {"layer.tar": tar({"etc/platform": platform.name.encode()})}
        (project.directory / name).write_bytes(saved(files, platform=platform, config=config))
    return project


def make(project: Project, *platforms: str, output: str = "moo.tar", name: str | None = None) -> BuiltImages:
    order = ImageOptions.parse(project.directory / output, None, name, ())
    targets = [find_platform(each) for each in platforms]
    return make_images(project.directory / "lift.toml", targets, order, Session.of(Console()))


def configuration(made: BuiltImages, number: int = 0) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(b"".join(made.images[number].configuration.chunks()))
    return document


def layers(made: BuiltImages) -> dict[str, str]:
    """The digests of an image's layers by what they are."""
    return {layer.comment.partition(":")[0]: layer.blob.digest for layer in made.images[0].layers}


def paths(made: BuiltImages, what: str) -> set[str]:
    (layer,) = [layer for layer in made.images[0].layers if layer.comment.partition(":")[0] == what]
    assert isinstance(layer.blob.source, Path)
    with tarfile.open(layer.blob.source) as archive:
        return {member.name for member in archive if not member.isdir()}


def test_the_image_starts_the_default_command_as_nobody_in_particular(based: Project) -> None:
    based.manifest(lift=f'description = "Moo"\n{BASE}, labels = {{ team = "dairy" }}, env = {{ B = "2" }} }}')
    made = make(based)
    config = configuration(made)["config"]
    assert config["Entrypoint"] == ["/app/bin/moo"]
    assert config["User"] == "65532:65532"
    assert config["Env"] == ["PATH=/app/bin:/bin", "A=1", "B=2"]
    assert config["WorkingDir"] == "/srv"
    assert "Cmd" not in config
    assert config["Labels"] == {
        "base": "1",
        "org.opencontainers.image.created": "1980-01-02T00:00:00Z",
        "org.opencontainers.image.description": "Moo",
        "org.opencontainers.image.title": "moo",
        "team": "dairy",
    }
    assert made.reference.text == "moo:latest"


def test_touching_the_application_changes_its_layer_and_no_other(based: Project) -> None:
    based.manifest(lift=f"{BASE} }}")
    first = make(based)
    pex(based.directory / "moo.pex", source="import cow\ndef main(): print(cow.SAYS * 2)\n")
    second = make(based)
    before, after = layers(first), layers(second)
    assert list(before)[1:] == ["interpreter", "dependencies", "commands", "application"]
    assert {what for what in before if before[what] != after[what]} == {"application"}


def test_touching_a_dependency_leaves_the_interpreter(based: Project) -> None:
    based.manifest(lift=f"{BASE} }}")
    first = make(based)
    pex(based.directory / "moo.pex", "MOO")
    second = make(based)
    before, after = layers(first), layers(second)
    assert {what for what in before if before[what] == after[what]} == {"of the base image", "interpreter"}


def test_everything_has_its_layer(based: Project) -> None:
    commands = '[[lift.commands]]\nname = "python"\nexe = "#{cpython:python}"\n'
    files = '[[lift.files]]\nname = "herd.txt"\n'
    (based.directory / "herd.txt").write_text("moo moo")
    based.manifest(lift=f'{BASE}, directory = "/opt/moo" }}', rest=commands + files)
    made = make(based)
    assert paths(made, "commands") == {
        "opt/moo/czscie-installation",
        "opt/moo/bin/moo",
        "opt/moo/bin/python",
    }
    (herd,) = paths(made, "files")
    assert herd.startswith("opt/moo/files/") and herd.endswith("/herd.txt")
    assert all(path.startswith("opt/moo/interpreters/") for path in paths(made, "interpreter"))
    assert "opt/moo/moo.cdx.json" in paths(made, "application")
    application = paths(made, "application") - {"opt/moo/moo.cdx.json"}
    (environment,) = {path.split("/")[3] for path in application | paths(made, "dependencies")}
    own = {path.removeprefix(f"opt/moo/apps/{environment}/") for path in application}
    assert {"__main__.py", "pyvenv.cfg", "bin/python", "lib/python3.13/site-packages/moo.py"} <= own
    others = {path.rpartition("/")[2] for path in paths(made, "dependencies")}
    assert "cow.py" in others and not others & {path.rpartition("/")[2] for path in own}


def test_what_is_named_belongs_to_the_application(based: Project) -> None:
    based.manifest(lift=f'{BASE}, application = ["Cow"] }}')
    made = make(based)
    assert "dependencies" not in layers(made)
    assert any(path.endswith("/cow.py") for path in paths(made, "application"))


def test_all_linux_platforms_are_made_and_no_others(based: Project) -> None:
    based.manifest(platforms=("linux-x86_64", "macos-aarch64", "linux-aarch64"), lift=f"{BASE} }}")
    made = make(based)
    assert [image.platform.name for image in made.images] == ["linux/amd64", "linux/arm64"]
    assert [image.platform.name for image in make(based, "linux-aarch64").images] == ["linux/arm64"]


def test_the_same_lift_makes_the_same_archive(based: Project) -> None:
    based.manifest(lift=f"{BASE} }}")
    make(based, output="one.tar")
    make(based, output="other.tar")
    assert (based.directory / "one.tar").read_bytes() == (based.directory / "other.tar").read_bytes()


def test_a_python_that_needs_a_libc_is_not_put_into_an_image_that_has_none(project: Project) -> None:
    project.manifest()
    with pytest.raises(CzscieError) as caught:
        make(project)
    assert "does not start in an image FROM scratch" in caught.value.what
    assert caught.value.hint is not None and caught.value.hint.startswith("bundle one: [lift.libc]")
    assert not (project.directory / "moo.tar").exists()


def test_what_cannot_be_an_image_is_refused(based: Project) -> None:
    based.manifest(platforms=("macos-aarch64",))
    with pytest.raises(CzscieError, match="has no Linux platform"):
        make(based)
    with pytest.raises(CzscieError, match="cannot build an image for macos-aarch64"):
        make(based, "macos-aarch64")
    based.manifest(platforms=("linux-x86_64", "musl-linux-x86_64"))
    with pytest.raises(CzscieError, match="are the same platform in an image"):
        make(based)
    with pytest.raises(CzscieError, match="'Moo' is not the name of an image"):
        make(based, name="Moo")


def test_a_dockerfile_does_the_same(project: Project) -> None:
    project.manifest(lift='image = { labels = { cost = "5$" } }')
    assert dockerfile(read_manifest(project.directory / "lift.toml")).splitlines() == [
        "# Copies from dist: run czscie build lift.toml -o dist",
        "ARG BASE=debian:stable-slim",
        "",
        "FROM ${BASE} AS build",
        'COPY ["dist/moo", "/build/"]',
        'RUN SCIE=install "/build/moo" /app',
        "",
        "FROM ${BASE}",
        "COPY --from=build /app/interpreters /app/interpreters",
        "COPY --from=build /app/czscie-installation /app/",
        "COPY --from=build /app/bin /app/bin",
        "COPY --from=build /app/apps /app/apps",
        'LABEL "org.opencontainers.image.title"="moo"',
        'LABEL "cost"="5\\$"',
        "ENV PATH=/app/bin:$PATH",
        "USER 65532:65532",
        'ENTRYPOINT ["/app/bin/moo"]',
    ]


def test_without_tools_there_is_no_dockerfile(project: Project) -> None:
    project.manifest(lift='tools = ""')
    with pytest.raises(CzscieError, match="cannot install themselves"):
        dockerfile(read_manifest(project.directory / "lift.toml"))


@pytest.mark.parametrize("at", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("pattern", ["*.zip", "*.czex", "*.tar.gz"])
def test_what_is_damaged_in_the_cache_is_made_again(
    based: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str], pattern: str, at: float
) -> None:
    """Layers, and the parts that they are made of, of which no damaged byte is kept."""
    based.manifest(lift=f"{BASE} }}")
    make(based)
    before = (based.directory / "moo.tar").read_bytes()
    packed = tmp_path / "cache" / "packed"
    damaged = sorted(packed.glob(pattern))
    assert damaged
    for path in damaged:
        content = bytearray(path.read_bytes())
        content[int(at * len(content))] ^= 1
        path.write_bytes(content)
    if pattern != "*.tar.gz":
        for path in packed.glob("*.tar.gz"):
            path.unlink()
    capsys.readouterr()
    make(based)
    assert (based.directory / "moo.tar").read_bytes() == before
    assert " is damaged in the cache: making it again" in capsys.readouterr().err


def test_a_damaged_layer_is_in_no_layout(based: Project, tmp_path: Path) -> None:
    based.manifest(lift=f"{BASE} }}")
    order = ImageOptions.parse(None, based.directory / "oci", None, ())
    make_images(based.directory / "lift.toml", [], order, Session.of(Console()))
    before = {path.name: path.read_bytes() for path in (based.directory / "oci").rglob("*") if path.is_file()}
    for path in (tmp_path / "cache" / "packed").glob("*.tar.gz"):
        path.write_bytes(path.read_bytes()[::-1])
    make_images(based.directory / "lift.toml", [], order, Session.of(Console()))
    after = {path.name: path.read_bytes() for path in (based.directory / "oci").rglob("*") if path.is_file()}
    assert after == before
