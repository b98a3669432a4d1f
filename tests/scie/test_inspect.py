from __future__ import annotations

import hashlib
import os
import random
from pathlib import Path

import pytest

from czscie.container.manifest import Command
from czscie.container.plan import PlannedFile, PlannedLink, Slice
from czscie.errors import CzscieError
from czscie.scie.inspect import read_sbom, read_scie
from scie.factories import Tree, part, scie

SBOM = b'{"bomFormat": "CycloneDX"}\n' * 1000


@pytest.fixture
def moo(tmp_path: Path) -> Path:
    """A scie of two parts behind 700 bytes of launcher."""
    launcher = tmp_path / "launcher"
    launcher.write_bytes(b"launcher" * 100)
    parts = [
        part(tmp_path, "cpython", Tree({"a": b"aaa", "b": b"bb" * 500}, links={"c": "a"})),
        part(tmp_path, "payload", Tree({"moo.py": b"print('moo')"}), "app"),
    ]
    scie(tmp_path / "moo", launcher, parts, {"": Command(exe="{cpython}/a")}, sbom=SBOM)
    return tmp_path / "moo"


def test_everything_is_found_again(moo: Path) -> None:
    contents = read_scie(moo)
    data = moo.read_bytes()
    assert (contents.path, contents.size) == (moo, len(data))
    assert contents.sha256 == hashlib.sha256(data).hexdigest()
    assert contents.manifest.scie.lift.boot.commands[""].exe == "{cpython}/a"
    interpreter, payload = contents.parts
    assert (interpreter.part.name, interpreter.part.kind) == ("cpython", "interpreter")
    assert [file.path for file in interpreter.plan.files] == ["a", "b"]
    assert interpreter.plan.links == (PlannedLink("c", "a"),)
    assert interpreter.unpacked == 1003
    assert interpreter.plan.digest() == interpreter.part.digest
    assert payload.plan.files == (PlannedFile("moo.py", Slice(".group-000.zip", 36, 12)),)


def test_the_bill_of_materials_is_read_and_belongs_to_no_installation(moo: Path, tmp_path: Path) -> None:
    assert read_sbom(moo) == SBOM
    bare = tmp_path / "bare"
    parts = [part(tmp_path, "cpython", Tree({"a": b"aaa"}))]
    scie(bare, tmp_path / "launcher", parts, {"": Command(exe="{cpython}/a")})
    with_bill = read_scie(moo).parts[-1]
    assert all(entry.name != ".czscie/sbom.cdx.json" for entry in with_bill.plan.entries)
    with pytest.raises(CzscieError, match="built without a bill of materials"):
        read_sbom(bare)


def test_a_damaged_bill_of_materials_is_an_error(moo: Path) -> None:
    data = bytearray(moo.read_bytes())
    data[data.index(b".czscie/sbom.cdx.json") + 40] ^= 1
    moo.write_bytes(data)
    with pytest.raises(CzscieError, match="is damaged"):
        read_sbom(moo)


@pytest.mark.parametrize("content", [b"", b"#!/bin/sh\necho moo\n", b"PK\5\6" + bytes(18), bytes(200_000)])
def test_what_is_no_scie_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(CzscieError) as caught:
        read_scie(path)
    assert str(caught.value) == f"error: {path} is not a scie\n  its last line is not a scie's manifest"


def test_a_launcher_alone_is_no_scie(moo: Path) -> None:
    with pytest.raises(CzscieError, match="launcher is not a scie"):
        read_scie(moo.parent / "launcher")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CzscieError) as caught:
        read_scie(tmp_path / "none")
    assert str(caught.value) == f"error: cannot read {tmp_path / 'none'}\n  No such file or directory"
    with pytest.raises(CzscieError) as caught:
        read_scie(tmp_path)
    assert str(caught.value) == f"error: cannot read {tmp_path}\n  Is a directory"


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read_is_named(moo: Path) -> None:
    moo.chmod(0)
    with pytest.raises(CzscieError, match="Permission denied"):
        read_scie(moo)


def test_a_plan_that_was_altered_is_damage(moo: Path, tmp_path: Path) -> None:
    """Even where all checksums of the zip are right: the digest is the manifest's."""
    other = part(tmp_path, "other", Tree({"a": b"aaa", "b": b"cc" * 500}, links={"c": "b"}))
    digest = read_scie(moo).parts[0].part.digest
    forged = type(other)(other.path, "cpython", "interpreter", digest, other.unpacked, "")
    scie(tmp_path / "forged", tmp_path / "launcher", [forged], {"": Command(exe="{cpython}/a")})
    with pytest.raises(CzscieError) as caught:
        read_scie(tmp_path / "forged")
    assert str(caught.value) == (
        f"error: {tmp_path / 'forged'} is damaged\n"
        "  the plan of cpython differs from the one it was built with\n"
        "hint: copy or build the file again"
    )


def test_any_damage_is_an_error_with_a_message_or_harmless(moo: Path) -> None:
    whole = moo.read_bytes()
    launcher = 800
    choices = random.Random(0)
    refused = 0
    for _ in range(1000):
        position, bit = choices.randrange(launcher, len(whole)), choices.randrange(8)
        altered = bytearray(whole)
        altered[position] ^= 1 << bit
        moo.write_bytes(altered)
        try:
            contents = read_scie(moo)
        except CzscieError:
            refused += 1
        else:
            assert [len(each.plan.files) for each in contents.parts] == [2, 1]
    assert refused > 500


def test_a_file_that_was_cut_short_is_an_error(moo: Path) -> None:
    whole = moo.read_bytes()
    for length in (*range(0, len(whole), 7), len(whole) - 1):
        moo.write_bytes(whole[:length])
        with pytest.raises(CzscieError):
            read_scie(moo)


def test_a_file_that_something_was_appended_to_is_an_error(moo: Path) -> None:
    with moo.open("ab") as file:
        file.write(b"signature")
    with pytest.raises(CzscieError) as caught:
        read_scie(moo)
    assert str(caught.value) == (
        f"error: {moo} is damaged\n  it does not end where its manifest ends"
        "\nhint: copy or build the file again"
    )
