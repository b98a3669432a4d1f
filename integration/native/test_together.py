"""Parts that are missing are installed at the same time, by processes that want some of the same ones."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from czscie.container.content import Data, File, Link
from czscie.container.manifest import Boot, Command
from czscie.container.packer import write_items
from czscie.container.part import PartFile
from czscie.scie.assemble import assemble
from czscie.scie.inspect import read_scie
from integration.native.small_scie import program
from scie.factories import host_launcher, manifest


def make_part(directory: Path, name: str, files: int, kind: str = "interpreter") -> PartFile:
    """A part with a program and `files` small files, each of which has a link to it."""
    path = directory / f"{name}.zip"
    items: list[File | Link] = [File("bin/python", Data(program()), executable=True)]
    for number in range(files):
        items.append(File(f"lib/{number}", Data(f"{name} {number}\n".encode() * 100)))
        items.append(Link(f"links/{number}", f"../lib/{number}"))
    plan = write_items(items, path, 3, ["links"])
    return PartFile(path, name, kind, plan.digest(), plan.unpacked(), "")


def make_scie(path: Path, parts: list[PartFile]) -> Path:
    command = Command(exe=f"{{{parts[0].name}}}/bin/python", args=())
    lift = manifest("small", Boot({"": command}))
    assemble(path, host_launcher(), "0", parts, lift)
    return path


def begin(scie: Path, base: Path) -> subprocess.Popen[str]:
    environment = {"CZSCIE_BASE": str(base), "PATH": os.environ["PATH"]}
    return subprocess.Popen(
        [scie],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_processes_with_the_same_parts_in_any_order_do_not_wait_for_each_other(tmp_path: Path) -> None:
    parts = [make_part(tmp_path, f"part{number}", 20) for number in range(3)]
    orders = ([0, 1, 2], [2, 1, 0], [1, 0], [2, 0])
    scies = [
        make_scie(tmp_path / f"scie{number}", [parts[each] for each in order])
        for number, order in enumerate(orders)
    ]
    for attempt in range(20):
        base = tmp_path / f"base{attempt}"
        for process in [begin(scie, base) for scie in scies]:
            printed, said = process.communicate(timeout=60)
            assert (process.returncode, said) == (0, ""), said
            assert printed.startswith("started\n")
        assert len(list((base / "interpreters").iterdir())) == len(parts)


@pytest.mark.parametrize("kinds", [("interpreter", "interpreter"), ("interpreter", "files")])
def test_equal_parts_under_two_names_are_one_installation_of_each_kind(
    tmp_path: Path, kinds: tuple[str, str]
) -> None:
    first, second = (make_part(tmp_path, "twin", 3, kind) for kind in kinds)
    other = PartFile(second.path, "other", second.kind, second.digest, second.unpacked, "")
    scie = make_scie(tmp_path / "scie", [first, other])
    process = begin(scie, tmp_path / "base")
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (0, "")
    for kind in kinds:
        directory = "files" if kind == "files" else "interpreters"
        assert [path.name for path in (tmp_path / "base" / directory).iterdir()] == [first.digest]


def test_links_and_files_of_all_parts_are_there(tmp_path: Path) -> None:
    parts = [make_part(tmp_path, "first", 300), make_part(tmp_path, "second", 200)]
    scie = make_scie(tmp_path / "scie", parts)
    process = begin(scie, tmp_path / "base")
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (0, "")
    for part, files in zip(parts, (300, 200), strict=True):
        root = tmp_path / "base" / "interpreters" / part.digest
        assert len(list((root / "lib").iterdir())) == files
        for number in range(files):
            assert (root / "links" / str(number)).read_text() == f"{part.name} {number}\n" * 100


def test_damage_in_one_part_leaves_nothing_of_the_others(tmp_path: Path) -> None:
    parts = [make_part(tmp_path, "first", 30), make_part(tmp_path, "second", 30)]
    scie = make_scie(tmp_path / "scie", parts)
    content = bytearray(scie.read_bytes())
    # Behind the local header of the second part's first entry.
    content[read_scie(scie).parts[1].part.offset + 100] ^= 1
    scie.write_bytes(content)
    process = begin(scie, tmp_path / "base")
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "is damaged: cannot read " in said
    assert list((tmp_path / "base" / "interpreters").iterdir()) == []
