from __future__ import annotations

import io
import os
import tracemalloc
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from czex.factories import contents, write_zip
from czscie.container.content import OnDisk
from czscie.container.untrusted_zip import Shelf, files_in_zip, files_on_disk, open_zip
from czscie.errors import CzscieError
from fuzz import formats


def read(path: Path) -> dict[str, bytes]:
    archive = open_zip(path, path.name)
    return contents(files_in_zip(lambda: archive, path.name))


def test_files_are_sorted_and_directories_are_not_files(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"b/": b"", "b/c": b"1", "a": b"2"}, prefix=b"#!/bin/sh\n")
    assert read(path) == {"a": b"2", "b/c": b"1"}
    assert list(read(path)) == ["a", "b/c"]


def test_the_mode_that_the_zip_says_is_kept(tmp_path: Path) -> None:
    program = zipfile.ZipInfo("program")
    program.external_attr = 0o100755 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(program, b"")
        archive.writestr("text", b"")
    archive = open_zip(tmp_path / "a.zip", "a.zip")
    assert {file.path: file.executable for file in files_in_zip(lambda: archive, "a.zip")} == {
        "program": True,
        "text": False,
    }


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("/etc/passwd", "is absolute"),
        ("C:/windows", "is absolute"),
        ("a/../../b", "'..' component"),
        ("a//b", "empty, '.' or '..' component"),
        ("./a", "empty, '.' or '..' component"),
        ("..", "'..' component"),
        ("a\\b", "has a backslash"),
    ],
)
def test_a_path_that_is_not_safe_is_refused_by_name(tmp_path: Path, name: str, complaint: str) -> None:
    path = write_zip(tmp_path / "evil.pex", {name: b""})
    with pytest.raises(CzscieError) as error:
        read(path)
    assert repr(name) in error.value.what
    assert complaint in error.value.what
    assert "evil.pex" in error.value.what


def test_a_name_with_a_nul_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "evil.pex", {"aXb": b""})
    path.write_bytes(path.read_bytes().replace(b"aXb", b"a\0b"))
    with pytest.raises(CzscieError, match="has a NUL"):
        read(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_path_that_is_there_twice_is_refused_by_name(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "twice.zip", "w") as archive:
        archive.writestr("a.py", b"1")
        archive.writestr("a.py", b"2")
    with pytest.raises(CzscieError, match=r"twice.zip contains 'a.py' twice"):
        read(tmp_path / "twice.zip")


def test_a_path_that_is_a_file_and_a_directory_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"a": b"", "a/b/c": b""})
    with pytest.raises(CzscieError, match="'a' both as a file and as a directory"):
        read(path)


def test_an_entry_that_zipfile_cannot_decompress_is_refused_with_the_reason(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "new.czex", "w") as archive:
        archive.writestr("a.py", b"1")
        archive.infolist()[0].compress_type = 93
    with pytest.raises(CzscieError) as error:
        read(tmp_path / "new.czex")
    assert error.value.what == "a.py in new.czex is compressed with zip method 93 (zstd)"
    assert error.value.hint == "pass the PEX that it was made from"


def test_an_encrypted_entry_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "secret.zip", "w") as archive:
        archive.writestr("a.py", b"1")
        archive.infolist()[0].flag_bits |= 1
    with pytest.raises(CzscieError, match=r"a.py in secret.zip is encrypted"):
        read(tmp_path / "secret.zip")


def test_damage_is_found_when_the_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("a.py", b"good content")
    path.write_bytes(path.read_bytes().replace(b"good content", b"evil content"))
    archive = open_zip(path, "a.zip")
    (file,) = files_in_zip(lambda: archive, "a.zip")
    assert file.content.size == len(b"good content")
    with pytest.raises(CzscieError, match=r"a.py in a.zip is damaged"):
        file.content.read()


def test_what_is_no_zip_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.pex").write_bytes(b"#!/bin/sh\n")
    with pytest.raises(CzscieError, match=r"a.pex is damaged, or not a zip file"):
        open_zip(tmp_path / "a.pex", "a.pex")


def test_an_entry_without_a_name_is_refused(tmp_path: Path) -> None:
    """zipfile cuts names at a NUL."""
    path = write_zip(tmp_path / "a.zip", {"?a.py": b""})
    path.write_bytes(path.read_bytes().replace(b"?a.py", b"\0a.py"))
    with pytest.raises(CzscieError, match=r"a.zip is .*damaged") as error:
        open_zip(path, "a.zip")
    assert "an entry has no name" in str(error.value)


@pytest.mark.parametrize("is_nested", [True, False])
def test_as_many_zips_are_held_as_there_is_memory_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_nested: bool
) -> None:
    wheels = [write_zip(tmp_path / f"{name}.whl", {name: b""}) for name in ("one", "two", "three")]
    outer = write_zip(tmp_path / "outer.zip", {path.name: path.read_bytes() for path in wheels})
    archive = open_zip(outer, "outer.zip")
    nested = {file.path: file.content for file in files_in_zip(lambda: archive, "outer.zip")}
    one, two, three = (nested[path.name] if is_nested else OnDisk(path) for path in wheels)
    shelf = Shelf()
    monkeypatch.setattr("czscie.container.untrusted_zip._LARGE", one.size + two.size)
    first, second = shelf.open(one, "1"), shelf.open(two, "2")
    assert (first.namelist(), second.namelist()) == (["one"], ["two"])
    assert (shelf.open(one, "1"), shelf.open(two, "2")) == (first, second)
    shelf.open(three, "3")
    assert (shelf.open(one, "1") is first) is not is_nested
    monkeypatch.setattr("czscie.container.untrusted_zip._HELD", 1)
    shelf.open(OnDisk(outer), "outer.zip")
    assert shelf.open(one, "1") is not first


def test_files_on_disk_are_followed_through_links(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.py").write_bytes(b"1")
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "directory").symlink_to(tmp_path / "real")
    (tree / "file.py").symlink_to(tmp_path / "real" / "a.py")
    (tree / "program").write_bytes(b"")
    (tree / "program").chmod(0o700)
    found = files_on_disk(tree, "tree")
    assert contents(found) == {"directory/a.py": b"1", "file.py": b"1", "program": b""}
    assert [file.path for file in found if file.executable] == ["program"]


def test_a_link_that_leads_back_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "again").symlink_to(tmp_path)
    with pytest.raises(CzscieError, match=r"a/again in t is a link to a directory above it"):
        files_on_disk(tmp_path, "t")


def test_a_broken_link_and_a_pipe_are_refused(tmp_path: Path) -> None:
    (tmp_path / "broken").symlink_to("nowhere")
    with pytest.raises(CzscieError, match="broken in t is neither a file nor a directory"):
        files_on_disk(tmp_path, "t")
    (tmp_path / "broken").unlink()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CzscieError, match="pipe in t is neither a file nor a directory"):
        files_on_disk(tmp_path, "t")


def test_a_name_on_disk_that_is_no_utf8_is_refused(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff")).write_bytes(b"")
    with pytest.raises(CzscieError, match="is not UTF-8"):
        files_on_disk(tmp_path, "t")


A = formats.Entry(b"a", formats.DEFLATED, b"first")
B = formats.Entry(b"b", formats.DEFLATED, b"second")


@pytest.mark.parametrize(
    "entries",
    [
        (A, replace(B, lies={"offset": 0})),
        (A, replace(B, name=b"a")),
        (A, replace(B, lies={"offset": (1 << 64) - 1, "zip64": 1})),
        (A, replace(B, lies={"packed": 1 << 40, "zip64": 1})),
        (A, replace(B, lies={"size": 1 << 40, "zip64": 1})),
        (A, replace(B, lies={"size": 7})),
        (A, replace(B, method=99)),
        (A, replace(B, name=b"NUL\0x")),
    ],
    ids=range(8),
)
def test_a_zip_that_says_what_is_not_so_is_refused(
    tmp_path: Path, entries: tuple[formats.Entry, formats.Entry]
) -> None:
    out = io.BytesIO()
    formats.Zip(list(entries)).write(out)
    path = tmp_path / "a.zip"
    path.write_bytes(out.getvalue())
    tracemalloc.start()
    try:
        with pytest.raises(CzscieError):
            read(path)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


def test_no_more_is_unpacked_than_a_member_says(tmp_path: Path) -> None:
    zeros = formats.Entry(b"zeros", formats.DEFLATED, bytes(64 << 20))
    out = io.BytesIO()
    formats.Zip([replace(zeros, lies={"size": 7, "crc": zlib.crc32(bytes(7))})]).write(out)
    path = tmp_path / "a.zip"
    path.write_bytes(out.getvalue())
    tracemalloc.start()
    try:
        assert read(path) == {"zeros": bytes(7)}
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
