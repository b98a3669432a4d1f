from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from czscie.container.manifest import Command, Manifest
from czscie.container.packer import Packer
from czscie.container.part import PartFile
from czscie.container.plan import ENTRY_NAME, Plan
from czscie.container.zip import read_directory
from czscie.errors import CzscieError
from czscie.filesystem import write_atomically
from scie.factories import Tree, part, scie

ECHO = {"": Command(exe="/bin/echo")}
#: Odd in length, so that nothing lies where it would by accident.
LAUNCHER = b"\x7fELF native code" * 1001


@pytest.fixture
def launcher(tmp_path: Path) -> Path:
    path = tmp_path / "launcher"
    path.write_bytes(LAUNCHER)
    return path


def two_parts(directory: Path) -> list[PartFile]:
    directory.mkdir(exist_ok=True)
    interpreter = Tree({"lib/big": bytes(1 << 20), "lib/os.py": b"# os"}, programs={"bin/python": b"\x7fELF"})
    payload = Tree({"moo.py": b"print('moo')"}, links={"bin/python": "../elsewhere"})
    return [part(directory, "cpython", interpreter), part(directory, "payload", payload, "app")]


def test_the_parts_follow_the_launcher_without_gaps(tmp_path: Path, launcher: Path) -> None:
    manifest = scie(tmp_path / "moo", launcher, two_parts(tmp_path), ECHO)
    first, second = manifest.scie.lift.files
    data = (tmp_path / "moo").read_bytes()
    assert data.startswith(LAUNCHER)
    assert first.offset == len(LAUNCHER)
    assert second.offset == first.offset + first.size
    assert second.offset + second.size + len(manifest.render()) == len(data)
    assert manifest.scie.jump.size == len(LAUNCHER)
    assert manifest.scie.jump.hash == hashlib.sha256(LAUNCHER).hexdigest()


def test_every_offset_counts_from_the_start_of_the_file(tmp_path: Path, launcher: Path) -> None:
    manifest = scie(tmp_path / "moo", launcher, two_parts(tmp_path), ECHO)
    with (tmp_path / "moo").open("rb") as file:
        for each in manifest.scie.lift.files:
            end = each.offset + each.size
            file.seek(end - 22)
            assert file.read(4) == b"PK\5\6"
            found = read_directory(file, end)
            assert ENTRY_NAME in [entry.name for entry in found.entries]
            for entry in found.entries:
                assert each.offset <= entry.header_offset < found.offset
                file.seek(entry.header_offset)
                assert file.read(4) == b"PK\3\4"
            # The record itself says so: a reader that knows no prefix finds the directory.
            file.seek(end - 6)
            assert int.from_bytes(file.read(4), "little") == found.offset


def test_the_last_line_is_the_manifest(tmp_path: Path, launcher: Path) -> None:
    manifest = scie(tmp_path / "moo", launcher, two_parts(tmp_path), ECHO)
    last = (tmp_path / "moo").read_bytes().splitlines()[-1]
    assert Manifest.parse(last, "moo") == manifest


def test_tools_that_know_zips_list_the_payload(tmp_path: Path, launcher: Path) -> None:
    scie(tmp_path / "moo", launcher, two_parts(tmp_path), ECHO)
    command = [sys.executable, "-m", "zipfile", "-l", str(tmp_path / "moo")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert [line.split()[0] for line in done.stdout.splitlines()[1:]] == [".group-000.zip", ENTRY_NAME]


def test_a_host_python_runs_the_payloads_main(tmp_path: Path, launcher: Path) -> None:
    path = tmp_path / "payload.zip"
    write_atomically(
        path,
        lambda stream: Packer(3).write(
            stream, lambda entries: Plan(entries, ()), [("__main__.py", b"import sys; print(sys.argv[1:])")]
        ),
    )
    payload = PartFile(path, "payload", "app", Plan((), ()).digest(), 0, "")
    scie(tmp_path / "moo", launcher, [*two_parts(tmp_path)[:1], payload], ECHO)
    command = [sys.executable, str(tmp_path / "moo"), "a b"]
    assert subprocess.run(command, capture_output=True, text=True).stdout == "['a b']\n"


def test_a_scie_of_commands_alone_has_no_parts(tmp_path: Path, launcher: Path) -> None:
    manifest = scie(tmp_path / "moo", launcher, [], ECHO)
    assert manifest.scie.lift.files == ()
    with zipfile.ZipFile(tmp_path / "moo") as archive:
        assert (archive.namelist(), archive.comment) == ([], manifest.render())


def test_equal_inputs_give_equal_files(tmp_path: Path, launcher: Path) -> None:
    before = os.umask(0o022)
    try:
        scie(tmp_path / "one", launcher, two_parts(tmp_path / "a"), ECHO)
        os.umask(0o077)
        os.utime(launcher, (0, 0))
        (tmp_path / "elsewhere").mkdir()
        scie(tmp_path / "elsewhere" / "two", launcher, two_parts(tmp_path / "b"), ECHO)
    finally:
        os.umask(before)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "elsewhere" / "two").read_bytes()


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o755), (0o077, 0o700), (0o002, 0o775)])
def test_the_file_is_executable_for_whom_the_umask_lets(
    tmp_path: Path, launcher: Path, umask: int, mode: int
) -> None:
    before = os.umask(umask)
    try:
        scie(tmp_path / "moo", launcher, two_parts(tmp_path), ECHO)
        assert os.umask(umask) == umask, "the umask is left as it was"
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "moo").stat().st_mode) == mode


def test_a_manifest_that_fits_no_comment_is_an_error_and_no_file(tmp_path: Path, launcher: Path) -> None:
    (tmp_path / "out").mkdir()
    commands = {"": Command(exe="/bin/echo", args=("x" * 66_000,))}
    with pytest.raises(CzscieError, match="the limit is 65535"):
        scie(tmp_path / "out" / "moo", launcher, two_parts(tmp_path), commands)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_part_that_is_no_zip_leaves_the_file_that_was_there(tmp_path: Path, launcher: Path) -> None:
    (tmp_path / "moo").write_text("the old one")
    broken = tmp_path / "broken.zip"
    broken.write_bytes(b"no zip")
    with pytest.raises(CzscieError, match=r"broken\.zip is damaged"):
        scie(tmp_path / "moo", launcher, [PartFile(broken, "x", "app", "", 0, "")], ECHO)
    assert (tmp_path / "moo").read_text() == "the old one"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken.zip", "launcher", "moo"]
