"""What `czscie-science lift` takes and prints."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from building import Project
from czscie.errors import CzscieError
from czscie.launchers import build as launchers
from czscie.platforms import current_launcher, current_platform
from czscie.science.cli import app

NAME = f"moo{current_platform().executable_suffix}"
LIFT = '[lift]\nname = "moo"\ndescription = "Mœw"\n[[lift.commands]]\nexe = "/bin/true"\n'


def invoke(*arguments: str | Path, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(app, ["-q", *map(str, arguments)], input=stdin, catch_exceptions=False)


@pytest.fixture(autouse=True)
def directory(project: Project, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(project.directory)
    monkeypatch.setattr(launchers, "_PACKAGE", project.directory)  # a checkout may have real ones
    (project.directory / "lift.toml").write_text(LIFT, encoding="utf-8")
    return project.directory


def test_checksum_files_are_printed_after_what_they_are_of(directory: Path) -> None:
    done = invoke("lift", "build", "--dest-dir", "dist", "--hash", "sha256", "--hash", "md5", "--hash", "md5")
    scie = Path("dist", NAME)
    assert done.stdout.splitlines() == [str(scie), f"{scie}.sha256", f"{scie}.md5"]
    digest = hashlib.sha256(scie.read_bytes()).hexdigest()
    assert Path(f"{scie}.sha256").read_text() == f"{digest} *{NAME}"


@pytest.mark.parametrize("text", [b"\xef\xbb\xbf" + LIFT.encode(), LIFT.replace("\n", "\r\n").encode()])
def test_a_manifest_on_standard_input_is_utf_8(text: bytes) -> None:
    assert invoke("lift", "build", "-", stdin=text).stdout == f"{NAME}\n"


def test_what_is_not_utf_8_is_told() -> None:
    with pytest.raises(CzscieError, match="Byte 0xff is not UTF-8"):
        invoke("lift", "build", "-", stdin=b"[lift]\n\xff")


@pytest.mark.skipif(sys.platform == "win32", reason="the launcher is a script")
@pytest.mark.parametrize(
    "arguments", [(), ("--preserve-sandbox", "--use-jump", "jump")], ids=["plain", "options-of-science"]
)
def test_run_hands_arguments_on(
    project: Project, capfd: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    launcher = Path(os.environ["CZSCIE_CACHE"], "launchers", launchers.file_name(current_launcher()))
    launcher.write_text('#!/bin/sh\necho "$@"\nexit 3\n')
    for words, said in (("a b", "a b"), ("-- -x --", "-x --"), ("a -- -x", "a -x")):
        for command in (*arguments, "lift.toml"), ("lift.toml", *arguments):
            done = invoke("lift", "run", *command, *words.split())
            assert (done.exit_code, capfd.readouterr().out) == (3, f"{said}\n"), done.output


def test_an_option_of_the_scie_needs_a_mark_before_it() -> None:
    done = invoke("lift", "run", "lift.toml", "--colour")
    assert done.exit_code == 2 and "No such option: --colour" in done.output


@pytest.mark.skipif(sys.platform == "win32", reason="the launcher is a script")
@pytest.mark.parametrize("command", ["build", "run"])
def test_no_file_that_is_gone_afterwards_is_said_to_be_written(
    command: str, capfd: pytest.CaptureFixture[str]
) -> None:
    launcher = Path(os.environ["CZSCIE_CACHE"], "launchers", launchers.file_name(current_launcher()))
    launcher.write_text("#!/bin/sh\n")
    done = CliRunner().invoke(app, ["lift", command], catch_exceptions=False)
    written = re.findall(r"Wrote (.*?)(?: \(.*)?$", done.output, re.MULTILINE)
    assert [Path(path).name for path in written] == [NAME]
    assert all(Path(path).is_file() for path in written)


@pytest.mark.parametrize("name", ["", "a/b", "..", "a:"])
def test_a_name_is_that_of_a_file(name: str) -> None:
    with pytest.raises(CzscieError, match="--app-name cannot be"):
        invoke("lift", "--app-name", name, "build")


def test_a_libc_is_one_that_science_knows() -> None:
    done = invoke("lift", "--platform", "linux-x86_64", "--libc", "uclibc", "build")
    assert done.exit_code == 2 and "--libc takes gnu or musl, not uclibc" in done.output


def test_providers_are_listed_with_the_members_that_science_lists() -> None:
    names = ["PythonBuildStandalone", "Host", "Local", "PyPy"]
    assert invoke("provider", "list").stdout.split() == names
    listed = json.loads(invoke("provider", "list", "--json").stdout)
    assert [each["short_name"] for each in listed] == names
    assert listed[0] == {
        "description": None,
        "short_name": "PythonBuildStandalone",
        "source": "builtin",
        "summary": "A CPython of python-build-standalone.",
        "type": "czscie.lift.interpreter.PythonBuildStandalone",
    }
