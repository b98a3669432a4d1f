from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path

import pytest

from czscie.cache import cache_directory
from czscie.errors import CzscieError
from czscie.launchers import libzstd
from czscie.launchers.libzstd import libzstd_source

ROOT = "pyzstd-0.17.0"


def sdist(directory: Path, *members: tarfile.TarInfo | str) -> Path:
    """A source distribution of the name that is asked for; a member that is a name is a file."""
    directory.mkdir(exist_ok=True)
    path = directory / f"{ROOT}.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for member in members:
            if isinstance(member, str):
                content = member.encode()
                info = tarfile.TarInfo(member)
                info.size = len(content)
                info.mtime = 1_000_000_000
                archive.addfile(info, io.BytesIO(content))
            else:
                archive.addfile(member)
    return path


@pytest.fixture(autouse=True)
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """All that pip finds in these tests: a directory."""
    directory = tmp_path / "index"
    directory.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(directory))
    return directory


def test_the_source_is_kept_and_holds_what_a_decoder_needs() -> None:
    cache = cache_directory("launchers")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PIP_NO_INDEX")
        patch.delenv("PIP_FIND_LINKS")
        source = libzstd_source(cache)
    assert source == libzstd_source(cache), "without an index: it is there already"
    assert "#define ZSTD_VERSION_RELEASE  7" in (source / "zstd.h").read_text()
    assert (source / "decompress" / "zstd_decompress.c").is_file()
    assert {path.name for path in source.iterdir() if path.is_dir()} == {"common", "decompress"}


def test_a_damaged_source_is_fetched_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = sdist(tmp_path, f"{ROOT}/zstd/lib/zstd.h", f"{ROOT}/zstd/lib/common/mem.h")
    libzstd._extract(archive, tmp_path / "whole")
    monkeypatch.setattr(libzstd, "_fetch", lambda directory, offline: archive)
    monkeypatch.setattr(libzstd, "TREE", libzstd.tree_digest(tmp_path / "whole"))
    source = libzstd_source(tmp_path / "cache")
    (source / "zstd.h").write_text("damaged")
    assert not libzstd.has_source(tmp_path / "cache")
    assert libzstd_source(tmp_path / "cache") == source
    assert libzstd.has_source(tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == [source]


def test_a_source_that_is_there_is_not_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = tmp_path / "cache" / f"libzstd-{libzstd.SHA256[:16]}"
    directory.mkdir(parents=True)
    monkeypatch.setattr(libzstd, "TREE", libzstd.tree_digest(directory))
    assert libzstd_source(tmp_path / "cache") == directory


def test_offline_nothing_is_fetched(tmp_path: Path) -> None:
    with pytest.raises(CzscieError) as caught:
        libzstd_source(tmp_path / "cache", offline=True)
    assert caught.value.why == ("the launcher is compiled with it, and --offline or CZSCIE_OFFLINE is set",)


def test_without_an_index_the_error_names_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(CzscieError) as caught:
        libzstd_source(tmp_path / "cache")
    text = str(caught.value)
    assert text.startswith(
        "error: cannot fetch the source of libzstd (pyzstd==0.17.0), which is compiled into the launcher\n"
    )
    assert "No matching distribution found for pyzstd==0.17.0" in text
    assert "hint: run it again with access to a package index" in text
    assert list((tmp_path / "cache").iterdir()) == []


def test_another_source_than_the_pinned_one_is_refused(tmp_path: Path, index: Path) -> None:
    path = sdist(index, f"{ROOT}/zstd/lib/zstd.h")
    with pytest.raises(CzscieError) as caught:
        libzstd_source(tmp_path / "cache")
    text = str(caught.value)
    assert libzstd.SHA256 in text
    assert hashlib.sha256(path.read_bytes()).hexdigest() in text
    assert list((tmp_path / "cache").iterdir()) == []


def test_only_regular_files_of_the_library_are_taken(tmp_path: Path) -> None:
    link = tarfile.TarInfo(f"{ROOT}/zstd/lib/common/link.h")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    archive = sdist(
        tmp_path / "sdist",
        f"{ROOT}/setup.py",
        f"{ROOT}/zstd/lib/zstd.h",
        f"{ROOT}/zstd/lib/common/mem.h",
        f"{ROOT}/zstd/lib/decompress/deep/x.c",
        f"{ROOT}/zstd/lib/compress/zstd_compress.c",
        f"{ROOT}/zstd/lib/common/../../../../../outside.h",
        f"../{ROOT}/zstd/lib/outside.h",
        f"/{ROOT}/zstd/lib/outside.h",
        link,
    )
    target = tmp_path / "out" / "lib"
    libzstd._extract(archive, target)
    found = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*"))
    assert found == ["lib/common/mem.h", "lib/decompress/deep/x.c", "lib/zstd.h"]
    assert list(tmp_path.rglob("outside.h")) == []
    assert (target / "zstd.h").stat().st_mtime == 1_000_000_000


def test_an_interrupted_fetch_leaves_no_half_of_a_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(archive: Path, directory: Path) -> None:
        directory.mkdir()
        (directory / "zstd.h").write_text("half")
        raise KeyboardInterrupt

    monkeypatch.setattr(libzstd, "_fetch", lambda directory, offline: directory)
    monkeypatch.setattr(libzstd, "_extract", fail)
    with pytest.raises(KeyboardInterrupt):
        libzstd_source(tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []
