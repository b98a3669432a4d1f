from __future__ import annotations

import marshal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from czscie.container.content import Data, File
from czscie.errors import CzscieError
from czscie.implementation import CPYTHON, Implementation
from czscie.lift.pack import PackSettings
from czscie.pack.pack import COMPLETE, NAME
from czscie.pack.standard_library import PackedLibrary, pack_library, reads_xz
from czscie.pbs.distribution import Distribution, Layout
from czscie.platforms import find_platform
from pack.factories import this_python

LINUX = find_platform("linux-x86_64")
ENCODINGS = b'"""Encodings."""\n\nimport codecs\nfrom . import aliases\n'
LIBRARY = {
    "os.py": b"",
    "codecs.py": b"",
    "encodings/__init__.py": ENCODINGS,
    "encodings/utf_8.py": b"",
    "json/__init__.py": b"",
    "json/decoder.py": b"VALUE = 1\n",
    "venv/__init__.py": b"",
    "venv/scripts/common/activate": b"",
    "bad.py": b"def (",
    "hidden.py": b"",
    "hidden.cpython-313.so": b"",
    "test/__init__.py": b"",
    "unittest/__init__.py": b"",
    "unittest/test/__init__.py": b"",
    "idlelib/run.py": b"",
    "lib-dynload/_lzma.cpython-313.so": b"",
    "site-packages/other.py": b"",
    "site-packages/pip/__init__.py": b"",
}


def distribution(library: dict[str, bytes] = LIBRARY) -> Distribution:
    files = {f"lib/python3.13/{path}": content for path, content in library.items()}
    files["bin/python3.13"] = b""
    items = tuple(File(path, Data(content)) for path, content in sorted(files.items()))
    layout = Layout(Implementation(CPYTHON, "3.13.1"), "bin/python3.13", "lib/python3.13")
    return Distribution(LINUX, layout, items, None)


def pack(library: dict[str, bytes] = LIBRARY, **settings: Any) -> PackedLibrary:
    return pack_library(distribution(library), this_python(), PackSettings(**settings))


def contents(packed: PackedLibrary) -> dict[str, bytes]:
    prefix = "lib/python3.13/"
    return {
        item.path.removeprefix(prefix): item.content.read()
        for item in packed.distribution.items
        if isinstance(item, File) and item.path.startswith(prefix)
    }


def directories(packed: PackedLibrary) -> dict[str, bytes]:
    data = contents(packed)[NAME]
    size = int.from_bytes(data[12:16], "little")
    found: dict[str, bytes] = marshal.loads(data[16 : 16 + size])[1]
    return found


@pytest.fixture(scope="module")
def packed() -> PackedLibrary:
    return pack()


def test_modules_are_in_the_pack_instead_of_files(packed: PackedLibrary) -> None:
    files = contents(packed)
    for gone in ("json/__init__.py", "json/decoder.py", "encodings/utf_8.py", "venv/__init__.py"):
        assert gone not in files
    lines = directories(packed)
    assert b"\ndecoder\t" in lines["json/"] and b"\n__init__\t" in lines["json/"]
    assert b"\n_czscie_resources\t" in lines[""] and b"\n_czscie_sources\t" in lines[""]


def test_what_is_looked_for_as_a_file_stays_one(packed: PackedLibrary) -> None:
    files = contents(packed)
    stay = {
        *("os.py", "codecs.py", "test/__init__.py", "unittest/test/__init__.py", "idlelib/run.py"),
        *("venv/scripts/common/activate", "lib-dynload/_lzma.cpython-313.so", "hidden.cpython-313.so"),
        *("site-packages/other.py", "site-packages/pip/__init__.py", "bad.py", "hidden.py"),
    }
    assert stay <= files.keys()
    assert b"\nos\t" in directories(packed)[""]
    assert not any(name.startswith("site-packages") for name in directories(packed))


def test_encodings_imports_the_finder_on_the_line_of_its_first_import(packed: PackedLibrary) -> None:
    files = contents(packed)
    lines = files["encodings/__init__.py"].splitlines()
    assert lines[2] == b"import _czscie_finder, codecs"
    assert lines[:2] + lines[3:] == ENCODINGS.splitlines()[:2] + ENCODINGS.splitlines()[3:]
    assert b"def path_hook(" in files["_czscie_finder.py"]


def test_the_first_modules_are_compiled_for_good(packed: PackedLibrary) -> None:
    tag = sys.implementation.cache_tag
    for path in (f"encodings/__pycache__/__init__.{tag}.pyc", f"__pycache__/_czscie_finder.{tag}.pyc"):
        data = contents(packed)[path]
        assert data[:8] == this_python().magic + b"\1\0\0\0"
        assert marshal.loads(data[16:]).co_name == "<module>"


def test_only_directories_in_which_nothing_more_is_found_are_complete(packed: PackedLibrary) -> None:
    complete = {name for name, lines in directories(packed).items() if lines.startswith(COMPLETE)}
    assert "json/" in complete
    assert "encodings/" in complete
    # A module that does not compile; a directory that is a namespace package.
    assert "" not in complete and "venv/" not in complete


def test_the_library_itself_is_complete_where_all_compiles() -> None:
    library = {path: text for path, text in LIBRARY.items() if not path.startswith(("bad", "hidden"))}
    assert directories(pack(library))[""].startswith(COMPLETE)


def test_what_is_named_stays_a_file_and_has_its_bytecode_in_the_pack(packed: PackedLibrary) -> None:
    named = pack(files=("stdlib/json/*", "json", "venv/*"))
    assert contents(named).keys() - contents(packed).keys() == {"json/__init__.py", "json/decoder.py"}
    assert [len(line.split()) for line in directories(named)["json/"].splitlines()[1:]] == [3, 3]
    everything = contents(pack(files=("stdlib/*",))).keys()
    assert {path for path in LIBRARY if path.endswith(".py")} <= everything


def test_sources_are_left_out_if_told(packed: PackedLibrary) -> None:
    assert len(directories(packed)["json/"].split()) == 15
    assert len(directories(pack(source=False))["json/"].split()) == 7


def test_the_same_library_gives_the_same_pack(packed: PackedLibrary) -> None:
    assert contents(pack()) == contents(packed)


def test_a_library_that_begins_otherwise_is_refused() -> None:
    with pytest.raises(CzscieError, match="cannot be packed") as caught:
        pack({**LIBRARY, "encodings/__init__.py": b"import os\n"})
    assert "stdlib = false" in str(caught.value.hint)


def test_xz_is_read_where_there_is_lzma() -> None:
    assert reads_xz(distribution())
    without = {path: text for path, text in LIBRARY.items() if "_lzma" not in path}
    assert not reads_xz(distribution(without))
    built_in = distribution(without)
    items = (File("bin/python3.13", Data(b"...\0_lzma.LZMADecompressor\0")), *built_in.items[1:])
    assert reads_xz(Distribution(LINUX, built_in.layout, items, None))


@pytest.mark.skipif(sys.platform != "linux", reason="the tree of this Python is copied as Linux has it")
def test_this_very_python_starts_packed(tmp_path: Path) -> None:
    """Its library is packed and lies where PYTHONHOME says."""
    home = Path(sys.base_prefix)
    name = "python{}.{}".format(*sys.version_info)
    stdlib = Path(__import__("os").__file__).parent
    if stdlib != home / "lib" / name:
        pytest.skip("the library is not where CPython puts it")
    items = [
        File(f"lib/{name}/{path.relative_to(stdlib)}", Data(path.read_bytes()))
        for top in ("*.py", "encodings/*.py", "json/*.py", "collections/*.py", "importlib/**/*.py", "re/*.py")
        for path in stdlib.glob(top)
    ]
    layout = Layout(
        Implementation(CPYTHON, "{}.{}.{}".format(*sys.version_info)), f"bin/{name}", f"lib/{name}"
    )
    whole = Distribution(LINUX, layout, tuple(sorted(items, key=lambda item: item.path)), None)
    packed = pack_library(whole, this_python(), PackSettings()).distribution
    for item in packed.items:
        assert isinstance(item, File)
        (tmp_path / item.path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / item.path).write_bytes(item.content.read())
    done = subprocess.run(
        [
            sys.executable,
            "-S",
            "-c",
            "import json.decoder as d, os; print(type(d.__loader__).__name__, d.__file__)",
        ],
        env={"PYTHONHOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == [
        "SourceFileLoader",
        str(tmp_path / "lib" / name / "json" / "decoder.py"),
    ], done.stderr
