"""What git says of a project changes with each commit and tag, wherever the project is in its repository."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from czscie.lock.git import state_of_git

COMMIT, OTHER = "1" * 40, "2" * 40


def state(path: Path) -> dict[str, str]:
    return {name: file.read_text().strip() for name, file in state_of_git(path)}


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{text}\n")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with a commit and a tag, and a project below it."""
    root = tmp_path / "repository"
    write(root / ".git/HEAD", "ref: refs/heads/main")
    write(root / ".git/refs/heads/main", COMMIT)
    write(root / ".git/refs/tags/v1", COMMIT)
    (root / "projects/cow").mkdir(parents=True)
    return root


def test_a_directory_outside_a_repository_has_no_state(tmp_path: Path) -> None:
    assert state(tmp_path) == {}


@pytest.mark.parametrize("below", [".", "projects/cow"])
def test_the_commit_and_the_tags_are_those_of_the_repository_around(repository: Path, below: str) -> None:
    assert state(repository / below) == {
        "HEAD": "ref: refs/heads/main",
        "refs/heads/main": COMMIT,
        "refs/tags/v1": COMMIT,
    }


def test_a_commit_without_a_branch_is_told_by_the_head(repository: Path) -> None:
    write(repository / ".git/HEAD", OTHER)
    assert state(repository) == {"HEAD": OTHER, "refs/tags/v1": COMMIT}


def test_references_may_be_packed(repository: Path) -> None:
    shutil.rmtree(repository / ".git/refs")
    packed = f"{COMMIT} refs/heads/main\n{COMMIT} refs/tags/v1"
    write(repository / ".git/packed-refs", packed)
    assert state(repository) == {"HEAD": "ref: refs/heads/main", "packed-refs": packed}


def test_a_worktree_has_a_head_of_its_own_and_shares_the_tags(repository: Path, tmp_path: Path) -> None:
    write(tmp_path / "tree/.git", f"gitdir: {repository}/.git/worktrees/tree")
    write(repository / ".git/worktrees/tree/HEAD", OTHER)
    write(repository / ".git/worktrees/tree/commondir", "../..")
    assert state(tmp_path / "tree") == {"HEAD": OTHER, "refs/tags/v1": COMMIT}


def test_a_submodule_has_a_repository_of_its_own(repository: Path) -> None:
    write(repository / "projects/cow/.git", "gitdir: ../../.git/modules/cow")
    write(repository / ".git/modules/cow/HEAD", OTHER)
    assert state(repository / "projects/cow") == {"HEAD": OTHER}


@pytest.mark.parametrize("head", ["ref: refs/heads/\0", "ref: ../../..", "ref: ", "", "\udcff"])
def test_a_head_that_is_damaged_is_all_that_is_told(tmp_path: Path, head: str) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git/HEAD").write_bytes(head.encode("utf-8", "surrogateescape"))
    assert [name for name, _ in state_of_git(tmp_path)] == ["HEAD"]


NAMES = """
from pathlib import Path
from czscie.lock.git import state_of_git
print([name for name, _ in state_of_git(Path())])
"""
#: Takes from root the right to read files regardless of their modes.
_CAPABILITIES = "-dac_override,-dac_read_search"


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv is not installed")
@pytest.mark.parametrize("name", [".git", ".git/HEAD", ".git/refs/tags"])
def test_what_may_not_be_read_is_left_out(repository: Path, name: str) -> None:
    command = [sys.executable, "-c", NAMES]
    if os.geteuid() == 0:
        limits = (f"--inh-caps={_CAPABILITIES}", f"--bounding-set={_CAPABILITIES}")
        command = ["setpriv", *limits, *command]
    (repository / name).chmod(0)
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    (repository / name).chmod(0o700)
    assert (done.returncode, done.stderr) == (0, "")
    assert set(ast.literal_eval(done.stdout)) < {"HEAD", "refs/heads/main", "refs/tags/v1"}


@pytest.mark.parametrize("content", ["", "gitdir: /nowhere", "moo"])
def test_a_git_file_that_leads_nowhere_says_nothing(tmp_path: Path, content: str) -> None:
    write(tmp_path / ".git", content)
    assert state(tmp_path) == {}


def git(directory: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=cow", "-c", "user.email=cow@example.com")
    subprocess.run(["git", *identity, *arguments], cwd=directory, check=True, capture_output=True)


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
@pytest.mark.parametrize(
    "change",
    [
        lambda path: git(path, "commit", "--allow-empty", "-m", "moo"),
        lambda path: git(path, "tag", "v2"),
        lambda path: git(path, "tag", "-a", "-m", "moo", "v2"),
        lambda path: git(path, "tag", "-d", "v1"),
        lambda path: git(path, "checkout", "--detach"),
        lambda path: git(path, "reset", "--hard", "HEAD~"),
        lambda path: (git(path, "pack-refs", "--all"), git(path, "tag", "v2")),
    ],
)
def test_what_git_does_shows(tmp_path: Path, change: Callable[[Path], object]) -> None:
    git(tmp_path, "init")
    for _ in range(2):
        git(tmp_path, "commit", "--allow-empty", "-m", "first")
    git(tmp_path, "tag", "v1")
    before = state(tmp_path)
    change(tmp_path)
    assert state(tmp_path) != before
