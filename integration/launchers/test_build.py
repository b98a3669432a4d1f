from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import struct
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import no_files
from czscie.cache import cache_directory, make_way
from czscie.errors import CzscieError
from czscie.launchers import build, libzstd
from czscie.launchers.build import (
    DIGEST_SUFFIX,
    TARGETS,
    compile_launcher,
    digest_of_source,
    file_name,
    find_launcher,
    source_digest,
)
from czscie.platforms import current_launcher

#: ELF's class, byte order and machine (gABI, EM_*), PE's machine, Mach-O's cputype.
ELF: Mapping[str, tuple[int, int, int]] = {
    "linux-x86_64": (2, 1, 62),
    "linux-aarch64": (2, 1, 183),
    "linux-armv7l": (1, 1, 40),
    "linux-powerpc64": (2, 1, 21),
    "linux-riscv64": (2, 1, 243),
    "linux-s390x": (2, 2, 22),
}
PE = {"windows-x86_64": 0x8664, "windows-aarch64": 0xAA64}
MACHO = {"macos-x86_64": 0x01000007, "macos-aarch64": 0x0100000C}
PT_INTERP, PT_DYNAMIC = 3, 2


@pytest.fixture(autouse=True)
def digest_of_this_test() -> Iterator[None]:
    """Digests of a source that a test replaced are not those of the next test."""
    yield
    source_digest.cache_clear()


def native_copy(directory: Path) -> Path:
    """The launcher's source, to be changed."""
    ignored = shutil.ignore_patterns(".zig-cache", "zig-out")
    return shutil.copytree(build.native_source(), directory / "native", ignore=ignored)


def segments(data: bytes) -> set[int]:
    """The kinds of an ELF file's segments."""
    order = "<" if data[5] == 1 else ">"
    wide = data[4] == 2
    (start,) = struct.unpack_from(f"{order}Q" if wide else f"{order}I", data, 32 if wide else 28)
    size, count = struct.unpack_from(f"{order}2H", data, 54 if wide else 42)
    return {struct.unpack_from(f"{order}I", data, start + n * size)[0] for n in range(count)}


@pytest.fixture(scope="module", params=TARGETS)
def compiled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """The launcher of each target, compiled now; Zig's cache lasts from one run to the next."""
    directory = tmp_path_factory.mktemp("launchers")
    return request.param, compile_launcher(request.param, directory, cache_directory("launchers"))


def test_every_target_compiles_to_the_file_that_its_name_says(compiled: tuple[str, Path]) -> None:
    launcher, path = compiled
    data = path.read_bytes()
    if launcher in ELF:
        order = "<" if ELF[launcher][1] == 1 else ">"
        assert data[:4] == b"\x7fELF"
        assert (data[4], data[5], struct.unpack_from(f"{order}H", data, 18)[0]) == ELF[launcher]
        assert segments(data).isdisjoint({PT_INTERP, PT_DYNAMIC}), "it is static"
    elif launcher in PE:
        (header,) = struct.unpack_from("<I", data, 0x3C)
        assert data[:2] == b"MZ"
        assert data[header : header + 4] == b"PE\0\0"
        assert struct.unpack_from("<H", data, header + 4)[0] == PE[launcher]
        assert struct.unpack_from("<H", data, header + 24 + 68)[0] == 3, "it is a console program"
    else:
        assert struct.unpack_from("<II", data) == (0xFEEDFACF, MACHO[launcher])


def test_a_launcher_is_small_and_alone(compiled: tuple[str, Path]) -> None:
    launcher, path = compiled
    assert path.name == file_name(launcher)
    digest = path.with_name(f"{path.name}{DIGEST_SUFFIX}")
    assert sorted(path.parent.iterdir()) == [path, digest]
    assert digest.read_text() == hashlib.sha256(path.read_bytes()).hexdigest()
    assert 100_000 < path.stat().st_size < 800_000


def test_a_launcher_holds_no_path_of_the_build_machine(compiled: tuple[str, Path]) -> None:
    data = compiled[1].read_bytes()
    for path in (build.native_source(), cache_directory("launchers"), Path.home()):
        assert f"{path}/".encode() not in data


def test_a_launcher_has_the_same_bytes_whatever_the_directory_and_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a lock pins is what everybody else compiles."""
    here = compile_launcher(current_launcher(), tmp_path / "here", cache_directory("launchers"))
    source = native_copy(tmp_path / "another place")
    monkeypatch.setattr(build, "native_source", lambda: source)
    shutil.copytree(
        libzstd.libzstd_source(cache_directory("launchers")), libzstd._directory(tmp_path / "cold")
    )
    there = compile_launcher(current_launcher(), tmp_path / "there", tmp_path / "cold")
    assert there.read_bytes() == here.read_bytes()


def test_a_launcher_that_is_damaged_is_not_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "native_source", lambda: tmp_path)
    monkeypatch.setattr(build, "_PACKAGE", tmp_path)
    path = tmp_path / file_name("linux-x86_64")
    path.write_bytes(b"launcher")
    whole = hashlib.sha256(b"launcher").hexdigest()
    (tmp_path / f"{path.name}{DIGEST_SUFFIX}").write_text(whole)
    assert find_launcher("linux-x86_64", tmp_path) == path
    assert find_launcher("linux-x86_64", tmp_path, whole) == path
    assert find_launcher("linux-x86_64", tmp_path, "0" * 64) is None
    for damage in (b"launches", b"launche", b""):
        path.write_bytes(damage)
        assert find_launcher("linux-x86_64", tmp_path) is None
    path.write_bytes(b"launcher")
    for kind in no_files.KINDS if os.name != "nt" else ():
        digest = tmp_path / f"{path.name}{DIGEST_SUFFIX}"
        make_way(digest)
        digest.touch()
        kind(digest)
        assert find_launcher("linux-x86_64", tmp_path) is None


def test_a_launcher_that_differs_from_the_table_of_digests_is_not_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "_PACKAGE", tmp_path)
    path = tmp_path / file_name("linux-x86_64")
    path.write_bytes(b"launcher")
    build.write_digest_table(tmp_path)
    table = tmp_path / build.DIGEST_TABLE
    assert table.read_text() == f"{hashlib.sha256(b'launcher').hexdigest()}  {path.name}\n"
    assert find_launcher("linux-x86_64", tmp_path) == path
    path.write_bytes(b"launches")
    assert find_launcher("linux-x86_64", tmp_path) is None
    path.write_bytes(b"launcher")
    table.write_text("not a table\n")
    assert find_launcher("linux-x86_64", tmp_path) is None


def test_another_compiler_than_the_pinned_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.metadata.version", lambda name: "0.16.0")
    with pytest.raises(CzscieError) as caught:
        compile_launcher("linux-s390x", tmp_path / "out", tmp_path)
    assert caught.value.hint == f"pip install ziglang=={build.ZIG_VERSION}"


def test_the_hosts_launcher_starts_and_says_that_it_is_alone(tmp_path: Path) -> None:
    path = compile_launcher(current_launcher(), tmp_path, cache_directory("launchers"))
    done = subprocess.run([path], capture_output=True, text=True, env={}, stdin=subprocess.DEVNULL)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"{path.name}: error: {path} has no manifest: "
        "it is a bare launcher, or the file is truncated\nhint: copy or download the file again\n"
    )


def test_every_change_of_the_source_changes_the_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = native_copy(tmp_path)
    original = source_digest()
    assert digest_of_source(source) == original, "it does not depend on where the source is"
    digests = [original]
    with (source / "src" / "main.zig").open("a") as file:
        file.write("// changed\n")
    digests.append(digest_of_source(source))
    (source / "src" / "new.zig").write_text("")
    digests.append(digest_of_source(source))
    (source / "src" / "new.zig").rename(source / "src" / "renamed.zig")
    digests.append(digest_of_source(source))
    (source / "src" / "renamed.zig").unlink()
    (source / "src" / "main.zig").unlink()
    digests.append(digest_of_source(source))
    header = next((source / "libzstd").rglob("*.h"))
    header.write_text(header.read_text() + "\n")
    digests.append(digest_of_source(source))
    monkeypatch.setattr(build, "ZIG_VERSION", "0.15.3")
    digests.append(digest_of_source(source))
    monkeypatch.setattr(libzstd, "SHA256", "00" * 32)
    digests.append(digest_of_source(source))
    monkeypatch.setattr(libzstd, "_FLAGS", (*libzstd._FLAGS, "-O2"))
    digests.append(digest_of_source(source))
    monkeypatch.setattr(build, "_OPTIMIZE", "ReleaseFast")
    digests.append(digest_of_source(source))
    assert len(set(digests)) == len(digests)


def test_what_is_not_compiled_does_not_change_the_digest(tmp_path: Path) -> None:
    source = native_copy(tmp_path)
    before = digest_of_source(source)
    (source / ".zig-cache").mkdir()
    (source / ".zig-cache" / "generated.zig").write_text("x")
    (source / "notes.txt").write_text("x")
    assert digest_of_source(source) == before


def test_a_launcher_of_the_installation_comes_before_one_of_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package, cache = tmp_path / "package", tmp_path / "cache"
    package.mkdir()
    cache.mkdir()
    monkeypatch.setattr(build, "_PACKAGE", package)
    monkeypatch.setattr(build, "native_source", lambda: tmp_path)
    assert find_launcher("linux-x86_64", cache) is None
    (cache / "linux-x86_64-0123456789abcdef").write_text("of another source")
    assert find_launcher("linux-x86_64", cache) is None
    (cache / file_name("linux-x86_64")).write_text("")
    assert find_launcher("linux-x86_64", cache) == cache / file_name("linux-x86_64")
    (package / file_name("linux-x86_64")).write_text("")
    assert find_launcher("linux-x86_64", cache) == package / file_name("linux-x86_64")
    assert find_launcher("linux-aarch64", cache) is None


def test_without_a_compiler_the_error_says_how_to_get_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(CzscieError) as caught:
        compile_launcher("linux-s390x", tmp_path / "out", tmp_path)
    assert str(caught.value) == (
        "error: this installation has no launcher for linux-s390x "
        "and no compiler to build it\n"
        "hint: pip install 'czscie[native]'"
    )
    assert list(tmp_path.iterdir()) == []


def test_source_that_does_not_compile_leaves_no_launcher(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = native_copy(tmp_path)
    main = source / "src" / "main.zig"
    main.write_text(main.read_text().replace("pub fn main() void {", "pub fn main() void { nonsense();"))
    monkeypatch.setattr(build, "native_source", lambda: source)
    with pytest.raises(CzscieError) as caught:
        compile_launcher(current_launcher(), tmp_path / "out", cache_directory("launchers"))
    text = str(caught.value)
    assert text.startswith(f"error: the launcher for {current_launcher()} does not compile\n")
    assert "use of undeclared identifier 'nonsense'" in text
    assert "hint:" not in text, "the compiler is the right one: no other would help"
    assert list((tmp_path / "out").iterdir()) == []
