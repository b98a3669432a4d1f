"""The completion scripts in real shells, in a directory with a manifest."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.completion.shell import PROMPT, Shell

MANIFEST = """\
[lift]
name = "moo"
platforms = ["linux-x86_64", "linux-aarch64"]

[[lift.interpreters]]
id = "cpython"
provider = "PythonBuildStandalone"
version = "3.13"

[[lift.files]]
name = "cows.json"

[[lift.files]]
name = "$(touch evil)"

[lift.payload]
requirements = ["cowsay"]
entry_point = "cowsay"
"""

SHELLS = {
    "bash": (
        ["bash", "--norc", "--noprofile", "-i"],
        ["bind 'set enable-bracketed-paste off'", "source <(czscie completion bash)", f"PS1='{PROMPT}'"],
    ),
    "zsh": (
        ["zsh", "-f", "-i"],
        ["autoload -U compinit; compinit -D", "source <(czscie completion zsh)", f"PS1='{PROMPT}'"],
    ),
    "fish": (
        ["fish", "--no-config", "-i"],
        ["czscie completion fish | source", f"function fish_prompt; echo '{PROMPT}'; end"],
    ),
}


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a manifest, and beside it one with the command `czscie`."""
    directory = tmp_path_factory.mktemp("completion")
    (directory / "here").mkdir()
    (directory / "here" / "lift.toml").write_text(MANIFEST)
    program = directory / "bin" / "czscie"
    program.parent.mkdir()
    program.write_text(
        f"#!{sys.executable}\nimport sys\nsys.argv[0] = 'czscie'\nfrom czscie.__main__ import main\nmain()\n"
    )
    program.chmod(0o755)
    return directory


def environment(directory: Path) -> dict[str, str]:
    return {
        "PATH": os.pathsep.join((str(directory / "bin"), os.environ["PATH"])),
        "HOME": str(directory),
        "TERM": "xterm",
        "LANG": "C.UTF-8",
        "XDG_CONFIG_HOME": str(directory / "config"),
        "XDG_DATA_HOME": str(directory / "data"),
    }


@pytest.fixture(scope="module", params=list(SHELLS))
def shell(request: pytest.FixtureRequest, directory: Path) -> Iterator[Shell]:
    command, setup = SHELLS[request.param]
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    with Shell(command, setup, directory / "here", environment(directory)) as found:
        yield found


def test_commands_are_completed(shell: Shell) -> None:
    shell.completed("czscie bui", r"> czscie build\b")


def test_options_are_completed(shell: Shell) -> None:
    shell.completed("czscie build --invert-l", r"--invert-lazy\b")


def test_platforms_of_the_manifest_are_completed(shell: Shell) -> None:
    screen = shell.completed(
        "czscie build --platform linux-", r"(?s)aarch64.*x86_64|x86_64.*aarch64", times=2
    )
    assert "windows" not in screen


def test_names_of_the_manifest_are_completed(shell: Shell) -> None:
    shell.completed("czscie build --invert-lazy cpy", r"--invert-lazy cpython\b")


def test_files_are_completed(shell: Shell) -> None:
    shell.completed("czscie plan lif", r"czscie plan lift\.toml\b")


def test_what_a_manifest_contains_is_not_run(shell: Shell, directory: Path) -> None:
    shell.completed("czscie build --file ", r"cows\.json", times=2)
    assert not (directory / "here" / "evil").exists()


def test_completion_scripts_write_nothing(directory: Path) -> None:
    before = sorted(path for path in directory.rglob("*") if "here" not in path.parts)
    for name in (*SHELLS, "powershell"):
        done = subprocess.run(
            [directory / "bin" / "czscie", "completion", name],
            env={**environment(directory), "SHELL": "/bin/false"},
            capture_output=True,
            text=True,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert "czscie" in done.stdout
    assert sorted(path for path in directory.rglob("*") if "here" not in path.parts) == before
