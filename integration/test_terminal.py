"""What a user sees of a build: on a terminal, wide and narrow, with and without colours, and in a pipe."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import czscie
from building import Project, pex
from czscie.launchers import build as launchers
from czscie.platforms import current_launcher, current_platform
from scie.factories import host_launcher
from terminal import Run, run_on_terminal


@dataclass(frozen=True)
class Journey:
    """A project on the Python that runs the tests, and the cache of its builds."""

    directory: Path
    cache: Path

    def environment(self, **more: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in ("FORCE_COLOR", "NO_COLOR")}
        source = str(Path(czscie.__file__).parents[1])
        return {**kept, "PYTHONPATH": source, "CZSCIE_CACHE": str(self.cache), "TERM": "xterm", **more}

    def watch(self, *arguments: str, columns: int = 80, **environment: str) -> Run:
        """Runs czscie on a terminal."""
        return run_on_terminal(
            [sys.executable, "-m", "czscie", *arguments],
            columns=columns,
            directory=self.directory,
            environment=self.environment(**environment),
        )

    def pipe(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "czscie", *arguments],
            cwd=self.directory,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )

    def forget(self) -> None:
        """Makes the next build a first one, but for the launcher."""
        for name in ("packed", "known", "locks", "executables"):
            shutil.rmtree(self.cache / name, ignore_errors=True)
        (self.directory / "lift.lock").unlink(missing_ok=True)


@pytest.fixture(scope="module")
def journey(tmp_path_factory: pytest.TempPathFactory) -> Journey:
    if sys.platform != "linux":
        pytest.skip("the provider Host is for Linux")
    directory = tmp_path_factory.mktemp("journey")
    launcher = directory / "cache" / "launchers" / launchers.file_name(current_launcher())
    launcher.parent.mkdir(parents=True)
    launcher.write_bytes(host_launcher().read_bytes())
    (directory / "project").mkdir()
    pex(directory / "project" / "moo.pex")
    project = Project(directory / "project")
    project.manifest('provider = "Host"', (current_platform().name,), lift="compression_level = 1")
    return Journey(project.directory, directory / "cache")


def without_figures(lines: list[str]) -> list[str]:
    """The lines without times, sizes, counts and the spinner's picture."""
    shown = []
    for line in lines:
        text = re.sub(r"\d[\d.,:/]* ?(ms|s|MB|kB|modules|files)?|[0-9a-f]{64}", "#", line)
        shown.append(re.sub(r" {2,}", "  ", re.sub(r"^[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] ", "* ", text)))
    return shown


def rows(run: Run) -> list[str]:
    """The rows that moved, in the order in which they first appeared, as far as their text goes."""
    found = []
    for screen in run.terminal.screens:
        for line in screen:
            if re.match("[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] ", line):
                found.append(re.split(r" {2,}|…", line[2:])[0])
    return list(dict.fromkeys(found))


@pytest.mark.parametrize("columns", [80, 50])
def test_a_first_build_shows_each_phase_while_it_runs(journey: Journey, columns: int) -> None:
    journey.forget()
    run = journey.watch("build", columns=columns)
    assert run.status == 0, run.terminal.screen
    moved = rows(run)
    assert moved[:2] == ["czscie build", "Building lift.toml"]
    assert any(row.startswith("Packing cpython 3.") for row in moved)
    assert all(len(line) < columns for screen in run.terminal.screens for line in screen if line[0] in "⠋⠙⠹⠸")
    packing = [
        line for screen in run.terminal.screens for line in screen if re.match(". Packing cpython", line)
    ]
    for unit in ("modules", "MB"):
        counted = [line for line in packing if re.search(rf"[\d.,]+/[\d.,]+ {unit} ", line)]
        assert counted, packing
        assert len({line.index(f" {unit} ") for line in counted}) == 1
    end = " ".join(run.terminal.screen)
    for phase in ("Wrote lift.lock in ", "Packed cpython 3.", "Wrote dist/moo (", "Finished in "):
        assert phase in end


def test_no_row_is_left_when_the_command_ends(journey: Journey) -> None:
    journey.watch("build")
    run = journey.watch("build", NO_COLOR="1")
    wrote, summary, needs, finished, *result = without_figures(run.terminal.screen)
    assert (wrote, finished) == (
        "Wrote dist/moo (#) in #",
        "Finished in #. Next: dist/moo, or czscie inspect dist/moo",
    )
    assert summary.startswith("Left out # of CPython, packed #")
    assert needs.startswith("Needs ")
    assert [line.split()[0] for line in result] == ["dist/moo"]


def test_a_command_that_fails_shows_the_error_alone(journey: Journey) -> None:
    run = journey.watch("build", "missing.pex", NO_COLOR="1")
    assert run.status == 1
    assert run.terminal.screen == [
        "error[CZ101]: missing.pex is not a project, a PEX or a script",
        "  there is no such file or directory",
        "hint: name a directory with a pyproject.toml, a PEX or a script",
    ]


def test_a_usage_error_follows_no_row(journey: Journey) -> None:
    run = journey.watch("build", "--no-such-option")
    assert run.status == 2
    assert run.terminal.screen[0].startswith("Usage: ")


def test_colours_depend_on_the_environment(journey: Journey) -> None:
    assert b"\x1b[36m" in journey.watch("build").written
    plain = journey.watch("build", NO_COLOR="1").written
    assert not re.search(rb"\x1b\[[0-9;]*m", plain)
    assert b"\x1b[K" in plain


@pytest.mark.parametrize("quiet", ["-q", "--quiet"])
def test_a_quiet_command_shows_nothing_but_its_result(journey: Journey, quiet: str) -> None:
    run = journey.watch("build", quiet)
    assert b"\x1b" not in run.written
    assert re.fullmatch(rb"dist/moo  [0-9a-f]{64}\r\n", run.written)


def test_a_dumb_terminal_gets_lines(journey: Journey) -> None:
    run = journey.watch("build", TERM="dumb")
    assert b"\x1b" not in run.written
    assert b"Wrote dist/moo (" in run.written


def test_a_pipe_gets_lines_and_a_cached_build_at_most_six(journey: Journey) -> None:
    journey.pipe("build")
    done = journey.pipe("build")
    assert "\x1b" not in done.stderr + done.stdout
    assert "\r" not in done.stderr
    assert len((done.stderr + done.stdout).splitlines()) <= 6


def test_running_what_is_built_shows_only_the_program(journey: Journey) -> None:
    journey.pipe("run")
    done = journey.pipe("run", "--", "a", "b")
    assert (done.returncode, done.stdout, done.stderr) == (3, "moo ['a', 'b']\n", "")
    watched = journey.watch("run", "--", "a")
    assert (watched.status, watched.terminal.screen) == (3, ["moo ['a']"])


def test_a_program_of_nothing_new_starts_without_a_build(journey: Journey) -> None:
    pex(journey.directory / "moo.pex")
    journey.pipe("run", "--", "first")
    shutil.rmtree(journey.cache / "packed")  # a build would tell that it packs
    done = journey.pipe("run", "--", "--version", "", "--", "a b")
    assert (done.returncode, done.stdout) == (3, "moo ['--version', '', '--', 'a b']\n")
    assert done.stderr == ""
    for executable in journey.cache.glob("executables/*/moo"):
        executable.unlink()
    assert "Packed" in journey.pipe("run").stderr
    pex(journey.directory / "moo.pex", says="mu")
    changed = journey.pipe("run", "--", "changed")
    assert (changed.returncode, changed.stdout) == (3, "mu ['changed']\n")
    assert "Packed" in changed.stderr


def test_a_build_of_nothing_new_starts_its_program(journey: Journey) -> None:
    journey.pipe("build", "--run")
    done = journey.pipe("build", "--run", "--", "a", "b")
    assert (done.returncode, done.stderr) == (3, "Nothing has changed since dist/moo was built\n")
    assert done.stdout.endswith(" ['a', 'b']\n")
