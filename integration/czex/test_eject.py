from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from container.factories import contents_of, put, rewritten
from czex.factories import write_zip
from czscie.container.zip import STORED, directory
from czscie.czex.eject import eject
from czscie.czex.inject import Compression, inject
from czscie.czex.pex import Pex
from czscie.errors import CzscieError
from integration.czex.conftest import MakeMoo
from wheels import make_wheel


@pytest.fixture(scope="session")
def launcher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What stands for a launcher where nothing is started."""
    path = tmp_path_factory.mktemp("launcher") / "launcher"
    path.write_bytes(b"launcher")
    return path


def there_and_back(pex: Path, directory: Path, launcher: Path) -> Path:
    inject(pex, directory / "there.czex", (), lambda name: launcher, Compression(3))
    eject(directory / "there.czex", directory / "back.pex")
    return directory / "back.pex"


@pytest.mark.parametrize(
    "options", [(), ("--layout", "packed"), ("--layout", "loose"), ("--no-pre-install-wheels",)]
)
def test_a_pex_holds_the_same_when_it_is_back(
    make_moo: MakeMoo, tmp_path: Path, launcher: Path, options: tuple[str, ...]
) -> None:
    source = make_moo(*options)
    back = there_and_back(source, tmp_path, launcher)
    with Pex.open(source) as before, Pex.open(back) as after:
        assert [wheel.filename for wheel in after.wheels] == [wheel.filename for wheel in before.wheels]
        for old, new in zip(before.wheels, after.wheels, strict=True):
            assert {m.path: m.content.read() for m in new.members} == {
                m.path: m.content.read() for m in old.members
            }
            assert {m.path for m in new.members if m.executable} == {
                m.path for m in old.members if m.executable
            }
        assert {f.path: f.content.read() for f in after.sources} == {
            f.path: f.content.read() for f in before.sources
        }
        assert after.info.requirements == before.info.requirements
        assert after.info.entry_point == before.info.entry_point


def test_pex_runs_what_is_back(make_moo: MakeMoo, tmp_path: Path, launcher: Path) -> None:
    source = make_moo()
    back = there_and_back(source, tmp_path, launcher)
    environment = {"PEX_ROOT": str(tmp_path / "root"), "PATH": os.environ["PATH"]}
    outputs = [
        subprocess.run([sys.executable, path], env=environment, capture_output=True, check=False)
        for path in (source, back)
    ]
    assert outputs[0].stdout
    assert outputs[1].stdout == outputs[0].stdout
    assert outputs[1].returncode == outputs[0].returncode


def test_large_files_and_groups_come_back(tmp_path: Path, launcher: Path) -> None:
    files = {
        "big/large.bin": bytes(2 << 20),
        **{f"big/{number}.py": b"x = 1\n" * 9000 for number in range(100)},
    }
    wheel = make_wheel(tmp_path, "big", files)
    info = {"requirements": ["big"], "deps_are_wheel_files": True, "distributions": {wheel.name: "0"}}
    entries = {"PEX-INFO": json.dumps(info).encode(), f".deps/{wheel.name}": wheel.read_bytes()}
    back = there_and_back(write_zip(tmp_path / "app.pex", entries), tmp_path, launcher)
    with Pex.open(back) as pex:
        found = {member.path: member.content.read() for member in pex.wheels[0].members}
    assert {path: found[path] for path in files} == files


def test_the_process_stays_as_it_was(make_moo: MakeMoo, tmp_path: Path, launcher: Path) -> None:
    before = [*sys.path], [*sys.meta_path], dict(os.environ), Path.cwd()
    there_and_back(make_moo(), tmp_path, launcher)
    assert ([*sys.path], [*sys.meta_path], dict(os.environ), Path.cwd()) == before


def test_what_pex_says_is_the_reason(make_moo: MakeMoo, tmp_path: Path, launcher: Path) -> None:
    inject(make_moo(), tmp_path / "x.czex", (), lambda name: launcher, Compression(3))
    data = (tmp_path / "x.czex").read_bytes()
    catalogue = json.loads(contents_of(data)[".czscie/catalogue"])
    catalogue["wheels"][0]["filename"] = "moo.whl"
    (tmp_path / "x.czex").write_bytes(rewritten(data, {".czscie/catalogue": json.dumps(catalogue).encode()}))
    with pytest.raises(CzscieError, match="pex cannot build a PEX from x") as caught:
        eject(tmp_path / "x.czex", tmp_path / "x.pex")
    assert "moo.whl" in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["x.czex"]


def test_what_is_no_czex_is_refused(make_moo: MakeMoo, tmp_path: Path) -> None:
    with pytest.raises(CzscieError, match=r"is not a CZEX that `czscie inject` made"):
        eject(make_moo(), tmp_path / "x.pex")
    assert not (tmp_path / "x.pex").exists()


def test_a_damaged_czex_is_refused(make_moo: MakeMoo, tmp_path: Path, launcher: Path) -> None:
    inject(make_moo(), tmp_path / "x.czex", (), lambda name: launcher, Compression(3))
    data = bytearray((tmp_path / "x.czex").read_bytes())
    with zipfile.ZipFile(tmp_path / "x.czex") as archive:
        offset = next(info.header_offset for info in archive.infolist() if info.filename.endswith(".whl"))
    data[offset + 90] ^= 0xFF
    (tmp_path / "x.czex").write_bytes(data)
    with pytest.raises(CzscieError, match="is damaged"):
        eject(tmp_path / "x.czex", tmp_path / "x.pex")


NAMES = [
    "{outside}/authorized_keys",
    "../authorized_keys",
    "..\\x",
    "C:x",
    "NUL.whl",
    "a\0b",
    "a/b",
    "",
    ".",
    "\ud800",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_wheel_is_written_nowhere_else(
    make_moo: MakeMoo, tmp_path: Path, launcher: Path, name: str
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    victim = outside / "authorized_keys"
    victim.write_bytes(b"ours")
    czex = tmp_path / "x.czex"
    inject(make_moo(), czex, (), lambda name: launcher, Compression(3))
    data = czex.read_bytes()
    catalogue = json.loads(contents_of(data)[".czscie/catalogue"])
    catalogue["wheels"][0]["filename"] = name.format(outside=outside)
    czex.write_bytes(rewritten(data, {".czscie/catalogue": json.dumps(catalogue).encode()}))
    with pytest.raises(CzscieError, match=r"x\.czex (contains an unsafe path|cannot be read)"):
        eject(czex, tmp_path / "x.pex")
    assert victim.read_bytes() == b"ours"
    assert not (tmp_path / "x.pex").exists()


def a_group(*members: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    out.write(directory([put(out, name, data, STORED) for name, data in members], out.tell()))
    return out.getvalue()


GROUPS = [
    a_group(("../../x.py", b"")),
    a_group(("/x.py", b"")),
    a_group(("a", b"1"), ("a/b", b"2")),
    a_group(("a\\b.py", b"")),
    bytes(9 << 20),
    b"no zip",
    b"",
]


@pytest.mark.parametrize("group", GROUPS, ids=range(len(GROUPS)))
def test_sources_that_leave_their_directory_are_refused(
    make_moo: MakeMoo, tmp_path: Path, launcher: Path, group: bytes
) -> None:
    czex = tmp_path / "x.czex"
    inject(make_moo(), czex, (), lambda name: launcher, Compression(3))
    data = rewritten(czex.read_bytes(), {".czscie/sources.zip": group})
    czex.write_bytes(data)
    with pytest.raises(CzscieError):
        eject(czex, tmp_path / "x.pex")
    assert [path.name for path in tmp_path.iterdir()] == ["x.czex"]


def test_a_directory_of_pexes_that_the_czex_names_is_not_made(
    make_moo: MakeMoo, tmp_path: Path, launcher: Path
) -> None:
    czex, root = tmp_path / "x.czex", tmp_path / "root"
    inject(make_moo(), czex, (), lambda name: launcher, Compression(3))
    data = czex.read_bytes()
    info = {**json.loads(contents_of(data)["PEX-INFO"]), "pex_root": str(root)}
    czex.write_bytes(rewritten(data, {"PEX-INFO": json.dumps(info).encode()}))
    eject(czex, tmp_path / "x.pex")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.czex", "x.pex"]
