from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import no_files
from czscie.container.content import Data, File
from czscie.filesystem import digest_of
from czscie.implementation import CPYTHON, Implementation
from czscie.pack.compiler import Compiler
from czscie.pack.python import installed_compiler, magic_number, own_compiler
from czscie.pbs.distribution import Distribution, Layout
from czscie.platforms import find_platform

LINUX = find_platform("linux-x86_64")
HERE = "{}.{}".format(*sys.version_info)


def distribution(files: dict[str, bytes], minor: str = "3.13") -> Distribution:
    items = tuple(File(path, Data(content)) for path, content in sorted(files.items()))
    return Distribution(
        LINUX,
        Layout(Implementation(CPYTHON, f"{minor}.1"), f"bin/python{minor}", f"lib/python{minor}"),
        items,
        None,
    )


def test_the_magic_number_stands_in_importlib() -> None:
    text = b"# MAGIC_NUMBER\nMAGIC_NUMBER = (3571).to_bytes(2, 'little') + b'\\r\\n'\n"
    found = magic_number(distribution({"lib/python3.13/importlib/_bootstrap_external.py": text}))
    assert found == b"\xf3\x0d\r\n"


def test_the_magic_number_stands_in_a_header_later() -> None:
    files = {
        "lib/python3.14/importlib/_bootstrap_external.py": b"MAGIC_NUMBER = _imp.pyc_magic_number_token\n",
        "include/python3.14/internal/pycore_magic_number.h": b"\n#define PYC_MAGIC_NUMBER 3627\n",
    }
    assert magic_number(distribution(files, "3.14")) == (3627).to_bytes(2, "little") + b"\r\n"


def test_a_tree_that_does_not_tell_has_none() -> None:
    assert magic_number(distribution({"lib/python3.13/os.py": b""})) is None


def test_the_running_python_compiles_for_its_like() -> None:
    found = installed_compiler(HERE, importlib.util.MAGIC_NUMBER)
    assert found is not None and found.magic == importlib.util.MAGIC_NUMBER


def test_no_other_bytecode_is_taken() -> None:
    assert installed_compiler(HERE, b"\x01\x02\r\n") is None
    assert installed_compiler(HERE, None) is None
    assert installed_compiler("3.1", importlib.util.MAGIC_NUMBER) is None


def test_a_python_in_the_path_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "python3.99").symlink_to(sys.executable)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = installed_compiler("3.99", importlib.util.MAGIC_NUMBER)
    assert found is not None and found.python == tmp_path / "python3.99"


def test_an_interpreter_that_does_not_start_here_is_no_compiler(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CZSCIE_CACHE", str(tmp_path))
    broken = distribution({"bin/python3.13": b"not a program", "lib/python3.13/os.py": b""})
    assert own_compiler("0" * 64, broken.layout, lambda: broken) is None
    assert [path.name for path in (tmp_path / "compilers").iterdir()] == []


def test_an_interpreter_is_unpacked_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CZSCIE_CACHE", str(tmp_path))
    program = f'#!/bin/sh\nexec "{sys.executable}" "$@"\n'.encode()
    tree = distribution({"lib/python3.13/os.py": b"", "lib/python3.13/test/big.py": b""})
    tree = Distribution(
        LINUX, tree.layout, (File("bin/python3.13", Data(program), executable=True), *tree.items), None
    )
    loads = []

    def load() -> Distribution:
        loads.append(tree)
        return tree

    for _ in range(2):
        found = own_compiler("1" * 64, tree.layout, load)
        assert found is not None and found.compile([("a.py", b"x = 1")]).results != [b""]
    assert len(loads) == 1
    unpacked = tmp_path / "compilers" / ("1" * 64) / "lib" / "python3.13"
    assert [path.name for path in unpacked.iterdir()] == ["os.py"]


@pytest.fixture
def unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Path]:
    """Has a Python that runs nothing unpacked to compile with, and returns where."""
    monkeypatch.setenv("CZSCIE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(Compiler, "probe", lambda python, identity: Compiler(python, identity, b"", ""))
    found = distribution({"bin/python3.13": b"python", "lib/python3.13/os.py": b"# os"})

    def unpack() -> Path:
        compiler = own_compiler("digest", found.layout, lambda: found)
        assert compiler is not None
        return compiler.python.parents[1]

    return unpack


@pytest.mark.parametrize(
    "damage",
    [
        lambda tree: (tree / "bin" / "python3.13").write_bytes(b"pythos"),
        lambda tree: (tree / "bin" / "python3.13").write_bytes(b""),
        lambda tree: (tree / "lib" / "python3.13" / "os.py").unlink(),
        lambda tree: (tree / "lib" / "python3.13" / "re.py").write_bytes(b"raise SystemExit"),
        lambda tree: tree.with_name("digest.sha256").write_bytes(b"\xff"),
        *(
            lambda tree, kind=kind: kind(tree.with_name("digest.sha256"))
            for kind in (no_files.KINDS if os.name != "nt" else ())
        ),
    ],
)
def test_a_damaged_python_is_unpacked_again(
    unpacked: Callable[[], Path], damage: Callable[[Path], object]
) -> None:
    tree = unpacked()
    before = digest_of(tree)
    damage(tree)
    assert unpacked() == tree
    assert digest_of(tree) == before
    assert sorted(path.name for path in tree.parent.iterdir()) == ["digest", "digest.sha256"]


def test_a_whole_one_is_unpacked_once(unpacked: Callable[[], Path]) -> None:
    tree = unpacked()
    written = tree.stat().st_ino
    assert unpacked().stat().st_ino == written
