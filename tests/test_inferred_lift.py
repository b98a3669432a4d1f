from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from building import INTERPRETERS, RELEASE, Project, pex
from czex.factories import write_zip
from czscie import api
from czscie.console import Console
from czscie.errors import CzscieError
from czscie.init.choice import PythonRequest
from czscie.init.program import PayloadOptions, Program
from czscie.lift.manifest import read_manifest
from czscie.lock.use import LockUse
from czscie.pbs.assets import Asset
from czscie.platforms import find_platform
from czscie.scie.inspect import Contents
from czscie.session import Session
from network.server import MirrorServer
from pbs.factories import members, tar_gz


@pytest.fixture
def program(project: Project) -> Program:
    """The project's PEX, for a host that is always the same."""
    return Program(project.directory / "moo.pex", python=PythonRequest(platforms=(LINUX,)))


LINUX, MACOS = find_platform("linux-x86_64"), find_platform("macos-aarch64")


def test_a_program_is_built_without_a_file_beside_it(
    program: Program, project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    [built] = api.build(program, project.directory / "dist", session=Session.of(Console()))
    assert ".lock" not in capsys.readouterr().err
    assert built.path == project.directory / "dist" / "moo"
    assert sorted(path.name for path in project.directory.iterdir()) == ["dist", "moo.pex"]


def test_the_second_build_contacts_no_server_and_gives_the_same_bytes(
    program: Program, project: Project, server: MirrorServer
) -> None:
    [first] = api.build(program, project.directory / "dist")
    server.requests.clear()
    [second] = api.build(program, project.directory / "dist", session=Session.of(offline=True))
    assert server.requests == []
    assert second.sha256 == first.sha256


def test_its_bytes_are_those_of_what_init_writes(program: Program, project: Project) -> None:
    manifest = project.directory / "lift.toml"
    api.init(program, manifest)
    [written] = api.build(manifest, project.directory / "dist")
    [inferred] = api.build(program, project.directory / "dist")
    assert inferred.sha256 == written.sha256


def test_init_keeps_the_lock_of_the_build_before_it(
    program: Program, project: Project, server: MirrorServer
) -> None:
    [first] = api.build(program, project.directory / "dist")
    manifest = project.directory / "below" / "lift.toml"
    manifest.parent.mkdir()
    api.init(program, manifest)
    server.requests.clear()
    offline = Session.of(offline=True)
    [second] = api.build(manifest, project.directory / "dist", use=LockUse.LOCKED, session=offline)
    assert (server.requests, second.sha256) == ([], first.sha256)


def test_init_keeps_no_lock_that_is_out_of_date(program: Program, project: Project) -> None:
    api.build(program, project.directory / "dist")
    pex(project.directory / "moo.pex", "other")
    api.init(program, project.directory / "lift.toml")
    assert not (project.directory / "lift.lock").exists()


def test_init_leaves_a_lock_beside_the_manifest(program: Program, project: Project) -> None:
    api.build(program, project.directory / "dist")
    (project.directory / "lift.lock").write_text("mine")
    api.init(program, project.directory / "lift.toml")
    assert (project.directory / "lift.lock").read_text() == "mine"


def test_a_lock_of_the_cache_keeps_its_release_and_covers_further_platforms(
    program: Program, project: Project, server: MirrorServer
) -> None:
    api.build(program, project.directory / "dist")
    server.files["/latest-release.json"] = b'{"tag": "20270101"}'
    both = replace(program, python=PythonRequest(platforms=(LINUX, MACOS)))
    built = api.build(both, project.directory / "dist")
    names = [each.parts[0].part.description.split()[1] for each in built]
    assert names == [f"3.13.9+{RELEASE}"] * 2


def test_a_lock_of_the_cache_gives_way_where_its_release_lacks_its_version_for_a_platform(
    program: Program, project: Project, server: MirrorServer
) -> None:
    newer = Asset("3.14.2", RELEASE, LINUX.triple, "install_only_stripped")
    archive = tar_gz(members({**INTERPRETERS[LINUX.name], "share/newer": b""}))
    server.files[f"/{RELEASE}/{newer.url_name}"] = archive
    line = f"{hashlib.sha256(archive).hexdigest()}  {newer.name}\n"
    server.files[f"/{RELEASE}/SHA256SUMS"] += line.encode()
    assert versions(api.build(program, project.directory / "dist")) == ["3.14.2"]
    both = replace(program, python=PythonRequest(platforms=(LINUX, MACOS)))
    assert versions(api.build(both, project.directory / "dist")) == ["3.13.9"] * 2
    server.requests.clear()
    assert versions(api.build(program, project.directory / "dist")) == ["3.13.9"]
    assert server.requests == []


def versions(built: Sequence[Contents]) -> list[str]:
    """Of the CPython in each."""
    return [each.parts[0].part.description.split()[1].partition("+")[0] for each in built]


def test_a_damaged_lock_of_the_cache_is_made_again(
    program: Program, project: Project, tmp_path: Path
) -> None:
    api.build(program, project.directory / "dist")
    [lock] = (tmp_path / "cache" / "locks").iterdir()
    lock.write_text("damaged")
    api.build(program, project.directory / "dist")
    assert lock.read_text().startswith("# Written by")


def test_a_named_version_has_a_lock_of_its_own(program: Program, project: Project, tmp_path: Path) -> None:
    api.build(program, project.directory / "dist")
    api.build(
        replace(program, python=PythonRequest.parse(f"3.13.9+{RELEASE}", [LINUX])), project.directory / "dist"
    )
    assert len(list((tmp_path / "cache" / "locks").iterdir())) == 2


def test_one_file_cannot_be_the_executable_of_two_platforms(program: Program, project: Project) -> None:
    both = replace(program, python=PythonRequest(platforms=(LINUX, MACOS)))
    with pytest.raises(CzscieError, match="cannot write 2 executables into one file"):
        api.build(both, project.directory / "moo", as_file=True)


def test_a_program_that_starts_nothing_names_its_scripts(project: Project) -> None:
    path = write_zip(project.directory / "still.pex", {"PEX-INFO": b"{}"})
    with pytest.raises(CzscieError) as caught:
        api.build(Program(path), project.directory / "dist")
    assert caught.value.what == f"{path} declares no entry point"
    assert caught.value.hint == f"czscie build {path} -c NAME"


def test_an_entry_point_of_the_command_line_starts(program: Program, project: Project) -> None:
    chosen = replace(program, entry_point="moo:other")
    [built] = api.build(chosen, project.directory / "named", as_file=True)
    assert built.path == project.directory / "named"
    assert built.manifest.scie.lift.name == "moo"
    with zipfile.ZipFile(built.path) as archive:
        assert json.loads(archive.read("PEX-INFO"))["entry_point"] == "moo:other"


def test_an_executable_of_the_cache_is_built_once(
    program: Program, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("czscie.platforms.current_platform", lambda: LINUX)
    monkeypatch.setattr("czscie.build.current_platform", lambda: LINUX)
    first = api.executable(program)
    written = first.stat().st_mtime_ns
    assert (first.name, api.executable(program), first.stat().st_mtime_ns) == ("moo", first, written)
    pex(project.directory / "moo.pex", "other")
    assert api.executable(program) != first


def test_options_of_packages_are_keys_of_its_payload(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.directory)
    (project.directory / "requirements.txt").write_text("cow\n")
    options = PayloadOptions(
        find_links=("my wheels", "https://a.example/links"),
        index="https://b.example/simple",
        extra_index=("https://c.example/simple",),
    )
    python = PythonRequest(platforms=(LINUX,))
    program = Program(
        requirements=(Path("requirements.txt"),), entry_point="cow", python=python, options=options
    )
    manifest = project.directory / "below" / "lift.toml"
    manifest.parent.mkdir()
    api.init(program, manifest)
    assert str(project.directory) not in manifest.read_text()
    payload = read_manifest(manifest).payload
    assert payload is not None
    assert payload.indexes.find_links == (
        (project.directory / "below/../my wheels").as_uri(),
        "https://a.example/links",
    )
    assert payload.indexes.index == "https://b.example/simple"
    assert payload.indexes.extra_index == ("https://c.example/simple",)
    alone = replace(program, options=PayloadOptions(no_index=True, find_links=("wheels",)))
    api.init(alone, manifest, force=True)
    payload = read_manifest(manifest).payload
    assert payload is not None and payload.indexes.is_local
