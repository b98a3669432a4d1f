"""What shells are offered: names from the files here, and nothing if they cannot be read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from czscie.commands import candidates
from czscie.errors import Code
from czscie.platforms import platform_names

MANIFEST = """\
[lift]
platforms = ["linux-x86_64", { platform = "linux-aarch64", libc = "musl" }, 7]

[[lift.interpreters]]
id = "cpython"

[[lift.interpreters]]
id = "$(touch evil)"

[[lift.files]]
name = "cows.json"
key = "cows"

[[lift.files]]
name = "herd.txt"
"""

ALL = (
    candidates.platforms,
    candidates.lift_platforms,
    candidates.lazy_ids,
    candidates.file_ids,
    candidates.locked_names,
    candidates.extras,
    candidates.groups,
    candidates.kinds,
    candidates.codes,
)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_names_come_from_the_manifest(here: Path) -> None:
    (here / "lift.toml").write_text(MANIFEST)
    assert candidates.lift_platforms("") == ["linux-x86_64", "linux-aarch64"]
    assert candidates.lazy_ids("") == ["cpython", "cows", "herd.txt"]
    assert candidates.lazy_ids("c") == ["cpython", "cows"]
    assert candidates.file_ids("") == ["cows=", "herd.txt="]


def test_names_come_from_the_lock_and_the_project(here: Path) -> None:
    (here / "lift.toml").write_text(MANIFEST)
    (here / "lift.lock").write_text('[[packages]]\nname = "cowsay"\n')
    (here / "pyproject.toml").write_text(
        "[project.optional-dependencies]\ncli = []\n[dependency-groups]\ntest = []\n"
    )
    assert candidates.locked_names("") == ["cpython", "cowsay", "czscie"]
    assert candidates.extras("") == ["cli"]
    assert candidates.groups("") == ["test"]


def test_without_files_there_are_platforms_kinds_and_codes() -> None:
    assert candidates.platforms("musl") == ["musl-linux-x86_64", "musl-linux-aarch64"]
    assert candidates.lift_platforms("") == ["current", *platform_names()]
    assert candidates.codes("CZ30") == [code.value for code in Code if code.value.startswith("CZ30")]
    assert "locks" in candidates.kinds("")
    assert candidates.lazy_ids("") == candidates.file_ids("") == candidates.extras("") == []


@pytest.mark.parametrize(
    "content",
    [b"\xff\xfe", b"[lift", b"lift = 3\n", b'[lift]\nplatforms = "x"\ninterpreters = 3\nfiles = [1]\n'],
)
@pytest.mark.parametrize("offered", ALL, ids=lambda offered: offered.__name__)
def test_a_file_that_cannot_be_read_never_fails(
    offered: candidates.Candidates, content: bytes, here: Path
) -> None:
    for name in ("lift.toml", "lift.lock", "pyproject.toml"):
        (here / name).write_bytes(content)
    assert all(isinstance(name, str) for name in offered(""))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_a_pipe_is_not_waited_for(here: Path) -> None:
    os.mkfifo(here / "lift.toml")
    assert candidates.lazy_ids("") == []
