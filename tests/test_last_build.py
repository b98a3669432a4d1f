"""A build of nothing new prints what the last one printed, and every kind of change makes it build."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from building import Project, pex
from czscie import api, last_build
from czscie.cache import cache_directory
from czscie.init.program import Program
from network.server import MirrorServer

ARGUMENTS = ("build", "lift.toml")


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """pytest tells by a variable what it does."""
    monkeypatch.setattr(last_build, "_NOT_SETTINGS", (*last_build._NOT_SETTINGS, "PYTEST_CURRENT_TEST"))


@pytest.fixture
def built(project: Project, server: MirrorServer, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with sources and a file, built and observed in the way of the command."""
    monkeypatch.chdir(project.directory)
    pex(project.directory / "moo.pex")
    (project.directory / "notes").mkdir()
    (project.directory / "notes" / "first.txt").write_text("moo")
    project.manifest(rest='[[lift.files]]\nname = "notes"\n')
    past(project.directory)
    observe(project)
    return project


def past(directory: Path) -> None:
    """Makes the files of a project older than what a build takes for new."""
    time.sleep(0.06)
    assert directory.exists()


def observe(project: Project) -> None:
    last_build.observe(ARGUMENTS)
    project.build()
    last_build.keep("results\n", "said\n")


def nothing_changed() -> bool:
    return last_build.answer(ARGUMENTS)


def test_a_build_of_nothing_new_prints_the_same(built: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert nothing_changed()
    printed = capsys.readouterr()
    assert (printed.out, printed.err[-5:]) == ("results\n", "said\n")
    assert not last_build.answer(("build", "other.toml"))


def test_a_program_whose_lock_is_in_the_cache_need_not_be_built_again(built: Project) -> None:
    program = Program(built.directory / "moo.pex")
    api.build(program, built.directory / "dist")
    past(built.directory)
    last_build.observe(ARGUMENTS)
    api.build(program, built.directory / "dist")
    last_build.keep("results\n", "said\n")
    assert nothing_changed()


CHANGES: dict[str, Callable[[Path], object]] = {
    "the manifest": lambda root: (root / "lift.toml").open("a").write("# moo\n"),
    "the lock": lambda root: (root / "lift.lock").open("a").write("# moo\n"),
    "the lock, removed": lambda root: (root / "lift.lock").unlink(),
    "the payload": lambda root: pex(root / "moo.pex", says="mu"),
    "a file": lambda root: (root / "notes" / "first.txt").write_text("mu!"),
    "a file of the same size": lambda root: (root / "notes" / "first.txt").write_text("mox"),
    "a new file": lambda root: (root / "notes" / "second.txt").write_text("mu"),
    "a new directory": lambda root: (root / "notes" / "dist").mkdir(),
    "a removed file": lambda root: (root / "notes" / "first.txt").unlink(),
    "a mode": lambda root: (root / "notes" / "first.txt").chmod(0o755),
    "the executable": lambda root: (root / "dist" / "moo").open("ab").write(b"more"),
    "the executable, of the same size": lambda root: flip(root / "dist" / "moo"),
    "the executable, removed": lambda root: (root / "dist" / "moo").unlink(),
    "all executables, removed": lambda root: shutil.rmtree(root / "dist"),
    "the executable, without its bit": lambda root: (root / "dist" / "moo").chmod(0o644),
}


def flip(path: Path) -> None:
    """Changes a byte, and says that nothing was changed."""
    status = path.stat()
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_noticed(built: Project, change: str) -> None:
    assert nothing_changed()
    CHANGES[change](built.directory)
    assert not nothing_changed()


def test_after_a_change_the_next_build_counts(built: Project) -> None:
    (built.directory / "notes" / "first.txt").write_text("mu")
    past(built.directory)
    observe(built)
    assert nothing_changed()


def test_the_environment_is_an_input(built: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHLVL", "77")
    assert nothing_changed()
    monkeypatch.setenv("CZSCIE_OFFLINE", "1")
    assert not nothing_changed()


def test_a_change_while_it_builds_is_noticed(built: Project) -> None:
    last_build.observe(ARGUMENTS)
    built.build()
    (built.directory / "notes" / "first.txt").write_text("changed meanwhile")
    last_build.keep("results\n", "said\n")
    assert not nothing_changed()


@pytest.mark.parametrize("name", ["lift.lock", "dist/moo"])
def test_what_was_written_and_changed_meanwhile_is_not_kept(built: Project, name: str) -> None:
    (built.directory / "lift.lock").unlink()
    last_build.observe(ARGUMENTS)
    built.build()
    with (built.directory / name).open("ab") as file:
        file.write(b"# changed meanwhile\n")
    last_build.keep("results\n", "said\n")
    assert not nothing_changed()


def test_a_file_that_is_too_new_to_tell_is_not_kept(built: Project) -> None:
    last_build.observe(ARGUMENTS)
    (built.directory / "notes" / "first.txt").write_text("mu")
    built.build()
    last_build.keep("results\n", "said\n")
    assert not nothing_changed()


def test_a_file_that_came_to_a_place_looked_at_first_is_noticed(
    project: Project, server: MirrorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name is looked for in several directories, and they need not be listed."""
    from czscie.filesystem import exists

    monkeypatch.chdir(project.directory)
    (project.directory / "far").mkdir()
    last_build.observe(ARGUMENTS)
    assert not exists(project.directory / "far" / "place")
    last_build.keep("", "")
    assert nothing_changed()
    (project.directory / "far" / "place").write_text("moo")
    assert not nothing_changed()


@pytest.mark.parametrize("name", ["dev", "proc", "czscie-build-12345678", "__pycache__"])
def test_directories_with_the_names_of_others_are_inputs(
    project: Project, server: MirrorServer, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(project.directory)
    path = project.directory / name / "inner" / "data.pyc"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"moo")
    past(project.directory)
    last_build.observe(ARGUMENTS)
    path.read_bytes()
    last_build.keep("", "")
    assert nothing_changed()
    path.write_bytes(b"mu!")
    assert not nothing_changed()


def test_bytecode_that_others_write_is_no_input(
    project: Project, server: MirrorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.directory)
    bytecode = project.directory / "__pycache__"
    bytecode.mkdir()
    (project.directory / "moo.py").write_text("")
    (bytecode / "moo.cpython-313.pyc").write_bytes(b"moo")
    past(project.directory)
    last_build.observe(ARGUMENTS)
    (bytecode / "moo.cpython-313.pyc").read_bytes()
    last_build.keep("", "")
    (bytecode / "cow.cpython-313.pyc").write_bytes(b"cow")
    assert nothing_changed()
    (project.directory / "moo.py").write_text("changed")
    assert not nothing_changed()


def test_what_is_damaged_is_not_taken(built: Project) -> None:
    [kept] = cache_directory("builds").iterdir()
    kept.write_bytes(kept.read_bytes().replace(b"results", b"nothing"))
    assert not nothing_changed()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
def test_what_another_user_kept_is_not_taken(built: Project) -> None:
    [kept] = cache_directory("builds").iterdir()
    os.chown(kept, 12345, -1)
    assert not nothing_changed()


def test_the_command_builds_once(project: Project, server: MirrorServer) -> None:
    pex(project.directory / "moo.pex")
    project.manifest(rest="[lift.pack]\nstdlib = false\n")
    past(project.directory)

    def build(*options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "czscie", "build", *options]
        return subprocess.run(command, cwd=project.directory, capture_output=True, text=True, check=True)

    first, second = build(), build()
    assert "Wrote dist/moo" in first.stderr
    assert second.stdout == first.stdout
    assert second.stderr == "Nothing has changed since dist/moo was built\n"
    assert "Wrote dist/moo" in build("-v").stderr
    [kept] = cache_directory("builds").iterdir()
    assert czscies_own(set(kept.read_text().split("\0")))
    (project.directory / "dist" / "moo").unlink()
    assert "Wrote dist/moo" in build().stderr


def test_arguments_for_no_program_are_no_build_of_nothing_new(built: Project) -> None:
    assert not last_build.answer((*ARGUMENTS, "--", "moo"))


def test_a_program_that_starts_at_once_was_used(
    built: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "cache" / "executables" / "key" / "moo"
    program.parent.mkdir(parents=True)
    program.touch()
    os.utime(program.parent, (0, 0))
    last_build.observe(ARGUMENTS)
    last_build.keep(program=str(program))
    started: list[tuple[str, list[str]]] = []
    monkeypatch.setattr(last_build, "become", lambda *what: started.append(what))
    assert last_build.answer((*ARGUMENTS, "--", "moo"))
    assert started == [(str(program), ["moo"])]
    assert program.parent.stat().st_mtime > 0


def czscies_own(paths: set[str]) -> bool:
    """Whether czscie's code, its libraries and what launchers are compiled from are among `paths`."""
    package = Path(last_build.__file__).parent
    code = ("__init__.py", "__main__.py", "last_build.py", "cli.py", "build.py", "scie/assemble.py")
    return (
        all(str(package / name) in paths for name in code)
        and any(path.endswith("/METADATA") and "/zstandard-" in path for path in paths)
        and any(path.endswith("/main.zig") for path in paths)
    )
