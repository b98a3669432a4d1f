"""What the wheel of a project is made again for, and what is none of its sources."""

from __future__ import annotations

from pathlib import Path

import pytest

from building import Project
from czscie.lock import builder
from czscie.lock.builder import Builder
from czscie.lock.sdist import project_digest
from czscie.session import Session


def test_what_czscie_wrote_beside_the_sources_is_no_source(project: Project) -> None:
    project.manifest(platforms=("linux-x86_64", "macos-aarch64", "windows-x86_64"))
    sources = project.directory
    digest = project_digest(sources, sources / "lift.lock")
    built = project.build(output="bin")
    assert len(built) == 3
    (sources / "moo.czex").write_bytes(b"moo")
    assert project_digest(sources, sources / "lift.lock") == digest


@pytest.mark.parametrize("content", [b"", bytes(1 << 20), b"MZ" + bytes(range(256)), b"\xcf\xfa\xed\xfe"])
def test_any_other_file_is_a_source(tmp_path: Path, content: bytes) -> None:
    digest = project_digest(tmp_path, tmp_path / "lift.lock")
    (tmp_path / "herd").write_bytes(content)
    assert project_digest(tmp_path, tmp_path / "lift.lock") != digest


@pytest.mark.parametrize(
    "name", ["src/cow/build/wheel.py", "cow/dist/__init__.py", ".git/refs/tags/v2", "../.git/refs/tags/v2"]
)
def test_a_project_changes_with_packages_that_are_called_as_outputs_and_with_tags(
    tmp_path: Path, name: str
) -> None:
    project = tmp_path / "cow"
    file = project / name
    file.parent.mkdir(parents=True)
    digest = project_digest(project, project / "lift.lock")
    file.write_text("moo\n")
    assert project_digest(project, project / "lift.lock") != digest


@pytest.mark.parametrize(
    "name", ["build/lib/cow.py", "dist/cow", ".venv/x", "node_modules/x", "cow/__pycache__/x"]
)
def test_outputs_are_no_source(tmp_path: Path, name: str) -> None:
    digest = project_digest(tmp_path, tmp_path / "lift.lock")
    file = tmp_path / name
    file.parent.mkdir(parents=True)
    file.write_text("moo\n")
    assert project_digest(tmp_path, tmp_path / "lift.lock") == digest


def test_a_directory_is_read_once_to_compare_and_to_lock_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Path] = []

    def count(path: Path, lock: Path) -> str:
        asked.append(path)
        return project_digest(path, lock)

    monkeypatch.setenv("CZSCIE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(builder, "project_digest", count)
    project = tmp_path / "cow"
    project.mkdir()
    (project / "pyproject.toml").write_text('[project]\nname = "cow"\nversion = "1"\ndependencies = []\n')
    plans = Builder(None, tmp_path, tmp_path / "lift.lock", Session.of(), runs=False)
    assert plans.project(project) == plans.project(project)
    assert asked == [project]
