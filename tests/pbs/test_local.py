from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from czscie.container.content import File
from czscie.errors import CzscieError
from czscie.implementation import CPYTHON, Implementation
from czscie.pbs.distribution import Layout
from czscie.pbs.local import resolve_local
from czscie.platforms import find_platform
from elf_image import elf_image
from pbs.factories import AARCH64_PYTHON, cpython, members, tar_gz, tar_zst, windows_cpython

LINUX = find_platform("linux-x86_64")


def directory(root: Path, python: bytes | None = None) -> Path:
    files = cpython() if python is None else cpython(python=python)
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(0o755 if name.startswith("bin/") else 0o644)
    (root / "bin/python3").symlink_to("python3.13")
    return root


def test_a_directory_gives_its_files_and_links(tmp_path: Path) -> None:
    root = directory(tmp_path / "cpython")
    source = resolve_local(root, LINUX)
    distribution = source.load()
    assert distribution.layout == Layout(
        Implementation(CPYTHON, "3.13.9"), "bin/python3.13", "lib/python3.13"
    )
    assert distribution.glibc == (2, 17)
    assert {item.path for item in distribution.items} == {*cpython(), "bin/python3"}
    assert source.description == "cpython 3.13.9 x86_64-unknown-linux-gnu from a directory"
    assert source.size == sum(map(len, cpython().values()))


@pytest.mark.parametrize("inside", ["python", "python/install"])
def test_the_directory_that_an_archive_was_unpacked_to_may_be_named(tmp_path: Path, inside: str) -> None:
    directory(tmp_path / "unpacked" / inside)
    assert resolve_local(tmp_path / "unpacked", LINUX).load().layout.python == "bin/python3.13"


def test_the_digest_is_of_the_content_and_not_of_the_place(tmp_path: Path) -> None:
    first, second = directory(tmp_path / "a"), directory(tmp_path / "b" / "c")
    os.utime(second / "lib/python3.13/os.py", (0, 0))
    (second / "lib/python3.13/os.py").chmod(0o600)
    (second / "lib/python3.13/__pycache__").mkdir()
    (second / "lib/python3.13/__pycache__/os.cpython-313.pyc").write_bytes(b"made by whoever started it")
    assert resolve_local(first, LINUX).digest == resolve_local(second, LINUX).digest


@pytest.mark.parametrize("change", ["content", "mode", "name", "link"])
def test_the_digest_changes_with_everything_that_counts(tmp_path: Path, change: str) -> None:
    root = directory(tmp_path / "cpython")
    before = resolve_local(root, LINUX).digest
    module = root / "lib/python3.13/os.py"
    if change == "content":
        module.write_bytes(b"# so\n")
    elif change == "mode":
        module.chmod(0o744)
    elif change == "name":
        module.with_name("so.py").write_bytes(b"")
    else:
        (root / "bin/python3").unlink()
        (root / "bin/python3").symlink_to("./python3")
    assert resolve_local(root, LINUX).digest != before


@pytest.mark.parametrize("name", ["cpython.tar.gz", "cpython.tar.zst"])
def test_an_archive_is_read_like_one_of_pbs(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes((tar_gz if name.endswith(".gz") else tar_zst)(members(cpython())))
    source = resolve_local(path, LINUX)
    assert source.digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert source.size == path.stat().st_size
    assert source.description == f"cpython from {name}"
    assert source.load().layout.version == "3.13.9"


def test_an_archive_for_windows_is_read_anywhere(tmp_path: Path) -> None:
    path = tmp_path / "cpython.tar.gz"
    path.write_bytes(tar_gz(members(windows_cpython())))
    assert resolve_local(path, find_platform("windows-x86_64")).load().layout.python == "python.exe"


def test_an_archive_that_changes_during_the_build_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cpython.tar.gz"
    path.write_bytes(tar_gz(members(cpython())))
    source = resolve_local(path, LINUX)
    path.write_bytes(tar_gz(members(cpython("3.13.10"))))
    with pytest.raises(CzscieError) as caught:
        source.load()
    assert str(caught.value) == f"error: {path} changed during the build\nhint: build again"


def test_an_interpreter_for_another_platform_is_refused(tmp_path: Path) -> None:
    root = directory(tmp_path / "cpython", AARCH64_PYTHON)
    assert resolve_local(root, find_platform("linux-aarch64")).load().platform.name == "linux-aarch64"
    with pytest.raises(CzscieError) as caught:
        resolve_local(root, LINUX)
    assert str(caught.value) == (
        f"error: the interpreter of {root} does not run on linux-x86_64\n"
        "  bin/python3.13 is for linux, aarch64, gnu"
    )


def test_an_interpreter_that_only_starts_where_it_was_installed_is_refused(tmp_path: Path) -> None:
    shared = elf_image(needed=["libpython3.13.so.1.0", "libc.so.6"], runpath="/opt/python/lib")
    root = directory(tmp_path / "cpython", shared)
    with pytest.raises(CzscieError) as caught:
        resolve_local(root, LINUX)
    assert str(caught.value) == (
        f"error: the CPython at {root} does not start on other machines\n"
        "  bin/python3.13 needs libpython3.13.so.1.0, which it does not find inside of that directory\n"
        'hint: run czscie with that CPython and use provider = "Host"'
    )


@pytest.mark.parametrize(
    "python",
    [
        elf_image(needed=["libpython3.13.so.1.0", "libc.so.6"], runpath="/opt/lib:$ORIGIN/../lib"),
        elf_image(needed=["$ORIGIN/../lib/libpython3.13.so.1.0", "libc.so.6"]),
        elf_image(needed=["libcrypt.so.1", "libgcc_s.so.1", "libpthread.so.0"]),
    ],
)
def test_an_interpreter_that_finds_its_library_beside_itself_is_taken(tmp_path: Path, python: bytes) -> None:
    root = directory(tmp_path / "cpython", python)
    (root / "lib/libpython3.13.so.1.0").write_bytes(elf_image(interpreter=None))
    assert resolve_local(root, LINUX).load().layout.python == "bin/python3.13"


def test_a_virtual_environment_is_not_an_interpreter(tmp_path: Path) -> None:
    root = directory(tmp_path / "venv")
    (root / "pyvenv.cfg").write_text("home = /usr/bin\n")
    with pytest.raises(CzscieError) as caught:
        resolve_local(root, LINUX)
    assert str(caught.value) == (
        f"error: {root} is a virtual environment, not an interpreter\n"
        "hint: name the directory that it was made from"
    )


def test_a_link_out_of_the_directory_is_refused(tmp_path: Path) -> None:
    root = directory(tmp_path / "cpython")
    (root / "lib/secrets").symlink_to("/etc")
    with pytest.raises(CzscieError) as caught:
        resolve_local(root, LINUX)
    assert str(caught.value) == (
        f"error: {root} has an unsafe member: 'lib/secrets'\n  it is a link to '/etc', outside the tree"
    )


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_refused(tmp_path: Path) -> None:
    root = directory(tmp_path / "cpython")
    os.mkfifo(root / "lib/pipe")
    with pytest.raises(CzscieError) as caught:
        resolve_local(root, LINUX)
    assert caught.value.what.endswith("'lib/pipe'")


@pytest.mark.parametrize(
    ("name", "why"),
    [("nothing", "there is no such file or directory"), ("cpython.zip", "it is not an archive")],
)
def test_a_path_of_something_else_is_refused(tmp_path: Path, name: str, why: str) -> None:
    (tmp_path / "cpython.zip").write_bytes(b"PK")
    with pytest.raises(CzscieError) as caught:
        resolve_local(tmp_path / name, LINUX)
    assert str(caught.value) == (
        f"error: there is no CPython at {tmp_path / name}\n"
        f"  {why}\n"
        "hint: path must name a directory or an archive that ends in .tar.gz or .tar.zst"
    )


def test_the_contents_are_read_when_they_are_needed(tmp_path: Path) -> None:
    root = directory(tmp_path / "cpython")
    items = {item.path: item for item in resolve_local(root, LINUX).load().items}
    module = items["lib/python3.13/os.py"]
    assert isinstance(module, File)
    assert (module.content.read(), module.content.size, module.executable) == (b"# os\n", 5, False)
