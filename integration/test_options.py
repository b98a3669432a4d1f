"""--vendor and --offline of the commands that build or download."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from building import Project
from czscie.cli import app
from czscie.errors import CzscieError
from czscie.network.network import OFFLINE
from integration.vendor.test_vendor import add_licences
from libc.factories import mirror
from network.server import MirrorServer

#: The commands that make or plan executables, with the arguments that write below the directory `out`.
BUILDING = {
    "build": ("build", "-o", "out"),
    "image": ("image", "-o", "out.tar"),
    "plan": ("plan", "-o", "out"),
    "verify": ("verify", "dist/moo", "--rebuild", "lift.toml"),
}


@pytest.fixture
def carried(
    project: Project, server: MirrorServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], None]:
    """A project that was built, and `parcel`, its vendor directory; the call empties the cache."""
    add_licences(project, server)
    (project.directory / "debian.json").write_bytes(msgspec.json.encode(mirror(tmp_path / "debian")))
    libc = '[lift.libc]\nbundle = "always"\npackages = "debian.json"\n'
    project.manifest(payload='lock = "pylock.toml"', rest=libc)
    monkeypatch.chdir(project.directory)
    for arguments in (["build"], ["vendor", "parcel"]):
        assert CliRunner().invoke(app, arguments, catch_exceptions=False).exit_code == 0
    server.requests.clear()
    return lambda: shutil.rmtree(tmp_path / "cache")


@pytest.mark.parametrize("command", BUILDING)
def test_every_command_that_builds_takes_a_vendor_directory_in_place_of_downloads(
    command: str, carried: Callable[[], None], server: MirrorServer, project: Project
) -> None:
    carried()
    arguments = [*BUILDING[command], "--offline", "--vendor", "parcel"]
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert server.requests == []
    if command == "build":
        assert Path("out/moo").read_bytes() == Path("dist/moo").read_bytes()
    if command == "plan":
        planned = CliRunner().invoke(app, [*arguments, "--json"], catch_exceptions=False)
        [executable] = json.loads(planned.stdout)["executables"]
        assert executable["launcher"]["state"] == "ready"
        assert {each["archive"]["state"] for each in executable["interpreters"]} == {"cached"}


@pytest.mark.parametrize("command", [*BUILDING, "vendor", "lock"])
def test_offline_opens_no_connection(
    command: str, carried: Callable[[], None], server: MirrorServer, project: Project
) -> None:
    carried()
    arguments = BUILDING.get(command, (command, "parcel") if command == "vendor" else ("lock", "--upgrade"))
    if command == "plan":  # what it knows without a connection is what is locked
        assert CliRunner().invoke(app, [*arguments, "--offline"]).exit_code == 0
    else:
        with pytest.raises(CzscieError):
            CliRunner().invoke(app, [*arguments, "--offline"], catch_exceptions=False)
    assert server.requests == []
    assert OFFLINE not in os.environ, "nothing is set for the whole process"
