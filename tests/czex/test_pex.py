from __future__ import annotations

import json
from pathlib import Path

import pytest

from czex.factories import metadata, write_zip
from czscie.czex.pex import Pex
from czscie.errors import CzscieError


def make(path: Path, info: object, entries: dict[str, bytes] | None = None) -> Path:
    return write_zip(path, {"PEX-INFO": json.dumps(info).encode(), **(entries or {})}, b"#!/usr/bin/python\n")


def test_what_is_pexs_own_is_not_the_users(tmp_path: Path) -> None:
    own = [".bootstrap/pex/a.py", "__main__.py", "__main__.pyc", "__pex__/__init__.py", "PEX-LAYOUT", "pex"]
    users = ["app/__main__.py", "app/PEX-INFO", "__pex_executable__.py", "pex.py"]
    entries = dict.fromkeys([*own, *users, "app/__pycache__/x.pyc"], b"")
    with Pex.open(make(tmp_path / "a.pex", {}, entries)) as pex:
        assert [file.path for file in pex.sources] == sorted(users)


def test_a_pex_is_read_while_it_is_open_only(tmp_path: Path) -> None:
    with Pex.open(make(tmp_path / "a.pex", {}, {"a.py": b"1"})) as pex:
        (source,) = pex.sources
        assert source.content.read() == b"1"
    with pytest.raises(CzscieError):
        source.content.read()


def test_a_wheel_that_is_listed_but_not_held_is_an_error(tmp_path: Path) -> None:
    path = make(tmp_path / "a.pex", {"distributions": {"moo-1.0-py3-none-any.whl": "x"}})
    with pytest.raises(CzscieError, match=r"a.pex lists moo-1.0-py3-none-any.whl in its PEX-INFO but"):
        Pex.open(path)


def test_what_is_not_listed_is_not_read(tmp_path: Path) -> None:
    entries = {f".deps/moo-1.0-py3-none-any.whl/{name}": data for name, data in metadata("moo").items()}
    with Pex.open(make(tmp_path / "a.pex", {}, entries)) as pex:
        assert pex.wheels == ()


def test_an_unsafe_path_within_a_wheel_file_is_refused(tmp_path: Path) -> None:
    name = "moo-1.0-py3-none-any.whl"
    wheel = write_zip(tmp_path / name, {"../evil.py": b"", **metadata("moo")})
    info = {"distributions": {name: "x"}, "deps_are_wheel_files": True}
    path = make(tmp_path / "a.pex", info, {f".deps/{name}": wheel.read_bytes()})
    with pytest.raises(CzscieError) as error:
        Pex.open(path)
    assert error.value.what.startswith(f"a.pex/.deps/{name} contains an unsafe path: '../evil.py'")


def test_what_is_no_pex_is_refused(tmp_path: Path) -> None:
    write_zip(tmp_path / "a.zip", {"a": b""})
    (tmp_path / "directory").mkdir()
    (tmp_path / "text").write_text("text")
    for name, complaint in {
        "a.zip": "is not a PEX",
        "directory": "is not a PEX",
        "text": "or not a zip file",
        "nothing": "there is no PEX at",
    }.items():
        with pytest.raises(CzscieError, match=complaint):
            Pex.open(tmp_path / name)


def test_a_pex_that_cannot_be_read_leaves_no_file_open(tmp_path: Path) -> None:
    path = make(tmp_path / "a.pex", [])
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(CzscieError, match="not a JSON object"):
        Pex.open(path)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
