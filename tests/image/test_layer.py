from __future__ import annotations

import gzip
import hashlib
import tarfile
from pathlib import Path

import pytest

from czscie.container.content import Data, File, Link
from czscie.errors import CzscieError
from czscie.image.layer import TIME, LayerDirectory, write_layer

ITEMS = (
    LayerDirectory("tmp", 0o1777),
    File("app/bin/moo", Data(b"#!"), executable=True),
    File("app/lib/größe.py", Data(b"x = 1\n")),
    LayerDirectory("app/lib"),
    Link("app/lib/link", "größe.py"),
    File("app/" + "long/" * 60 + "name", Data(b"")),
)


def test_everything_is_roots_and_of_one_time(tmp_path: Path) -> None:
    write_layer(ITEMS, tmp_path / "layer")
    with tarfile.open(tmp_path / "layer") as tar:
        members = tar.getmembers()
    assert {(each.uid, each.gid, each.uname, each.gname, each.mtime) for each in members} == {
        (0, 0, "", "", TIME)
    }
    modes = {each.name: oct(each.mode) for each in members}
    assert modes["tmp"] == "0o1777"
    assert modes["app"] == modes["app/bin"] == modes["app/bin/moo"] == "0o755"
    assert modes["app/lib/größe.py"] == "0o644"


def test_directories_come_before_what_is_in_them_and_nothing_twice(tmp_path: Path) -> None:
    write_layer(ITEMS, tmp_path / "layer")
    with tarfile.open(tmp_path / "layer") as tar:
        names = tar.getnames()
    assert len(names) == len(set(names))
    for number, name in enumerate(names):
        parent = name.rpartition("/")[0]
        assert not parent or parent in names[:number]


def test_the_digests_are_those_of_the_file_and_of_its_tar(tmp_path: Path) -> None:
    digests = write_layer(ITEMS, tmp_path / "layer")
    data = (tmp_path / "layer").read_bytes()
    tar = gzip.decompress(data)
    assert (digests.digest, digests.size) == (hashlib.sha256(data).hexdigest(), len(data))
    assert (digests.diff_id, digests.unpacked) == (hashlib.sha256(tar).hexdigest(), len(tar))


def test_the_same_files_make_the_same_layer(tmp_path: Path) -> None:
    assert write_layer(ITEMS, tmp_path / "one") == write_layer(iter(ITEMS), tmp_path / "other")


@pytest.mark.parametrize("path", ["/etc/passwd", "../up", "app/../../up", "app//x", "./app", "app/."])
def test_no_path_leaves_the_root(tmp_path: Path, path: str) -> None:
    with pytest.raises(CzscieError, match="the image contains an unsafe path"):
        write_layer([File(path, Data(b""))], tmp_path / "layer")
    assert list(tmp_path.iterdir()) == []
