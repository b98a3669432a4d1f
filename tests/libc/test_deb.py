from __future__ import annotations

import io
import lzma
import tarfile

import pytest

from czscie.errors import CzscieError
from czscie.libc.deb import DebianPackage
from libc.factories import ar, deb, tar


@pytest.mark.parametrize("compression", ["xz", "zst", "gz"])
def test_files_are_read_whatever_the_compression(compression: str) -> None:
    package = DebianPackage.read(
        deb({"usr/a": b"one", "usr/odd": b"x"}, {"usr/b": "a"}, compression), "p.deb"
    )
    assert package.file("usr/a").content.read() == b"one"
    assert package.file("usr/b").content.read() == b"one"


def test_a_link_through_a_directory_is_followed() -> None:
    package = DebianPackage.read(
        deb({"usr/lib/x/ld.so": b"ld"}, {"usr/lib64/ld.so": "../lib/x/ld.so"}), "p.deb"
    )
    assert package.file("usr/lib64/ld.so").path == "usr/lib/x/ld.so"


def test_a_file_that_is_not_there_is_named() -> None:
    package = DebianPackage.read(deb({}, {"usr/a": "b", "usr/b": "a"}), "p.deb")
    for path in ("usr/none", "usr/a"):
        with pytest.raises(CzscieError) as caught:
            package.file(path)
        assert str(caught.value) == f"error: p.deb has no file {path}"


def test_links_that_leave_the_package_are_left_out() -> None:
    package = DebianPackage.read(deb({"usr/a": b""}, {"usr/host": "/etc/passwd"}), "p.deb")
    assert list(package.items) == ["usr/a"]


@pytest.mark.parametrize("path", ["../a", "usr/../../a"])
def test_a_member_that_leaves_its_directory_is_refused(path: str) -> None:
    with pytest.raises(CzscieError, match="has an unsafe member"):
        DebianPackage.read(deb({path: b""}), "p.deb")


def test_a_device_is_refused() -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        member = tarfile.TarInfo("./dev/null")
        member.type = tarfile.CHRTYPE
        archive.addfile(member)
    package = ar({"debian-binary": b"2.0\n", "data.tar.xz": lzma.compress(out.getvalue())})
    with pytest.raises(CzscieError, match="neither a plain file nor a link"):
        DebianPackage.read(package, "p.deb")


DATA = lzma.compress(tar({"usr/a": b"one"}))


@pytest.mark.parametrize(
    ("package", "why"),
    [
        (b"", "it is not an ar archive"),
        (ar({"data.tar.xz": DATA}), "its format is not supported"),
        (ar({"debian-binary": b"3.0\n", "data.tar.xz": DATA}), "its format is not supported"),
        (ar({"debian-binary": b"2.0\n"}), "it has no data"),
        (ar({"debian-binary": b"2.0\n", "data.tar.lz4": DATA}), "not supported: lz4"),
        (ar({"debian-binary": b"2.0\n", "data.tar.xz": b"junk" * 9}), "not supported"),
        (ar({"debian-binary": b"2.0\n", "data.tar": b"junk"}), "truncated header"),
        (ar({"debian-binary": b"2.0\n", "data.tar.xz": DATA})[:-60], "it ends early"),
        (ar({"debian-binary": b"2.0\n"})[:-8], "a member's header is damaged"),
    ],
)
def test_a_damaged_package_is_told(package: bytes, why: str) -> None:
    with pytest.raises(CzscieError) as caught:
        DebianPackage.read(package, "p.deb")
    assert caught.value.what == "p.deb is not a valid Debian package"
    assert why in caught.value.why[0]


def test_no_prefix_of_a_package_is_more_than_an_error() -> None:
    whole = deb({"usr/a": b"one" * 50})
    for length in range(len(whole) - 1):
        with pytest.raises(CzscieError):
            DebianPackage.read(whole[:length], "p.deb")


def test_what_unpacks_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("czscie.libc.deb._LARGEST", 5000)
    for compression in ("xz", "zst", "gz"):
        with pytest.raises(CzscieError) as caught:
            DebianPackage.read(deb({"usr/a": bytes(100_000)}, compression=compression), "p.deb")
        assert "unpacks to more than" in caught.value.why[0]
