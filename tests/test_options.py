"""The options that commands share."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from czscie import api
from czscie.cli import app
from czscie.commands.build import build
from czscie.commands.options import find_files
from czscie.commands.plan import plan
from czscie.commands.run import run
from czscie.init.program import Program


def test_files_are_named_by_id_and_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_files(["pex=a/b=c.pex", "d=/e"]) == {"pex": tmp_path / "a/b=c.pex", "d": Path("/e")}
    assert find_files(None) == {}


@pytest.mark.parametrize("text", ["pex", "=a", "pex=", ""])
def test_what_names_no_file_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="--file takes ID=PATH"):
        find_files([text])


def options_of(command: Callable[..., None]) -> set[str]:
    return set(inspect.signature(command).parameters) - {"context"}


def test_plan_and_run_take_what_build_takes() -> None:
    """But for what run has no use for: it writes no file, builds for this machine, and prints nothing."""
    assert options_of(build) - options_of(plan) == {"run"}
    assert options_of(build) - options_of(run) == {"output", "platform", "run", "json"}


@pytest.mark.parametrize(("output", "build"), [((), ""), (("-o", "my lift.toml"), " 'my lift.toml'")])
def test_after_a_first_manifest_comes_its_build(
    output: tuple[str, ...], build: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(api, "init", lambda *_arguments, **_options: None)
    done = CliRunner().invoke(app, ["init", str(tmp_path), *output])
    assert done.stderr.splitlines() == [f"Next: czscie build{build}"]


@pytest.mark.parametrize("option", ["--pbs-release", "--release"])
def test_the_release_of_an_interpreter_is_not_that_of_a_build(
    option: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[Program] = []
    monkeypatch.setattr(api, "init", lambda program, *_arguments, **_options: asked.append(program))
    done = CliRunner().invoke(app, ["init", str(tmp_path), option, "20260101"])
    assert done.exit_code == 0, done.output
    assert asked[0].python.release == "20260101"
    assert ("--release is the old name of --pbs-release" in done.stderr) == (option == "--release")


def test_the_old_name_is_in_no_help() -> None:
    output = CliRunner().invoke(app, ["init", "--help"]).output
    assert "--pbs-release" in output and " --release" not in output


@pytest.mark.parametrize(
    ("option", "value", "key"),
    [
        ("--python", "3.12", "version of [[lift.interpreters]]"),
        ("--entry-point", "moo", "entry_point of [lift.payload]"),
        ("--extra", "cli", "extras of [lift.payload]"),
        ("--find-links", "wheels", "find_links of [lift.payload]"),
    ],
)
def test_an_option_for_programs_names_the_key_of_a_manifest(
    option: str, value: str, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("lift.toml").write_text("")
    said = f"{option} is for programs without a manifest: set {key} in lift.toml"
    assert _refusal("plan", ".", option, value).endswith(said)
    Path("pyproject.toml").write_text("")
    assert _refusal("plan", ".", option, value).endswith(
        f"{said}, or name pyproject.toml to build without it"
    )


@pytest.mark.parametrize(
    ("command", "names"), [("completion", "bash, zsh, fish, powershell"), ("schema", "toml, json")]
)
def test_a_name_that_is_none_of_few_is_a_usage_error(command: str, names: str) -> None:
    assert _refusal(command, "tcsh").endswith(f"Error: Invalid value: 'tcsh' is not one of {names}")
    for name in names.split(", "):
        assert CliRunner().invoke(app, [command, name]).exit_code == 0


def _refusal(*arguments: str) -> str:
    """What is said of arguments that are refused, as one line."""
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 2
    return " ".join(done.stderr.split())
