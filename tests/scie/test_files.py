from __future__ import annotations

import hashlib
import io
import random
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import zstandard

from czscie.console import Console
from czscie.container.plan import ENTRY_NAME, Plan
from czscie.container.zip import read_directory, read_entry
from czscie.errors import CzscieError
from czscie.lift.embedded_file import EmbeddedFile
from czscie.lift.manifest import read_manifest
from czscie.network.network import Network
from czscie.platforms import find_platform
from czscie.scie.files import locate, write_files
from elf_image import AARCH64, MUSL_LOADER, elf_image
from network.server import MirrorServer, mirror_server

LINUX = find_platform("linux-x86_64")


def embedded(directory: Path, *tables: str) -> list[EmbeddedFile]:
    """The files of a manifest in `directory`."""
    text = '[lift]\nname = "moo"\nplatforms = ["linux-x86_64"]\n[[lift.commands]]\nexe = "/bin/cat"\n'
    path = directory / "lift.toml"
    path.write_text(text + "".join(f"[[lift.files]]\n{table}\n" for table in tables))
    return list(read_manifest(path).files)


def write(directory: Path, *tables: str) -> tuple[Plan, dict[str, bytes]]:
    """The plan of these files, and what it installs."""
    output = directory / "out" / "files.zip"
    located = [(file, locate(file, Network.of(), Console())) for file in embedded(directory, *tables)]
    plan = write_files(located, LINUX, output, 3).plan
    data = output.read_bytes()
    entries = read_directory(io.BytesIO(data), len(data))
    assert ENTRY_NAME in [entry.name for entry in entries.entries]
    installed = {}
    for file in plan.files:
        content = read_entry(io.BytesIO(data), entries.entry(file.content.entry))
        installed[file.path] = content[file.content.offset :][: file.content.size]
    return plan, installed


def archive(path: Path, mode: str, *members: tarfile.TarInfo, **contents: bytes) -> None:
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]
        for name, data in contents.items():
            info = tarfile.TarInfo(name.replace("_", "/"))
            info.size, info.mode = len(data), 0o755 if name.startswith("bin") else 0o644
            tar.addfile(info, io.BytesIO(data))
        for member in members:
            tar.addfile(member)


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def test_a_file_is_embedded_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("moo\n")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/tool").write_bytes(b"#!/bin/sh\n")
    plan, installed = write(tmp_path, 'name = "words.txt"', 'name = "sub/tool"\nis_executable = true')
    assert installed == {"words.txt": b"moo\n", "sub/tool": b"#!/bin/sh\n"}
    assert {file.path: file.executable for file in plan.files} == {"words.txt": False, "sub/tool": True}


def test_what_may_be_executed_here_may_be_when_it_is_installed(tmp_path: Path) -> None:
    for name in ("tool", "words"):
        (tmp_path / name).write_bytes(b"#!/bin/sh\n")
    (tmp_path / "tool").chmod(0o755)
    plan, _ = write(tmp_path, 'name = "tool"', 'name = "words"\nis_executable = false')
    assert [file.path for file in plan.files if file.executable] == ["tool"]


def test_a_file_is_looked_for_beside_the_manifest_and_then_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "manifest").mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for name in ("manifest/both", "here/both", "here/other"):
        (tmp_path / name).write_text(name)
    _, installed = write(tmp_path / "manifest", 'name = "both"', 'name = "other"')
    assert installed == {"both": b"manifest/both", "other": b"here/other"}


def test_a_directory_is_embedded_with_modes_and_links(tmp_path: Path) -> None:
    (tmp_path / "share/deep").mkdir(parents=True)
    (tmp_path / "share/deep/words").write_text("moo")
    (tmp_path / "share/tool").write_text("#!/bin/sh\n")
    (tmp_path / "share/tool").chmod(0o755)
    (tmp_path / "share/link").symlink_to("deep/words")
    plan, installed = write(tmp_path, 'name = "share"')
    assert installed == {"share/deep/words": b"moo", "share/tool": b"#!/bin/sh\n"}
    assert [file.path for file in plan.files if file.executable] == ["share/tool"]
    assert [(each.path, each.target) for each in plan.links] == [("share/link", "deep/words")]


def test_an_empty_directory_is_there_nevertheless(tmp_path: Path) -> None:
    (tmp_path / "empty" / "inner").mkdir(parents=True)
    assert write(tmp_path, 'name = "empty"')[0].directories == ("empty", "empty/inner")


def test_an_empty_directory_of_an_archive_is_there_nevertheless(tmp_path: Path) -> None:
    archive(tmp_path / "a.tar", "w:", link("empty", "", tarfile.DIRTYPE), bin_moo=b"moo")
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as made:
        made.writestr("empty/", b"")
    plan, _ = write(tmp_path, 'name = "a.tar"', 'name = "b.zip"')
    assert {"a.tar/empty", "b.zip/empty"} <= set(plan.directories)


def test_an_archive_can_begin_with_its_own_directory(tmp_path: Path) -> None:
    own = [link(name, "", tarfile.DIRTYPE) for name in (".", "./", "./inner")]
    archive(tmp_path / "a.tar", "w:", *own, **{"./moo": b"moo"})
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as made:
        made.writestr("./", b"")
        made.writestr("./moo", b"moo")
    plan, installed = write(tmp_path, 'name = "a.tar"', 'name = "b.zip"')
    assert installed == {"a.tar/moo": b"moo", "b.zip/moo": b"moo"}
    assert plan.directories == ("a.tar", "a.tar/inner", "b.zip")


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("share.tar", "w:"),
        ("share.tar.gz", "w:gz"),
        ("share.tgz", "w:gz"),
        ("share.tar.bz2", "w:bz2"),
        ("share.tar.xz", "w:xz"),
    ],
)
def test_an_archive_is_unpacked_below_its_name(tmp_path: Path, name: str, mode: str) -> None:
    archive(tmp_path / name, mode, link("l", "bin/tool"), bin_tool=b"#!/bin/sh\n", words=b"moo")
    plan, installed = write(tmp_path, f'name = "{name}"')
    assert installed == {f"{name}/bin/tool": b"#!/bin/sh\n", f"{name}/words": b"moo"}
    assert [file.path for file in plan.files if file.executable] == [f"{name}/bin/tool"]
    assert [(each.path, each.target) for each in plan.links] == [(f"{name}/l", "bin/tool")]


def test_a_zip_is_unpacked_below_its_name(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "share.zip", "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("words", b"moo" * 100)
        tool = zipfile.ZipInfo("bin/tool")
        tool.external_attr = 0o100755 << 16
        made.writestr(tool, b"#!/bin/sh\n")
        made.mkdir("directory") if hasattr(made, "mkdir") else made.writestr("directory/", b"")
    plan, installed = write(tmp_path, 'name = "share.zip"')
    assert installed == {"share.zip/words": b"moo" * 100, "share.zip/bin/tool": b"#!/bin/sh\n"}
    assert [file.path for file in plan.files if file.executable] == ["share.zip/bin/tool"]


def test_an_archive_of_zstd_or_zlib_is_unpacked_too(tmp_path: Path) -> None:
    archive(tmp_path / "plain.tar", "w:", link("l", "bin/tool"), bin_tool=b"#!/bin/sh\n", words=b"moo" * 9000)
    plain = (tmp_path / "plain.tar").read_bytes()
    (tmp_path / "a.tar.zst").write_bytes(zstandard.compress(plain))
    (tmp_path / "b.tzst").write_bytes(zstandard.compress(plain))
    (tmp_path / "c.tar.Z").write_bytes(zlib.compress(plain))
    (tmp_path / "d.bin").write_bytes(zlib.compress(plain))
    names = ("a.tar.zst", "b.tzst", "c.tar.Z", "d.bin")
    tables = [f'name = "{name}"' for name in names[:3]]
    plan, installed = write(tmp_path, *tables, 'name = "d.bin"\ntype = "tar.Z"')
    assert installed == {
        path: data
        for name in names
        for path, data in ((f"{name}/bin/tool", b"#!/bin/sh\n"), (f"{name}/words", b"moo" * 9000))
    }
    assert [file.path for file in plan.files if file.executable] == [f"{name}/bin/tool" for name in names]


@pytest.mark.parametrize("compress", [zlib.compress, zstandard.compress])
@pytest.mark.parametrize("kept", [1, 200, 3000])
def test_an_archive_of_zstd_or_zlib_that_ends_early_is_an_error(
    tmp_path: Path, compress: Callable[[bytes], bytes], kept: int
) -> None:
    archive(tmp_path / "plain.tar", "w:", words=random.Random(1).randbytes(5000))
    whole = compress((tmp_path / "plain.tar").read_bytes())
    name = "a.tar.Z" if compress is zlib.compress else "a.tar.zst"
    (tmp_path / name).write_bytes(whole[:-kept])
    with pytest.raises(CzscieError, match="cannot be read"):
        write(tmp_path, f'name = "{name}"')


def test_a_hard_link_is_a_copy(tmp_path: Path) -> None:
    archive(tmp_path / "a.tar", "w:", link("copy", "words", tarfile.LNKTYPE), words=b"moo")
    assert write(tmp_path, 'name = "a.tar"')[1] == {"a.tar/words": b"moo", "a.tar/copy": b"moo"}


def test_an_archive_that_is_to_stay_one_stays_one(tmp_path: Path) -> None:
    archive(tmp_path / "a.tar", "w:", words=b"moo")
    data = (tmp_path / "a.tar").read_bytes()
    assert write(tmp_path, 'name = "a.tar"\ntype = "blob"')[1] == {"a.tar": data}


@pytest.mark.parametrize(
    "member",
    [
        tarfile.TarInfo("../outside"),
        tarfile.TarInfo("/outside"),
        tarfile.TarInfo("a/../../outside"),
        link("out", "../../outside"),
        link("out", "/etc/passwd"),
        link("out", "../outside", tarfile.LNKTYPE),
        link("fifo", "", tarfile.FIFOTYPE),
        link("device", "", tarfile.CHRTYPE),
    ],
    ids=lambda member: f"{member.type.decode()} {member.name} {member.linkname}",
)
def test_a_member_that_would_leave_its_directory_is_refused_by_name(
    tmp_path: Path, member: tarfile.TarInfo
) -> None:
    archive(tmp_path / "a.tar", "w:", member, words=b"moo")
    with pytest.raises(CzscieError) as caught:
        write(tmp_path, 'name = "a.tar"')
    assert caught.value.what.startswith("a.tar has an unsafe member: ")
    assert member.name.rpartition("/")[2] in caught.value.what
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["../outside", "/outside", "a\\..\\outside"])
def test_a_member_of_a_zip_that_would_leave_its_directory_is_refused(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as made:
        made.writestr(name, b"")
    with pytest.raises(CzscieError, match=r"a\.zip has an unsafe member"):
        write(tmp_path, 'name = "a.zip"')


@pytest.mark.parametrize(
    "name", ["a.zip", "a.tar", "a.tar.gz", "a.tar.bz2", "a.tar.xz", "a.tar.zst", "a.tar.Z"]
)
def test_an_archive_that_is_none_is_an_error(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\x1f\x8bnone at all" * 100)
    with pytest.raises(CzscieError) as caught:
        write(tmp_path, f'name = "{name}"')
    assert caught.value.what.startswith(f"the lift's file {name} ")


@pytest.mark.parametrize("mode", ["w:gz", "w:bz2", "w:xz"])
def test_an_archive_that_was_altered_is_an_error(tmp_path: Path, mode: str) -> None:
    name = f"a.tar.{mode[2:]}"
    archive(tmp_path / name, mode, words=hashlib.sha256(b"moo").digest() * 1000)
    data = bytearray((tmp_path / name).read_bytes())
    data[len(data) // 2] ^= 0xFF
    (tmp_path / name).write_bytes(data)
    with pytest.raises(CzscieError, match="cannot be read"):
        write(tmp_path, f'name = "{name}"')


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_member_of_a_zip_that_was_altered_is_an_error(tmp_path: Path, method: int) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", method) as made:
        made.writestr("words", hashlib.sha256(b"moo").digest() * 2)
    whole = path.read_bytes()
    for place in range(35, 65):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        with pytest.raises(CzscieError) as caught:
            write(tmp_path, 'name = "a.zip"')
        assert caught.value.what == "the lift's file a.zip cannot be read"


def test_a_zip_that_wants_a_password_is_an_error(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as made:
        made.writestr("words", b"moo")
    data = bytearray((tmp_path / "a.zip").read_bytes())
    data[6] |= 1
    data[data.index(b"PK\1\2") + 8] |= 1
    (tmp_path / "a.zip").write_bytes(data)
    with pytest.raises(CzscieError, match=r"the lift's file a\.zip cannot be read"):
        write(tmp_path, 'name = "a.zip"')


def test_a_file_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(CzscieError) as caught:
        write(tmp_path, 'name = "none"')
    assert str(caught.value) == (
        f"error: the lift's file none is missing\n  there is nothing at {tmp_path}/none\n"
        f"  there is nothing at {tmp_path}/here/none\nhint: name it: --file none=PATH"
    )


def test_a_file_is_what_its_digest_says(tmp_path: Path) -> None:
    (tmp_path / "words").write_bytes(b"moo")
    digest = hashlib.sha256(b"moo").hexdigest()
    table = f'name = "words"\ndigest = {{ size = 3, fingerprint = "{digest}" }}'
    assert write(tmp_path, table)[1] == {"words": b"moo"}
    (tmp_path / "words").write_bytes(b"boo")
    with pytest.raises(CzscieError) as caught:
        write(tmp_path, table)
    assert str(caught.value) == (
        "error: the lift's file words does not match its digest\n"
        f"  found 3 bytes, SHA-256 {hashlib.sha256(b'boo').hexdigest()}\n"
        f"  expected 3 bytes, SHA-256 {digest}"
    )


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MirrorServer]:
    monkeypatch.setenv("CZSCIE_CACHE", str(tmp_path / "cache"))
    with mirror_server() as mirror:
        yield mirror


def from_server(server: MirrorServer, content: bytes) -> str:
    digest = hashlib.sha256(content).hexdigest()
    return (
        f'name = "words"\ndigest = {{ size = {len(content)}, fingerprint = "{digest}" }}\n'
        f'source = {{ url = "{server.url}/words", lazy = false }}'
    )


def test_a_file_of_a_url_is_downloaded_once(tmp_path: Path, server: MirrorServer) -> None:
    server.files["/words"] = b"moo"
    for _ in range(2):
        assert write(tmp_path, from_server(server, b"moo"))[1] == {"words": b"moo"}
    assert len(server.requests) == 1


def test_a_file_of_a_url_that_is_another_one_is_refused(tmp_path: Path, server: MirrorServer) -> None:
    server.files["/words"] = b"boo"
    with pytest.raises(CzscieError) as caught:
        write(tmp_path, from_server(server, b"moo"))
    text = str(caught.value)
    assert hashlib.sha256(b"moo").hexdigest() in text and hashlib.sha256(b"boo").hexdigest() in text
    assert not (tmp_path / "out").exists()


def test_two_files_at_one_place_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.tar").mkdir()
    (tmp_path / "a.tar" / "words").write_text("moo")
    with pytest.raises(CzscieError) as caught:
        write(tmp_path, 'name = "a.tar"', 'name = "a.tar/words"')
    assert str(caught.value) == (
        "error: two of the lift's files would be at a.tar/words\nhint: give one of them another name"
    )


def test_a_file_below_another_file_is_an_error(tmp_path: Path) -> None:
    archive(tmp_path / "a.tar", "w:", words=b"moo")
    (tmp_path / "b").write_text("")
    files = embedded(tmp_path, 'name = "a.tar"\ntype = "blob"', 'name = "b"')
    below = replace(files[1], name="a.tar/b")
    with pytest.raises(CzscieError, match=r"would be at a\.tar/b"):
        write_files([(files[0], tmp_path / "a.tar"), (below, tmp_path / "b")], LINUX, tmp_path / "out.zip", 3)


def test_programs_and_libraries_among_the_files_tell_which_glibc_they_need(tmp_path: Path) -> None:
    def elf(version: str, **more: Any) -> bytes:
        return elf_image(needed=["libc.so.6"], versions={"libc.so.6": [f"GLIBC_{version}"]}, **more)

    contents = {
        "bin_python": elf("2.17"),
        "lib_moo.so.1": elf("2.28", interpreter=None),
        "lib_text": elf("2.99"),  # neither a program nor a library by its name
        "bin_arm": elf("2.98", machine=AARCH64),
        "bin_musl": elf("2.97", interpreter=MUSL_LOADER),
        "bin_damaged": elf("2.96")[:-40],
    }
    archive(tmp_path / "a.tar", "w:", **contents)
    files = [(file, tmp_path / "a.tar") for file in embedded(tmp_path, 'name = "a.tar"')]
    assert write_files(files, LINUX, tmp_path / "out.zip", 3).glibc == (2, 28)
    musl = find_platform("musl-linux-x86_64")
    assert write_files(files, musl, tmp_path / "out.zip", 3).glibc is None
