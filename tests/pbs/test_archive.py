from __future__ import annotations

import gzip
import os
import tarfile
import zipfile
from pathlib import Path

import pytest
import zstandard

from czscie.container.content import File, Link
from czscie.errors import CzscieError
from czscie.pbs.archive import read_archive
from pbs.factories import cpython, member, members, tar, tar_gz, tar_zst

NAME = "cpython.tar.gz"


def archive(directory: Path, *extra: tuple[tarfile.TarInfo, bytes], name: str = NAME) -> Path:
    path = directory / name
    pack = tar_zst if name.endswith(".zst") else tar_gz
    path.write_bytes(pack([*members(cpython()), *extra]))
    return path


def test_the_items_are_sorted_and_relative_to_the_interpreters_root(tmp_path: Path) -> None:
    path = archive(tmp_path, member("python/bin/python3", kind=tarfile.SYMTYPE, target="python3.13"))
    items = read_archive(path)
    assert [item.path for item in items] == [
        "bin/python3",
        "bin/python3.13",
        "include/python3.13/patchlevel.h",
        "lib/python3.13/os.py",
    ]
    assert items[0] == Link("bin/python3", "python3.13")
    assert isinstance(items[1], File)
    assert items[1].content.read() == cpython()["bin/python3.13"]


@pytest.mark.parametrize(
    ("mode", "executable"), [(0o755, True), (0o100, True), (0o055, False), (0o644, False)]
)
def test_of_a_mode_only_the_owners_x_bit_counts(tmp_path: Path, mode: int, executable: bool) -> None:
    items = read_archive(archive(tmp_path, member("python/tool", b"#!", mode=mode)))
    assert [item.executable for item in items if isinstance(item, File) and item.path == "tool"] == [
        executable
    ]


def test_the_same_items_come_from_either_compression_and_any_time_or_owner(tmp_path: Path) -> None:
    ours, theirs = members(cpython()), members(cpython())
    for info, _ in theirs:
        info.mtime, info.uid, info.uname, info.mode = 1700000000, 1000, "me", info.mode | 0o020
    (tmp_path / "ours.tar.gz").write_bytes(tar_gz(ours))
    (tmp_path / "theirs.tar.zst").write_bytes(tar_zst(reversed(theirs)))
    before = os.umask(0o077)
    try:
        private = read_archive(tmp_path / "ours.tar.gz")
    finally:
        os.umask(before)
    assert private == read_archive(tmp_path / "theirs.tar.zst")


def test_a_window_that_zstd_does_not_allow_by_default_is_read(tmp_path: Path) -> None:
    path = tmp_path / "long.tar.zst"
    path.write_bytes(tar_zst(members(cpython()), window_log=28))
    with pytest.raises(zstandard.ZstdError):
        zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(path.read_bytes()).read(1)
    assert len(read_archive(path)) == 3


def test_of_a_full_archive_only_the_installation_counts(tmp_path: Path) -> None:
    path = tmp_path / "full.tar.zst"
    outside = [
        member("python/PYTHON.json", b"{}"),
        member("python/build/core.o", b"object"),
        member("python/install/bin/python3", kind=tarfile.LNKTYPE, target="python/install/bin/python3.13"),
        member("python/licenses/LICENSE.txt", b"text"),
    ]
    path.write_bytes(tar_zst([*outside[:2], *members(cpython(), "python/install/"), *outside[2:]]))
    assert [item.path for item in read_archive(path)] == [
        "bin/python3",
        "bin/python3.13",
        "include/python3.13/patchlevel.h",
        "lib/python3.13/os.py",
    ]


def test_hard_links_become_files(tmp_path: Path) -> None:
    twin = member("python/bin/python3", kind=tarfile.LNKTYPE, target="python/bin/python3.13")
    items = {item.path: item for item in read_archive(archive(tmp_path, twin))}
    link, original = items["bin/python3"], items["bin/python3.13"]
    assert isinstance(link, File)
    assert isinstance(original, File)
    assert (link.content, link.executable) == (original.content, True)


def test_directories_and_dots_in_paths_do_not_matter(tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.write_bytes(
        tar_gz(
            [
                member("./python", kind=tarfile.DIRTYPE),
                *members(cpython(), "./python/"),
                member("python//./x"),
            ]
        )
    )
    assert "x" in {item.path for item in read_archive(path)}


REFUSED = [
    ("/etc/passwd", {}, "its path is absolute"),
    ("python/../../etc/passwd", {}, "its path has an empty, '.' or '..' component"),
    ("python/lib/../../../x", {}, "its path has an empty, '.' or '..' component"),
    ("python/../x", {}, "its path has an empty, '.' or '..' component"),
    ("elsewhere/x", {}, "it is not in python/"),
    ("python/C:\\x", {}, "its path has a backslash"),
    ("C:/python/x", {}, "its path is absolute"),
    ("python/lib\\..\\x", {}, "its path has a backslash"),
    ("python/new\nline", {}, "its path has a control character"),
    ("python/" + "x" * 256, {}, "its path is too long"),
    ("python/" + "x/" * 600, {}, "its path is too long"),
    ("python/null", {"kind": tarfile.CHRTYPE, "major": 1}, "it is a device"),
    ("python/sda", {"kind": tarfile.BLKTYPE, "major": 8}, "it is a device"),
    ("python/pipe", {"kind": tarfile.FIFOTYPE}, "it is a named pipe"),
    ("python/x", {"kind": b"V"}, "it is neither a plain file nor a link"),
    ("python/x", {"kind": tarfile.GNUTYPE_SPARSE}, "it is neither a plain file nor a link"),
    ("python/lib/python3.13/os.py", {}, "it occurs twice"),
    ("python/lib/./python3.13//os.py", {}, "it occurs twice"),
    ("python/bin/python3.13/x", {}, "its path leads through the file 'bin/python3.13'"),
    (
        "python/x",
        {"kind": tarfile.SYMTYPE, "target": "/etc/passwd"},
        "it is a link to '/etc/passwd', outside the tree",
    ),
    ("python/x", {"kind": tarfile.SYMTYPE, "target": "../x"}, "it is a link to '../x', outside the tree"),
    (
        "python/bin/x",
        {"kind": tarfile.SYMTYPE, "target": "../lib/../../x"},
        "it is a link to '../lib/../../x', outside the tree",
    ),
    (
        "python/a/b/x",
        {"kind": tarfile.SYMTYPE, "target": "c/../../../.."},
        "it is a link to 'c/../../../..', outside the tree",
    ),
    ("python/x", {"kind": tarfile.SYMTYPE, "target": ""}, "it is a link to '', outside the tree"),
    (
        "python/x",
        {"kind": tarfile.LNKTYPE, "target": "/etc/passwd"},
        "'/etc/passwd' is absolute",
    ),
    (
        "python/x",
        {"kind": tarfile.LNKTYPE, "target": "python/../../x"},
        "'python/../../x' has an empty, '.' or '..' component",
    ),
    (
        "python/x",
        {"kind": tarfile.LNKTYPE, "target": "etc/passwd"},
        "it is a hard link to 'etc/passwd', outside the tree",
    ),
    (
        "python/x",
        {"kind": tarfile.LNKTYPE, "target": "python/nothing"},
        "it is a hard link to 'nothing', which is not a file of this tree",
    ),
]


@pytest.mark.parametrize("name", [NAME, "cpython.tar.zst"])
@pytest.mark.parametrize(("path", "how", "why"), REFUSED)
def test_a_member_that_could_do_harm_is_refused_by_name(
    tmp_path: Path, name: str, path: str, how: dict[str, object], why: str
) -> None:
    bad = archive(tmp_path, member(path, **how), name=name)  # type: ignore[arg-type]
    with pytest.raises(CzscieError) as caught:
        read_archive(bad)
    assert caught.value.what.startswith(f"{name} has an unsafe member: ")
    assert Path(path).name.strip() in caught.value.what or "\\" in path or "\n" in path
    assert caught.value.why == (why,)


def test_the_message_of_a_refusal(tmp_path: Path) -> None:
    with pytest.raises(CzscieError) as caught:
        read_archive(archive(tmp_path, member("python/../../.ssh/authorized_keys", b"key")))
    assert str(caught.value) == (
        "error: cpython.tar.gz has an unsafe member: 'python/../../.ssh/authorized_keys'\n"
        "  its path has an empty, '.' or '..' component"
    )


def test_a_file_below_a_link_is_refused(tmp_path: Path) -> None:
    link = member("python/lib64", kind=tarfile.SYMTYPE, target="lib")
    with pytest.raises(CzscieError) as caught:
        read_archive(archive(tmp_path, link, member("python/lib64/x")))
    assert caught.value.why == ("its path leads through the link 'lib64'",)


def test_a_link_that_goes_on_through_another_link_cannot_climb(tmp_path: Path) -> None:
    # `deep` leads to the root of the tree, so `deep/..` would be outside though it looks inside.
    deep = member("python/a/b/deep", kind=tarfile.SYMTYPE, target="../..")
    with pytest.raises(CzscieError) as caught:
        read_archive(archive(tmp_path, deep, member("python/x", kind=tarfile.SYMTYPE, target="a/b/deep/..")))
    assert caught.value.why == ("it is a link to 'a/b/deep/..', outside the tree",)


def test_a_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / NAME
    info, _ = member("python/caf\udce9")
    path.write_bytes(gzip.compress(info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape") + tar([])))
    with pytest.raises(CzscieError) as caught:
        read_archive(path)
    assert caught.value.why == ("its path is not UTF-8",)


def test_more_files_than_any_cpython_has_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("czscie.container.tree.MOST_ITEMS", 3)
    with pytest.raises(CzscieError) as caught:
        read_archive(archive(tmp_path, member("python/x")))
    assert caught.value.why == ("there are more than 3 members",)


@pytest.mark.parametrize("bound", ["czscie.pbs.archive._LARGEST_FILE", "czscie.container.tree.LARGEST_TREE"])
def test_an_archive_that_would_fill_the_disk_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    monkeypatch.setattr(bound, 1 << 20)
    with pytest.raises(CzscieError) as caught:
        read_archive(archive(tmp_path, member("python/bomb", bytes((1 << 20) + 1))))
    assert "bomb'" in caught.value.what


@pytest.mark.parametrize("name", [NAME, "cpython.tar.zst"])
@pytest.mark.parametrize("where", ["in what is passed over", "after the end"])
def test_a_bomb_that_nothing_is_kept_of_is_not_unpacked_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, name: str
) -> None:
    monkeypatch.setattr("czscie.container.tar_stream._LARGEST_ARCHIVE", 1 << 20)
    inside = where == "in what is passed over"
    zeros = bytes(1 << 21)
    mark = member("python/PYTHON.json", b"{}")
    whole = tar([mark, member("python/build/bomb", zeros if inside else b"")]) + (b"" if inside else zeros)
    path = tmp_path / name
    path.write_bytes(gzip.compress(whole) if name == NAME else zstandard.compress(whole))
    with pytest.raises(CzscieError) as caught:
        read_archive(path)
    assert caught.value.why == ("it unpacks to more than 1048576 bytes",)


@pytest.mark.parametrize("name", [NAME, "cpython.tar.zst"])
def test_an_archive_that_ends_anywhere_early_is_refused(tmp_path: Path, name: str) -> None:
    whole = archive(tmp_path, member("python/big", os.urandom(20_000)), name=name).read_bytes()
    for size in range(0, len(whole) - 1, 997):
        (tmp_path / name).write_bytes(whole[:size])
        with pytest.raises(CzscieError) as caught:
            read_archive(tmp_path / name)
        assert caught.value.what == f"{tmp_path / name} is not a valid archive"


def test_a_tar_that_ends_between_two_members_is_refused(tmp_path: Path) -> None:
    whole = tar(members(cpython()))
    first = 512 + len(members(cpython())[0][1])
    first += -first % 512
    (tmp_path / NAME).write_bytes(gzip.compress(whole[:first]))
    with pytest.raises(CzscieError) as caught:
        read_archive(tmp_path / NAME)
    assert str(caught.value) == f"error: {tmp_path / NAME} is not a valid archive\n  it ends early"


def test_a_damaged_header_in_the_middle_is_not_taken_for_the_end(tmp_path: Path) -> None:
    damaged = bytearray(tar(members(cpython())))
    second = 512 + len(members(cpython())[0][1])
    second += -second % 512
    damaged[second + 150] ^= 0xFF
    (tmp_path / NAME).write_bytes(gzip.compress(bytes(damaged)))
    with pytest.raises(CzscieError) as caught:
        read_archive(tmp_path / NAME)
    assert caught.value.what == f"{tmp_path / NAME} is not a valid archive"


def test_a_flipped_bit_is_noticed(tmp_path: Path) -> None:
    path = archive(tmp_path, member("python/big", bytes(100_000)))
    damaged = bytearray(path.read_bytes())
    damaged[-3] ^= 1  # the length that gzip keeps at the end
    path.write_bytes(bytes(damaged))
    with pytest.raises(CzscieError) as caught:
        read_archive(path)
    assert caught.value.what == f"{path} is not a valid archive"


def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cpython.rar").write_bytes(b"Rar!")
    with pytest.raises(CzscieError) as caught:
        read_archive(tmp_path / "cpython.rar")
    assert str(caught.value) == (
        f"error: {tmp_path / 'cpython.rar'} is not an archive that czscie reads\n"
        "  its name must end in one of .tar.gz, .tar.zst, .tar.bz2, .zip"
    )


def test_a_zip_is_read_like_a_tar(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "pypy.zip", "w") as archive:
        archive.writestr("top/pypy3.exe", b"MZ")
        archive.writestr("top/Lib/os.py", b"# os")
    items = read_archive(tmp_path / "pypy.zip", "top")
    assert [item.path for item in items] == ["Lib/os.py", "pypy3.exe"]
    with pytest.raises(CzscieError) as caught:
        read_archive(tmp_path / "pypy.zip", "other")
    assert caught.value.why == ("it is not in other/",)


def test_a_zip_that_is_damaged_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pypy.zip").write_bytes(b"PK")
    with pytest.raises(CzscieError) as caught:
        read_archive(tmp_path / "pypy.zip", "top")
    assert caught.value.what == "pypy.zip is damaged, or not a zip file"
