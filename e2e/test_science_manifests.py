"""Manifests of science and of its launcher, built as they are and started."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from czscie.science.cli import app
from e2e.build import Builder, read_results
from e2e.mirror.release import TAG, read_assets
from e2e.run import start

BY_HAND = """\
[lift]
name = "by-hand"
load_dotenv = false

[[lift.interpreters]]
id = "cpython-3.13"
provider = "PythonBuildStandalone"
release = "{tag}"
version = "3.13"

[[lift.files]]
name = "tool"

[[lift.commands]]
exe = "#{{cpython-3.13:python}}"
args = ["-c", "import sys; print(sys.prefix, *sys.argv[1:])", "#{{cpython-3.13}}/python/bin"]

[[lift.commands]]
name = "named"
exe = "{{cpython-3.13}}/python/bin/python3"
args = ["-c", "import os, sqlite3, sys; print(sys.executable, os.environ['PATH'])"]

[lift.commands.env.default]
"=PATH" = "#{{cpython-3.13}}/python/bin:{{scie.env.PATH}}"

[[lift.commands]]
name = "tool"
exe = "{{tool}}"
args = ["moo"]
"""

GROUP = """\
[lift]
name = "group"
compression_level = 1

[lift.pack]
stdlib = false

[[lift.interpreters]]
id = "py311"
provider = "PythonBuildStandalone"
release = "{tag}"
version = "3.11"

[[lift.interpreters]]
id = "py313"
provider = "PythonBuildStandalone"
base_url = "{mirror}"
lazy = true
release = "{tag}"
version = "3.13"

[[lift.interpreter_groups]]
id = "python"
selector = "{{scie.env.WHICH=py311}}"
members = ["py311", "py313"]

[[lift.commands]]
exe = "#{{python:python}}"
args = ["-c", "import sys; print(sys.version_info[:2], sys.argv[1] == sys.executable)", "#{{python:python}}"]
"""


def built(builder: Builder, directory: Path, manifest: str, *options: str) -> Path:
    done = builder.run(manifest, *options, directory=directory)
    assert done.returncode == 0, done.stderr
    [result] = read_results(done.stdout)
    return directory / result.path


def said(executable: Path, tmp_path: Path, **environment: str) -> str:
    done = start(executable, base=tmp_path / "base", environment={"PATH": "/usr/bin:/bin", **environment})
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()


def test_a_command_reaches_into_the_archive_of_its_interpreter(builder: Builder, tmp_path: Path) -> None:
    (tmp_path / "lift.toml").write_text(BY_HAND.format(tag=TAG))
    (tmp_path / "tool").write_text('#!/bin/sh\necho "$1"\n')
    (tmp_path / "tool").chmod(0o755)
    executable = built(builder, tmp_path, "lift.toml")
    prefix, directory = said(executable, tmp_path).split()
    assert directory == f"{prefix}/bin" and prefix.endswith("/python")
    named = said(executable, tmp_path, SCIE_BOOT="named")
    assert named == f"{prefix}/bin/python3 {prefix}/bin:/usr/bin:/bin\n"
    assert said(executable, tmp_path, SCIE_BOOT="tool") == "moo\n"


@pytest.mark.parametrize("name", ["lift.json", "manifest"])
def test_a_lift_in_json_starts_the_cpython_that_is_one_of_its_files(
    builder: Builder, tmp_path: Path, mirror_directory: Path, name: str
) -> None:
    [asset] = [
        each
        for each in read_assets(mirror_directory)
        if each.minor == "3.13" and each.triple.startswith("x86_64")
    ]
    shutil.copy(mirror_directory / TAG / asset.name, tmp_path)
    command = {
        "exe": "{cpython}/python/bin/python3.13",
        "args": ["-c", "import os, sys; print(sys.version_info[:2], os.environ['A'], 'B' in os.environ)"],
        "env": {"A": "default", "=B": None},
    }
    lift = {
        "name": "from-json",
        "files": [{"name": asset.name, "key": "cpython"}],
        "boot": {"commands": {"": command}},
    }
    (tmp_path / name).write_text(json.dumps({"scie": {"lift": lift}, "fetch": [], "science": {}}))
    executable = built(builder, tmp_path, name)
    assert said(executable, tmp_path, B="b") == "(3, 13) default False\n"
    assert said(executable, tmp_path, A="mine") == "(3, 13) mine False\n"


def test_a_group_starts_the_member_that_its_selector_names(builder: Builder, tmp_path: Path) -> None:
    (tmp_path / "lift.toml").write_text(GROUP.format(tag=TAG, mirror=builder.mirror_url))
    executable = built(builder, tmp_path, "lift.toml")
    assert said(executable, tmp_path) == "(3, 11) True\n"
    assert said(executable, tmp_path, WHICH="py313") == "(3, 13) True\n"
    refused = start(executable, base=tmp_path / "base", environment={"WHICH": "py312"})
    assert refused.returncode == 1
    assert b"the command needs 'py312'; this executable has:\n  py311\n  py313\n" in refused.stderr


def test_a_lift_that_was_exported_starts_as_the_manifest_does(
    builder: Builder, tmp_path: Path, mirror_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lift.toml").write_text(BY_HAND.format(tag=TAG))
    (tmp_path / "tool").write_text('#!/bin/sh\necho "$1"\n')
    (tmp_path / "tool").chmod(0o755)
    monkeypatch.chdir(tmp_path)
    for name, value in builder.settings().items():
        monkeypatch.setenv(name, value)
    done = CliRunner().invoke(app, ["lift", "export", "--dest-dir", "out"], catch_exceptions=False)
    assert (done.exit_code, done.stdout) == (0, "out/lift.json\n"), done.output
    [archive] = (
        mirror_directory / TAG / file["name"]
        for file in json.loads((tmp_path / "out" / "lift.json").read_text())["scie"]["lift"]["files"]
        if file.get("key") == "cpython-3.13"
    )
    executable = built(
        builder, tmp_path, "out/lift.json", "--file", f"cpython-3.13={archive}", "--file", "tool=tool"
    )
    prefix, directory = said(executable, tmp_path).split()
    assert directory == f"{prefix}/bin"
    assert said(executable, tmp_path, SCIE_BOOT="named").startswith(f"{prefix}/bin/python3 {prefix}/bin:")
    assert said(executable, tmp_path, SCIE_BOOT="tool") == "moo\n"
