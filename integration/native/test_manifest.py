"""The launcher keeps every member of the manifest that czscie writes: in `inspect` and in installations."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from czscie.container.manifest import (
    FORMAT,
    Boot,
    Command,
    Launcher,
    LazyPart,
    LiftManifest,
    Manifest,
    Needs,
    OwnLibc,
    Part,
    Place,
    Scie,
)
from czscie.container.part import PartFile
from czscie.scie.assemble import assemble
from czscie.scie.inspect import read_manifest
from czscie.scie.stub import stub
from scie.factories import Tree, host_launcher, manifest, part

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the manifest has a C library")

LATE = LazyPart(
    name="late",
    kind="files",
    digest="ef" * 32,
    fetched="late.tar.gz",
    type="tar.gz",
    path="late",
    size=3,
    hash="01" * 32,
    executable=True,
    source="make",
)
PTEX = {"late.tar.gz": "https://example.org/late.tar.gz"}
#: Its `libc` is for no part and is always chosen, so that the launcher leaves it in the manifest.
LIFT = manifest(
    "moo",
    Boot(
        commands={
            "": Command(exe="/bin/true", args=("one",), env={"A": "b", "=C": None}, description="Moos"),
            "other": Command(exe="/bin/echo", args=("two",), env={"A.*": None}, description="Moos twice"),
        },
        bindings={"make": Command(exe="/bin/echo", args=("a",), env={"=A": "b"}, description="Makes")},
        load_dotenv=True,
        quiet=True,
        names={"data": Place("data", "file")},
        hashes={"data": "ab" * 32},
        by_name=True,
        urls="{scie.lift}",
    ),
    needs=Needs(glibc="2.17", musl=True),
    description="A cow",
    base="~/moo",
    tools="TOOL",
    libc=OwnLibc(
        loader="/lib64/ld-linux-x86-64.so.2",
        plans={"unknown": "cd" * 32},
        libraries=("libmoo.so",),
        always=True,
        env={"LOCPATH": "{base}"},
    ),
    lazy=(LATE,),
)


@pytest.fixture
def whole(tmp_path: Path) -> tuple[Path, Manifest]:
    made = part(tmp_path, "data", Tree({"file": b"data"}), "interpreter")
    libc = part(tmp_path, ".libc", Tree({"libmoo.so": b"moo"}), "libc")
    with_module = PartFile(
        made.path,
        "data",
        "interpreter",
        made.digest,
        made.unpacked,
        "a file",
        first_module="file",
        requires=("late",),
    )
    path = tmp_path / "moo"
    return path, assemble(path, host_launcher(), "0.0", [with_module, libc], LIFT, urls=PTEX)


def run(path: Path, tool: str, *arguments: str) -> str:
    environment = {"TOOL": tool, "HOME": str(path.parent), "PATH": os.environ["PATH"]}
    done = subprocess.run([path, *arguments], env=environment, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def installed(path: Path, directory: Path) -> Path:
    """A permanent installation, in which the lazy part is already."""
    place = directory / "opt"
    (place / "files" / LATE.digest).mkdir(parents=True)
    run(path, "install", str(place))
    return place


def manifest_of(path: Path) -> Manifest:
    with path.open("rb") as file:
        return read_manifest(file, path.stat().st_size, str(path))


def unset(value: object, path: str) -> list[str]:
    """The members below `value` that have their default, and would be lost without anybody noticing."""
    if isinstance(value, msgspec.Struct):
        found = []
        for field in msgspec.structs.fields(type(value)):
            member = getattr(value, field.name)
            if not field.required and member == field_default(field):
                found.append(f"{path}.{field.name}")
            found += unset(member, f"{path}.{field.name}")
        return found
    if isinstance(value, dict):
        return [name for key, each in value.items() for name in unset(each, f"{path}.{key}")]
    return []


def field_default(field: msgspec.structs.FieldInfo) -> Any:
    if field.default is not msgspec.NODEFAULT:
        return field.default
    assert not isinstance(field.default_factory, type(msgspec.NODEFAULT))
    return field.default_factory()


def test_the_manifest_of_these_tests_has_every_member(whole: tuple[Path, Manifest]) -> None:
    _, written = whole
    assert unset(written, "manifest") == []
    assert unset(written.scie.lift.files[0], "files") + unset(LATE, "lazy") == []
    covered = (Boot, Command, Launcher, LazyPart, LiftManifest, Needs, OwnLibc, Part, Place, Scie)
    assert {each.__name__ for each in covered} == {
        name
        for name, value in vars(sys.modules[Manifest.__module__]).items()
        if isinstance(value, type) and issubclass(value, msgspec.Struct) and value is not Manifest
    }


def test_inspect_prints_every_member(whole: tuple[Path, Manifest]) -> None:
    path, written = whole
    assert Manifest.parse(run(path, "inspect", "--json").encode(), "moo") == written


def test_an_installation_has_every_member(whole: tuple[Path, Manifest], tmp_path: Path) -> None:
    path, written = whole
    place = installed(path, tmp_path)
    lift = written.scie.lift
    there = msgspec.structs.replace(
        lift,
        files=tuple(msgspec.structs.replace(part, offset=0, size=0) for part in lift.files),
        base=str(place),
    )
    assert manifest_of(place / "bin" / "moo") == Manifest(Scie(FORMAT, written.scie.jump, there), PTEX)
    commands = lift.boot.commands
    other = msgspec.structs.replace(lift.boot, commands=commands | {"": commands["other"]})
    assert manifest_of(place / "bin" / "other").scie.lift.boot == other


def test_an_image_has_what_an_installation_has(whole: tuple[Path, Manifest], tmp_path: Path) -> None:
    path, written = whole
    place = installed(path, tmp_path)
    in_image = tmp_path / "image"
    launcher = path.read_bytes()[: written.scie.jump.size]
    in_image.write_bytes(stub(launcher, "0.0", written.scie.lift, str(place), "other"))
    assert manifest_of(in_image).scie == manifest_of(place / "bin" / "other").scie
