"""A program without a manifest is built and started, and nothing is left behind beside it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from e2e.build import Builder, read_results
from e2e.pexes import COWSAY, Recipe
from e2e.run import start
from e2e.test_init import PROJECT, SCRIPT

#: By the kind of source: the arguments that name it, and those that make it say "moo".
SOURCES = {
    "project": ((".",), ("moo",)),
    "PEX": (("cowsay.pex",), ("-t", "moo")),
    "script": (("herd.py",), ("moo",)),
    "requirements": (("-r", "requirements.txt", "-c", "cowsay"), ("-t", "moo")),
}


@pytest.fixture
def source(request: pytest.FixtureRequest, tmp_path: Path, pexes: Callable[[Recipe], Path]) -> str:
    """Writes the source of this kind into the test's directory, and returns the kind."""
    kind: str = request.param
    if kind == "PEX":
        (tmp_path / "cowsay.pex").write_bytes(pexes(COWSAY).read_bytes())
    elif kind == "requirements":
        (tmp_path / "requirements.txt").write_text("# says it\ncowsay == \\\n    6.1\n")
    else:
        (tmp_path / "herd.py").write_text(f"{SCRIPT}\n\ndef say() -> None:\n    cowsay.cow(sys.argv[1])\n")
        if kind == "project":
            (tmp_path / "pyproject.toml").write_text(PROJECT)
    return kind


def said(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("source", SOURCES, indirect=True)
def test_a_program_is_built_and_started_without_a_manifest(
    source: str, builder: Builder, shared_base: Path, tmp_path: Path
) -> None:
    named, arguments = SOURCES[source]
    before = {path.name for path in tmp_path.iterdir()}
    [built] = read_results(said(builder.run(*named, "-o", "moos", directory=tmp_path)))
    assert built.path == Path("moos")
    assert {path.name for path in tmp_path.iterdir()} - before <= {"moos", "build", "herd.egg-info"}
    assert b"| moo |" in start(tmp_path / "moos", *arguments, base=shared_base).stdout

    (tmp_path / "moos").unlink()
    again = builder.run(*named, "--offline", "-o", "moos", directory=tmp_path)
    assert read_results(said(again)) == [built]

    base = {"CZSCIE_BASE": str(shared_base)}
    for _ in range(2):
        ran = builder.run(
            *named, "--offline", "--", *arguments, directory=tmp_path, command="run", environment=base
        )
        assert "| moo |" in said(ran)


def test_the_exit_status_and_the_arguments_are_the_programs_own(
    builder: Builder, shared_base: Path, tmp_path: Path
) -> None:
    (tmp_path / "tool.py").write_text("import sys\nprint(sys.argv[1:])\nsys.exit(7)\n")
    base = {"CZSCIE_BASE": str(shared_base)}
    arguments = ("--help", "--", "-o", "")
    ran = builder.run("tool.py", "--", *arguments, directory=tmp_path, command="run", environment=base)
    assert (ran.returncode, ran.stdout) == (7, f"{list(arguments)}\n"), ran.stderr
    built = builder.run("tool.py", "--run", "--", *arguments, directory=tmp_path, environment=base)
    assert (built.returncode, built.stdout) == (7, f"{list(arguments)}\n"), built.stderr
    assert (tmp_path / "dist" / "tool").is_file()


def test_requirements_that_start_nothing_name_the_scripts(builder: Builder, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("cowsay==6.1\n")
    refused = builder.run("-r", "requirements.txt", directory=tmp_path)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.endswith(
        "error[CZ104]: requirements.txt does not say what to start\n"
        "  its console scripts are: cowsay\n"
        "hint: czscie build -r requirements.txt -c cowsay\n"
    )
    assert "Packed" not in refused.stderr
    misspelt = builder.run("-r", "requirements.txt", "-c", "cowsay.__main__:mian", directory=tmp_path)
    assert "cowsay.__main__ does not define mian, which the entry point " in misspelt.stderr
    assert "Packed" not in misspelt.stderr
