from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from building import INTERPRETERS, RELEASE, Project
from czscie.errors import CzscieError
from czscie.lift.manifest import read_manifest
from czscie.science.cli import app
from pbs.factories import members, tar_gz

PLATFORMS = ("linux-x86_64", "windows-x86_64")
REST = """
[[lift.files]]
name = "tool"

[[lift.files]]
name = "data.tar.gz"
key = "data"
source = { url = "https://example.org/data.tar.gz", lazy = true }
digest = { size = 3, fingerprint = "DIGEST" }

[[lift.files]]
name = "made"
type = "blob"
source = "make"
digest = { size = 4, fingerprint = "DIGEST" }

[[lift.bindings]]
name = "make"
exe = "{tool}"

[[lift.commands]]
exe = "#{cpython:python}"
args = ["-c", "pass", "#{cpython}"]
description = "Moos"

[lift.commands.env]
remove_exact = ["GONE"]
remove_re = ["PEX_.*"]
default = { PATH = "#{cpython}/python/bin" }
replace = { A = "b" }

[[lift.commands]]
name = "tool"
exe = "{tool}"
""".replace("DIGEST", "ab" * 32)
JUMP = 'scie_jump = { version = "1.12.0", digest = { size = 7, fingerprint = "%s" } }' % ("cd" * 32)


def invoke(*arguments: str | Path) -> list[str]:
    """The lines that the command prints."""
    done = CliRunner().invoke(app, ["-q", *map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout.splitlines()


def lift_of(path: Path) -> dict[str, Any]:
    lift: dict[str, Any] = json.loads(path.read_text())["scie"]["lift"]
    return lift


def archive(platform: str, triple: str) -> dict[str, Any]:
    data = tar_gz(members(INTERPRETERS[platform]))
    return {
        "name": f"cpython-3.13.9+{RELEASE}-{triple}-install_only_stripped.tar.gz",
        "key": "cpython",
        "type": "tar.gz",
        "size": len(data),
        "hash": hashlib.sha256(data).hexdigest(),
    }


@pytest.fixture
def manifest(project: Project) -> Path:
    (project.directory / "tool").write_text("#!/bin/sh\n")
    (project.directory / "tool").chmod(0o755)
    return project.manifest(platforms=PLATFORMS, lift=f'base = "~/moo"\n{JUMP}', payload="", rest=REST)


def test_a_lift_is_written_for_each_platform_as_science_writes_it(manifest: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    printed = invoke("lift", "export", "--dest-dir", out, manifest)
    assert printed == [str(out / name / "lift.json") for name in PLATFORMS]
    document = json.loads(Path(printed[0]).read_text())
    assert document["scie"]["jump"] == {"version": "1.12.0", "size": 7, "hash": "cd" * 32}
    linux = lift_of(Path(printed[0]))
    assert linux == {
        "name": "moo",
        "description": None,
        "base": "~/moo",
        "load_dotenv": False,
        "files": [
            archive("linux-x86_64", "x86_64-unknown-linux-gnu"),
            {"name": "tool", "type": "blob", "executable": True},
            {"name": "data.tar.gz", "key": "data", "type": "tar.gz", "size": 3, "hash": "ab" * 32},
            {"name": "made", "type": "blob", "size": 4, "hash": "ab" * 32, "source": "make"},
        ],
        "boot": {
            "commands": {
                "": {
                    "exe": "{cpython}/python/bin/python3.13",
                    "args": ["-c", "pass", "{cpython}"],
                    "env": {
                        "PATH": "{cpython}/python/bin",
                        "=A": "b",
                        "=GONE": None,
                        "PEX_.*": None,
                    },
                    "description": "Moos",
                },
                "tool": {"exe": "{tool}"},
            },
            "bindings": {"make": {"exe": "{tool}"}},
        },
    }
    windows = lift_of(Path(printed[1]))
    assert windows["files"][0] == archive("windows-x86_64", "x86_64-pc-windows-msvc")
    assert windows["boot"]["commands"][""]["exe"] == "{cpython}/python/python.exe"


def test_what_was_exported_is_read_as_a_lift_of_the_same_commands(manifest: Path, tmp_path: Path) -> None:
    [printed] = invoke("lift", "--platform", PLATFORMS[0], "export", "--dest-dir", tmp_path / "out", manifest)
    before, after = read_manifest(manifest), read_manifest(Path(printed))
    assert after.name == before.name and after.base == before.base
    assert [each.env for each in after.commands][1:] == [each.env for each in before.commands][1:]
    assert after.commands[0].env.remove_re == before.commands[0].env.remove_re
    assert [file.id for file in after.files] == ["cpython", *(file.id for file in before.files)]


def test_the_platform_is_in_the_path_only_if_it_is_asked_for_or_needed(
    project: Project, tmp_path: Path
) -> None:
    rest = '[[lift.commands]]\nexe = "/bin/true"\n'
    manifest = project.manifest(payload="", rest=rest)
    export = ("lift", "--platform", "linux-x86_64", "export", "--dest-dir", tmp_path)
    flat = invoke(*export, "--no-use-platform-suffix", manifest)
    below = invoke(*export, "--use-platform-suffix", manifest)
    assert flat == [str(tmp_path / "lift.json")]
    assert below == [str(tmp_path / "linux-x86_64" / "lift.json")]


def test_what_sciences_launcher_cannot_hold_is_refused_by_name(project: Project, tmp_path: Path) -> None:
    with pytest.raises(CzscieError, match="has a payload, which a lift of science's launcher cannot hold"):
        invoke("lift", "export", "--dest-dir", tmp_path, project.manifest())
    here = project.manifest(
        'provider = "Host"', payload="", rest='[[lift.commands]]\nexe = "#{cpython:python}"\n'
    )
    with pytest.raises(CzscieError, match="the interpreter cpython is of this machine"):
        invoke("lift", "--platform", "current", "export", "--dest-dir", tmp_path, here)


def test_settings_of_czscie_alone_are_named(
    project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rest = '[[lift.commands]]\nexe = "/bin/true"\n[lift.windows]\ncompany = "Moo"\n'
    manifest = project.manifest(payload="", lift='tools = "TOOL"', rest=rest)
    done = CliRunner().invoke(app, ["lift", "export", "--dest-dir", str(tmp_path), str(manifest)])
    assert "not exported, as only czscie knows it: lift.tools, lift.windows" in done.stderr
