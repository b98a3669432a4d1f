"""lift.toml.example is a manifest, shows every key, and what it shows in comments is right too."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from czscie.lift.bare import Bare
from czscie.lift.command import Command, Environment
from czscie.lift.embedded_file import Digest, EmbeddedFile, FromUrl
from czscie.lift.image import Image
from czscie.lift.interpreter import Local, PythonBuildStandalone
from czscie.lift.libc import Libc
from czscie.lift.lift import Lift
from czscie.lift.macos import Bundle, MacOS
from czscie.lift.manifest import read_manifest
from czscie.lift.pack import Pack
from czscie.lift.payload import Payload
from czscie.lift.windows import Windows

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

EXAMPLE = Path(__file__).parents[2] / "lift.toml.example"

#: Keys that the build of this version refuses, and one that is not heeded.
NOT_SHOWN = {
    "bindings",
    "interpreter_groups",
    "load_dotenv",
    "ptex",
    "remove_re",
    "scie_jump",
}


def with_its_comments() -> str:
    """The example with every key and table that stands in a comment put into effect."""
    return re.sub(r"(?m)^# +(?=\[|[a-z_]+ = )", "", EXAMPLE.read_text(encoding="utf-8"))


def keys(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from keys(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from keys(inner)


def test_the_example_is_a_manifest_that_can_be_built() -> None:
    lift = read_manifest(EXAMPLE)
    assert lift.unsupported() == ()
    assert lift.name == "cowsay"
    assert [platform.name for platform in lift.platforms] == [
        "linux-x86_64",
        "musl-linux-aarch64",
        "macos-aarch64",
        "windows-x86_64",
    ]
    assert {each.id: each for each in lift.interpreters}["cpython"] == PythonBuildStandalone(
        "cpython", "3.13.17", "20261021", "install_only_stripped", None, (), False
    )
    assert lift.payload == Payload(
        EXAMPLE.parent / "cowsay.pex", None, None, None, None, "cowsay", None, "cpython"
    )


def test_the_example_shows_every_key_that_can_be_built() -> None:
    types = (
        *(Lift, PythonBuildStandalone, Local, Payload, Pack, Libc, Image, Bare, MacOS, Bundle, Windows),
        *(EmbeddedFile, Digest, FromUrl, Command, Environment),
    )
    known = {field.name for each in types for field in fields(each)}
    assert known - NOT_SHOWN <= set(keys(tomllib.loads(with_its_comments())))


def test_what_the_example_shows_in_comments_can_be_built_too(tmp_path: Path) -> None:
    one_payload = re.sub(r"(?m)^(requirements|project|script|lock) = .*$", "", with_its_comments())
    manifest = tmp_path / "lift.toml"
    manifest.write_text(one_payload, encoding="utf-8")
    lift = read_manifest(manifest)
    assert lift.unsupported() == ()
    assert [interpreter.id for interpreter in lift.interpreters] == ["cpython", "host", "mine"]
    assert [file.id for file in lift.files] == ["cows"]
    assert [command.name for command in lift.commands] == ["python"]
    assert lift.compression_level == 19
    assert lift.payload is not None
    assert lift.payload.glibc == (2, 28)
    assert lift.pack == Pack(files=("moo", "*/data/*.py"))
    assert lift.image.base == (tmp_path / "distroless.tar",)
    assert lift.macos.bundle is not None
    assert (lift.macos.bundle.name, lift.macos.bundle.icon) == ("Cow", tmp_path / "cow.icns")
