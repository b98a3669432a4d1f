from __future__ import annotations

import json
from pathlib import Path

import pytest

from czex.conftest import MakeMoo
from czex.factories import contents, metadata, write_zip
from czscie.czex.pex import Pex
from czscie.errors import CzscieError

FORMS = {
    "zipapp": (),
    "zipapp of wheel files": ("--no-pre-install-wheels",),
    "zipapp with a shell script": ("--sh-boot",),
    "zipapp for a venv": ("--venv", "prepend"),
    "packed": ("--layout", "packed"),
    "packed with wheel files": ("--layout", "packed", "--no-pre-install-wheels"),
    "loose": ("--layout", "loose"),
    "loose with wheel files": ("--layout", "loose", "--no-pre-install-wheels"),
}


@pytest.mark.parametrize("options", FORMS.values(), ids=list(FORMS))
def test_every_form_that_pex_makes_holds_the_same(make_moo: MakeMoo, options: tuple[str, ...]) -> None:
    with Pex.open(make_moo()) as reference, Pex.open(make_moo(*options)) as pex:
        assert pex.info.entry_point == "moo:main"
        assert pex.info.requirements == reference.info.requirements
        assert pex.info.venv == ("--venv" in options)
        assert contents(pex.sources) == {"herd/__init__.py": b'NAME = "herd"\n', "herd/cows.txt": b"a cow\n"}
        assert [str(wheel) for wheel in pex.wheels] == ["moo 1.0", "moo-bell 1.2"]
        for wheel, expected in zip(pex.wheels, reference.wheels, strict=True):
            assert contents(wheel.members) == contents(expected.members)
            assert wheel.entry_points == expected.entry_points
            assert wheel.requires == expected.requires


def test_a_wheel_comes_out_of_a_pex_with_the_paths_it_had(make_moo: MakeMoo) -> None:
    with Pex.open(make_moo()) as pex:
        members = {file.path: file for file in pex.wheels[0].members}
        source = Path(__file__).parent / "moo" / "src"
        changed = "moo-1.0.data/scripts/moo-env"
        for path in source.rglob("*"):
            name = path.relative_to(source).as_posix()
            if path.is_file() and name != changed and "__pycache__" not in name:
                assert members[name].content.read() == path.read_bytes()
        assert members[changed].content.read() == b'#!python\nprint("env")\n'
        assert {name for name, member in members.items() if member.executable} == {
            "moo/ring.sh",
            "moo-1.0.data/scripts/moo-env",
            "moo-1.0.data/scripts/moo-script",
            "moo-1.0.data/scripts/moo.sh",
        }


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
    assert error.value.what.startswith(f"a.pex/.deps/{name} holds an unsafe path: '../evil.py'")


def test_what_is_no_pex_is_refused(tmp_path: Path) -> None:
    write_zip(tmp_path / "a.zip", {"a": b""})
    (tmp_path / "directory").mkdir()
    (tmp_path / "text").write_text("text")
    for name, complaint in {
        "a.zip": "is not a PEX",
        "directory": "is not a PEX",
        "text": "is not a zip file",
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
