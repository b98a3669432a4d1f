from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from czscie.container.manifest import Command, Launcher, Manifest, OwnLibc, Scie
from czscie.container.part import read_plan
from czscie.container.zip import read_directory
from czscie.errors import CzscieError
from czscie.scie.inspect import read_scie
from czscie.verify.file import verify_file
from scie.factories import Tree, part, scie

LAUNCHER = bytes(range(256)) * 8


@pytest.fixture
def moo(tmp_path: Path) -> Path:
    """A scie of two parts; a part has a large file, the file has a bill of materials."""
    (tmp_path / "launcher").write_bytes(LAUNCHER)
    numbers = random.Random(1).randbytes(1 << 20)
    trees = [
        part(
            tmp_path, "cpython", Tree({"lib/large": numbers, "lib/zeros": bytes(3 << 20)}, links={"c": "a"})
        ),
        part(tmp_path, "payload", Tree({"moo.py": b"print('moo')"}), "app"),
    ]
    path = tmp_path / "moo"
    scie(
        path, tmp_path / "launcher", trees, {"": Command(exe="{cpython}/a")}, sbom=b'{"components": []}\n' * 9
    )
    return path


def problems(path: Path) -> list[str]:
    return [str(problem) for problem in verify_file(path).problems]


def flip(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 0x10
    path.write_bytes(data)


def test_a_file_as_it_was_built_has_no_problems(moo: Path) -> None:
    verification = verify_file(moo)
    assert (verification.problems, verification.entries) == ((), 6)


def test_a_changed_launcher_is_found(moo: Path) -> None:
    flip(moo, 100)
    assert problems(moo) == ["launcher: launcher: it changed after it was built"]


def test_damage_of_every_entry_is_found_at_once(moo: Path) -> None:
    data = bytearray(moo.read_bytes())
    names = []
    for each in read_scie(moo).parts:
        with moo.open("rb") as file:
            entries = read_directory(file, each.part.offset + each.part.size).entries
        for entry in entries:
            if entry.name != ".czscie/plan":
                names.append(f"{each.part.name}: {entry.name}: ")
                data[entry.header_offset + 30 + len(entry.name) + 12] ^= 0x10
    moo.write_bytes(data)
    found = problems(moo)
    assert len(names) == 4
    assert all(any(problem.startswith(name) for problem in found) for name in names)


def test_a_changed_plan_is_found(moo: Path) -> None:
    interpreter = read_scie(moo).parts[0].part
    with moo.open("rb") as file:
        entry = read_directory(file, interpreter.offset + interpreter.size).entry(".czscie/plan")
    flip(moo, entry.header_offset + 30 + len(entry.name) + 20)
    [problem] = problems(moo)
    assert problem.startswith("cpython: .czscie/plan: ")


def with_manifest(path: Path, change: Callable[[Scie], Scie]) -> None:
    data = path.read_bytes()
    comment = Manifest(change(read_scie(path).manifest.scie)).render()
    path.write_bytes(data[: data.rindex(b"\n{") - 2] + len(comment).to_bytes(2, "little") + comment)


def test_what_belongs_to_no_part_is_found(moo: Path) -> None:
    size = len(LAUNCHER) - 4
    launcher = Launcher("0.0", size, hashlib.sha256(LAUNCHER[:size]).hexdigest())
    with_manifest(moo, lambda scie: msgspec.structs.replace(scie, jump=launcher))
    assert problems(moo) == [f"cpython: its place: it begins at {size + 4} instead of {size}"]


def test_a_permanent_installation_says_where_to_look(moo: Path) -> None:
    def change(scie: Scie) -> Scie:
        files = tuple(msgspec.structs.replace(each, size=0) for each in scie.lift.files)
        return msgspec.structs.replace(scie, lift=msgspec.structs.replace(scie.lift, files=files))

    with_manifest(moo, change)
    with pytest.raises(CzscieError, match="permanent installation"):
        verify_file(moo)


def test_what_is_no_scie_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"#!/bin/sh\n")
    with pytest.raises(CzscieError, match="is not a scie"):
        verify_file(tmp_path / "file")


def test_the_other_plan_of_a_part_has_its_own_digest(tmp_path: Path) -> None:
    (tmp_path / "launcher").write_bytes(LAUNCHER)
    made = part(tmp_path, "cpython", Tree({"a": b"aaa", "b": b"bb"}))
    plan = read_plan(made.path)
    other = replace(plan, files=plan.files[:1]).render()
    made = replace(made, entries=((".czscie/plan-libc", other),))
    for digest, expected in (
        (hashlib.sha256(other).hexdigest(), []),
        (made.digest, ["cpython: .czscie/plan-libc: it changed after it was built"]),
    ):
        libc = OwnLibc(loader="/lib/ld.so", plans={"cpython": digest})
        scie(tmp_path / "moo", tmp_path / "launcher", [made], {"": Command(exe="{cpython}/a")}, libc=libc)
        assert problems(tmp_path / "moo") == expected
