from __future__ import annotations

import importlib.util
import marshal
import os
import stat
import sys
from pathlib import Path

import pytest

from czscie.errors import CzscieError
from czscie.pack import compiler
from czscie.pack.compiler import Compiler
from pack.factories import this_python

TEXT = b"import os\n\nNAMES = {'a', 'b', 'c', 'd'}\n\ndef f(x): return x in {'p', 'q', 'r', 's'}\n"


def test_a_python_tells_what_its_bytecode_is() -> None:
    compiler = this_python()
    assert compiler.magic == importlib.util.MAGIC_NUMBER
    assert compiler.tag == sys.implementation.cache_tag


def test_the_code_is_what_an_import_would_compile() -> None:
    (code,) = this_python().compile([("lib/some.py", TEXT)]).results
    loaded = marshal.loads(code)
    assert loaded.co_filename == "lib/some.py"
    assert loaded.co_code == compile(TEXT, "lib/some.py", "exec", dont_inherit=True).co_code
    namespace: dict[str, object] = {}
    exec(loaded, namespace)
    assert namespace["NAMES"] == {"a", "b", "c", "d"}


def test_the_same_sources_give_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    first = this_python().compile([("a.py", TEXT), ("b.py", TEXT)]).results
    monkeypatch.setenv("PYTHONHASHSEED", "1234")
    assert this_python().compile([("a.py", TEXT), ("b.py", TEXT)]).results == first


def test_a_module_depends_on_no_other() -> None:
    """Nor on the seed of hashes, by which CPython before 3.11 orders the sets that it marshals."""
    sources = [
        ("a.py", TEXT),
        ("star.py", b"from os.path import *\nFIRST = b'x'\n"),
        (
            "b.py",
            b"def f(x):\n    try: return x in {'*', 'one', 'two'}\n    finally: g(x, '*', b'x')\n",
        ),
        ("none.py", b"def ("),
    ]
    together = this_python().compile(sources).results
    assert together[::-1] == this_python().compile(sources[::-1]).results
    assert together == [this_python().compile([source]).results[0] for source in sources]


def test_what_does_not_compile_is_empty_and_the_rest_is_not() -> None:
    texts = [b"def (", b"x = 1\n", b"\0", b"# coding: nothing\n", b"'\\d'\n", b"", b"(" * 5000, b"\xff"]
    codes = this_python().compile([(f"{number}.py", text) for number, text in enumerate(texts)]).results
    assert [bool(code) for code in codes] == [False, True, False, False, True, True, False, False]


def test_sources_say_their_encoding() -> None:
    (code,) = this_python().compile([("a.py", "# coding: latin-1\nNAME = 'ä'\n".encode("latin-1"))]).results
    assert "ä" in marshal.loads(code).co_consts


def test_without_a_shell_the_limits_are_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nulimit -c; ulimit -s; ulimit -v; ulimit -Hc; ulimit -Hs; ulimit -Hv\n")
    python.chmod(0o755)

    def limits() -> bytes:
        output = bytearray()
        compiler._run(python, b"", "compile_modules.py", output.extend)
        return bytes(output)

    with_shell = limits()
    monkeypatch.setattr(compiler, "_SHELL", tmp_path / "nothing")
    assert limits() == with_shell == b"0\n8192\n4194304\n" * 2
    assert this_python().compile([("a.py", TEXT)]).results[0]


def test_a_name_that_is_no_text_is_kept() -> None:
    (code,) = this_python().compile([("\udcff.py", b"")]).results
    assert marshal.loads(code).co_filename == "\udcff.py"


def test_nothing_of_the_users_settings_is_noticed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "marshal.py").write_text("raise SystemExit('mine')")
    (tmp_path / "sitecustomize.py").write_text("raise SystemExit('mine')")
    monkeypatch.chdir(tmp_path)
    before = this_python().compile([("a.py", TEXT + b"assert NAMES, 'none'\n")]).results
    for name, value in {
        "PYTHONPATH": str(tmp_path),
        "PYTHONOPTIMIZE": "2",
        "PYTHONSTARTUP": str(tmp_path / "marshal.py"),
        "PYTHONWARNINGS": "error",
        "PYTHONHOME": "/nowhere",
        "PYTHONDEVMODE": "1",
    }.items():
        monkeypatch.setenv(name, value)
    assert this_python().compile([("a.py", TEXT + b"assert NAMES, 'none'\n")]).results == before


def script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_what_does_not_run_here_is_no_compiler(tmp_path: Path) -> None:
    assert Compiler.probe(tmp_path / "nothing", "nothing") is None
    assert Compiler.probe(script(tmp_path / "fails", "exit 1"), "fails") is None
    assert Compiler.probe(script(tmp_path / "silent", "exit 0"), "silent") is None


def test_a_python_that_fails_is_named(tmp_path: Path) -> None:
    python = script(tmp_path / "fails", "exit 3")
    with pytest.raises(CzscieError, match="failed") as caught:
        Compiler(python, "", b"", "").compile([("a.py", b"")])
    assert str(python) in str(caught.value)


def test_each_module_is_counted_once_it_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiler, "_PIECE", 3)
    counted: list[None] = []
    sources = [(f"{number}.py", TEXT) for number in range(5)]
    whole = this_python().compile(sources, lambda: counted.append(None)).results
    assert len(counted) == len(sources)
    monkeypatch.undo()
    assert this_python().compile(sources).results == whole


def test_what_stops_the_counting_stops_the_compiler() -> None:
    class Stopped(BaseException):
        pass

    def stop() -> None:
        raise Stopped

    with pytest.raises(Stopped):
        this_python().compile([("a.py", TEXT)] * 10_000, stop)


@pytest.mark.skipif(os.name != "posix", reason="Windows has no SIGINT of groups")
def test_a_compiler_that_ctrl_c_ends_is_no_cause_of_a_module(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nkill -INT $$\n")
    python.chmod(0o755)
    with pytest.raises(KeyboardInterrupt):
        Compiler(python, "", b"", "").compile([("a.py", TEXT)])
