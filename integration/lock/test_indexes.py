"""Where the payload's packages come from, and what of a project is resolved: keys of `lift.payload`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from building import Project
from czscie.errors import CzscieError
from czscie.lock.command import check_lock, update_lock
from czscie.lock.lock import Lock, read_lock
from czscie.lock.upgrade import Upgrade
from czscie.session import Session
from lock.wheelhouse import project_directory, wheel_file

SOURCE = "def main(): print('moo')\n"


def lock(project: Project, session: Session | None = None) -> Lock:
    update_lock(project.directory / "lift.toml", Upgrade(), session or Session.of())
    found = read_lock(project.directory / "lift.lock")
    assert found is not None
    return found


def names(lock: Lock) -> list[str]:
    return [package.name for package in lock.packages]


def test_a_wheelhouse_in_the_manifest_needs_no_network(
    project: Project, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.delenv("PIP_NO_INDEX")
    wheels = project.directory / "my wheels"
    wheels.mkdir()
    wheel_file(wheels, "cow-1.0-py3-none-any.whl", requires=["calf"])
    wheel_file(wheels, "calf-2.0-py3-none-any.whl")
    where = 'find_links = ["my wheels"]\nno_index = true'
    project.manifest(payload=f'requirements = ["calf"]\n{where}')
    assert names(lock(project)) == ["calf"]
    project.manifest(payload=f'requirements = ["cow"]\n{where}')
    found = lock(project, Session.of(offline=True))
    assert names(found) == ["calf", "cow"]
    assert [wheel.path for package in found.packages for wheel in package.wheels] == [
        "my wheels/calf-2.0-py3-none-any.whl",
        "my wheels/cow-1.0-py3-none-any.whl",
    ]
    assert str(project.directory) not in (project.directory / "lift.lock").read_text()
    wheels.rename(project.directory / "wheels")
    manifest = project.manifest(payload='requirements = ["cow"]\nfind_links = ["wheels"]\nno_index = true')
    [change] = check_lock(manifest, Session.of())
    assert change.startswith("lift.payload.find_links was ")


def test_extras_and_groups_of_a_project_are_resolved(project: Project, index: Path) -> None:
    for name in ("cow", "calf", "herd", "pig"):
        wheel_file(index, f"{name}-1.0-py3-none-any.whl")
    groups = '[dependency-groups]\nserver = ["pig"]\n'
    extras = {"cli": ["calf"], "web": ["herd"]}
    directory = project_directory(project.directory / "farm", SOURCE, ["cow"], extras, groups)
    manifest = project.manifest(payload='project = "farm"')
    assert names(lock(project)) == ["cow", "farm"]
    project.manifest(payload='project = "farm"\nextras = ["cli"]\ngroups = ["server"]')
    assert len(check_lock(manifest, Session.of())) == 2
    assert names(lock(project)) == ["calf", "cow", "farm", "pig"]
    assert check_lock(manifest, Session.of()) == ()
    pyproject = directory / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace('server = ["pig"]', 'server = ["herd"]'))
    assert check_lock(manifest, Session.of()) == ("the project's requirements changed",)
    assert names(lock(project)) == ["calf", "cow", "farm", "herd"]
    project.manifest(payload='project = "farm"\nextras = ["tests"]')
    with pytest.raises(CzscieError, match="farm has no extra tests"):
        lock(project)


def test_members_of_a_uv_workspace_are_built_from_their_directories(project: Project, index: Path) -> None:
    wheel_file(index, "cow-1.0-py3-none-any.whl")
    farm = project.directory / "farm"
    members = '[tool.uv.workspace]\nmembers = ["*"]\n'
    farm.mkdir()
    (farm / "pyproject.toml").write_text(members)
    sources = "[tool.uv.sources]\n{name} = {{ workspace = true }}\n"
    project_directory(farm / "app", SOURCE, ["herd>=1"], rest=sources.format(name="herd"))
    project_directory(farm / "herd", SOURCE, ["calf"], rest=sources.format(name="calf"))
    calf = project_directory(farm / "calf", SOURCE, ["cow"])
    manifest = project.manifest(payload='project = "farm/app"')
    found = lock(project)
    assert {each.name: each.directory and each.directory.path for each in found.packages} == {
        "app": "farm/app",
        "calf": "farm/calf",
        "cow": None,
        "herd": "farm/herd",
    }
    assert check_lock(manifest, Session.of()) == ()
    project.build()
    (calf / "calf.py").write_text("def main(): print('ma')\n")
    assert check_lock(manifest, Session.of()) == ("calf builds a different wheel from its directory",)


def test_a_program_takes_the_same_as_options(
    project: Project, index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIP_FIND_LINKS")
    wheel_file(index, "cow-1.0-py3-none-any.whl")
    directory = project_directory(project.directory / "farm", SOURCE, extras={"cli": ["cow"]})

    def build(*options: str) -> subprocess.CompletedProcess[str]:
        command = [
            sys.executable,
            "-m",
            "czscie",
            "plan",
            str(directory),
            "--json",
            "--platform",
            "linux-x86_64",
        ]
        return subprocess.run([*command, *options], capture_output=True, text=True, check=False)

    done = build("--extra", "cli", "--find-links", str(index), "--no-index")
    assert done.returncode == 0, done.stderr
    assert "cow-1.0-py3-none-any.whl" in done.stdout
    assert "cow-1.0" not in build("--find-links", str(index), "--no-index").stdout
    project.manifest()
    done = subprocess.run(
        [sys.executable, "-m", "czscie", "plan", str(project.directory), "--extra", "cli"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "--extra is for programs without a manifest" in " ".join(done.stderr.split())
