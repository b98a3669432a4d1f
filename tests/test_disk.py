"""Full file systems: small ones are mounted, and every place that a build writes to is one of them once."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from building import Project
from czscie import disk
from czscie.errors import CzscieError
from czscie.image.build import ImageOptions, make_images
from czscie.lock.command import update_lock
from czscie.lock.upgrade import Upgrade
from czscie.network.fetch import fetch
from czscie.network.network import Network
from czscie.network.remote import Remote
from czscie.session import Session
from image.factories import AMD64, saved, tar
from network.server import MirrorServer

Mount = Callable[..., Path]


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Mount]:
    """Mounts a tmpfs with the options that it is given."""
    mounted: list[Path] = []

    def mount(*options: str) -> Path:
        path = tmp_path / f"small-{len(mounted)}"
        path.mkdir()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", path], capture_output=True, text=True
        )
        if done.returncode != 0:
            pytest.skip(f"no tmpfs can be mounted: {done.stderr.strip()}")
        mounted.append(path)
        return path

    if shutil.which("mount") is None or not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root mounts file systems")
    yield mount
    for path in mounted:
        # This process holds the lock of a cache on it.
        subprocess.run(["umount", "--lazy", path], check=True)


def fill(directory: Path, left: int) -> None:
    """Leaves so many bytes of the file system."""
    size = shutil.disk_usage(directory).free - left
    with (directory / "filling").open("ab") as file:
        file.write(bytes(max(size, 0)))


def files(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.rglob("*") if path.is_file() and path.name != "filling")


def test_an_output_without_room_names_the_file_and_the_sizes(project: Project, mount: Mount) -> None:
    project.manifest()
    [built] = project.build()
    small = mount("size=64k")
    fill(small, 4096)
    with pytest.raises(CzscieError) as caught:
        project.build(output=str(small))
    assert caught.value.what == f"no space left for {small / 'moo'}"
    [why] = caught.value.why
    assert why.startswith("it takes ") and f"; the file system of {small} has " in why
    number, unit = why.removeprefix("it takes ").partition(";")[0].replace(",", "").split()
    needed = float(number) * {"bytes": 1, "MB": 1e6}[unit]
    assert 0 < needed <= built.path.stat().st_size + 50_000  # to a tenth of a megabyte
    assert caught.value.hint == "free some space, or write to a directory on another file system"
    assert files(small) == []


def test_a_file_system_without_inodes_says_so(project: Project, mount: Mount) -> None:
    project.manifest()
    small = mount("size=16m", "nr_inodes=2")
    (small / "filling").write_bytes(b"")
    with pytest.raises(CzscieError) as caught:
        project.build(output=str(small))
    assert caught.value.what == f"no space left for {small / 'moo'}"
    assert f"the file system of {small} has no inodes left" in caught.value.why[0]


@pytest.mark.parametrize("left", range(0, 60_000, 8192))
def test_a_cache_without_room_says_what_makes_some(
    project: Project, mount: Mount, monkeypatch: pytest.MonkeyPatch, left: int
) -> None:
    """Wherever the room ends: at a download, an index, a product, or what is known of it."""
    project.manifest()
    small = mount("size=256k")
    monkeypatch.setenv("CZSCIE_CACHE", str(small))
    shutil.copytree(project.directory.parent / "cache" / "launchers", small / "launchers")
    fill(small, left)
    try:
        project.build()
    except CzscieError as error:
        assert error.what.startswith(f"no space left for {small}/")
        assert error.hint is not None and "czscie cache prune; or set CZSCIE_CACHE to " in error.hint
        assert list(project.directory.glob("dist/*")) == []
    (small / "filling").unlink()
    assert len(project.build()) == 1


def test_a_lock_without_room_is_named_and_the_old_one_stays(project: Project, mount: Mount) -> None:
    small = mount("size=64k")
    manifest = small / "lift.toml"
    shutil.copy(project.directory / "moo.pex", small)
    shutil.copy(project.manifest(), manifest)
    update_lock(manifest, Upgrade(), Session.of())
    before = (small / "lift.lock").read_bytes()
    manifest.write_text(manifest.read_text().replace("linux-x86_64", "windows-x86_64"))
    fill(small, 0)
    with pytest.raises(CzscieError, match=f"no space left for {small}/lift.lock") as caught:
        update_lock(manifest, Upgrade(), Session.of())
    assert caught.value.why[0].endswith(f"the file system of {small} has 0 bytes left")
    assert (small / "lift.lock").read_bytes() == before
    assert files(small) == ["lift.lock", "lift.toml", "moo.pex"]


def test_a_temporary_directory_without_room_is_named(
    project: Project, mount: Mount, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = mount("size=16k")
    monkeypatch.setattr("tempfile.tempdir", str(small))
    words = project.directory / "words"
    words.write_bytes(os.urandom(100_000))
    project.manifest(payload="", rest='[[lift.files]]\nname = "words"\n', lift="")
    manifest = project.directory / "lift.toml"
    manifest.write_text(manifest.read_text() + '[[lift.commands]]\nexe = "{cpython}/bin/python3.13"\n')
    with pytest.raises(CzscieError) as caught:
        project.build()
    assert caught.value.what.startswith(f"no space left for {small}/")
    assert "TMPDIR" in (caught.value.hint or "")


def test_an_image_without_room_names_it(project: Project, mount: Mount) -> None:
    base = saved({"layer.tar": tar({"etc/a": os.urandom(20_000)})}, platform=AMD64, config={})
    (project.directory / "base.tar").write_bytes(base)
    manifest = project.manifest(lift='image = { base = ["base.tar"] }')
    small = mount("size=16k")
    for order in (
        ImageOptions.parse(small / "moo.tar", None, None, ()),
        ImageOptions.parse(None, small / "oci", None, ()),
    ):
        with pytest.raises(CzscieError, match=f"no space left for {small}/") as caught:
            make_images(manifest, [], order, Session.of())
        assert caught.value.why[0].startswith("it takes ")
        assert files(small) == []


def test_a_quota_is_called_one(tmp_path: Path) -> None:
    error = OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))
    with pytest.raises(CzscieError) as caught, disk.writing(tmp_path / "a" / "b", 200_000):
        raise error
    assert caught.value.what == f"no space left for {tmp_path / 'a' / 'b'}"
    assert caught.value.why == (
        f"it takes 0.2 MB; this user's quota is used up on the file system of {tmp_path}",
    )


def test_other_errors_stay_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(PermissionError), disk.writing(tmp_path):
        raise PermissionError(errno.EACCES, "no")


def test_where_the_file_is_not_known_the_places_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CZSCIE_CACHE", str(tmp_path / "cache"))
    error = disk.explain(OSError(errno.ENOSPC, "No space left on device"))
    assert error.what == "a file system is full"
    assert error.why[0].startswith(f"the file system of {tmp_path} has ")
    assert error.hint is not None and "CZSCIE_CACHE" in error.hint and "TMPDIR" in error.hint
    named = disk.explain(OSError(errno.ENOSPC, "No space left on device", str(tmp_path / "file")))
    assert named.what == f"no space left for {tmp_path / 'file'}"


@pytest.mark.parametrize(
    "text",
    ["cp: No space left on device", "OSError: [Errno 28] x", "error: NoSpaceLeft", "Disk quota exceeded"],
)
def test_what_programs_say_of_it_is_known(text: str) -> None:
    assert disk.says_full(text)


def test_what_they_say_of_something_else_is_not() -> None:
    assert not disk.says_full("no such file or directory")


def test_a_download_without_room_is_gone_on_with(
    project: Project, server: MirrorServer, mount: Mount, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.files["/words"] = os.urandom(300_000)
    small = mount("size=200k")
    monkeypatch.setenv("CZSCIE_CACHE", str(small))
    digest = hashlib.sha256(server.files["/words"]).hexdigest()
    remote = Remote("words", digest, (f"{server.url}/words",), 300_000)
    with pytest.raises(CzscieError) as caught:
        fetch([remote], Network.of())
    assert caught.value.what == f"no space left for {remote.path}"
    assert caught.value.why[0].startswith("it takes 0.3 MB; the file system of ")
    subprocess.run(["mount", "-o", "remount,size=1m", small], check=True)
    assert fetch([remote], Network.of())[0].read_bytes() == server.files["/words"]
