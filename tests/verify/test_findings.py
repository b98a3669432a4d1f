from __future__ import annotations

import json
from pathlib import Path

import pytest

from building import Project, pex
from czscie.cache import cache_directory
from czscie.console import Console
from czscie.errors import CzscieError
from czscie.launchers.build import file_name
from czscie.session import Session
from czscie.verify.findings import Findings, verify
from mach_o_image import image, sign_as_developer


def findings(project: Project, path: Path, *, lock: bool = False, rebuild: bool = False) -> Findings:
    directory = project.directory
    return verify(
        path,
        directory / "lift.lock" if lock else None,
        directory / "lift.toml" if rebuild else None,
        Session.of(Console()),
    )


@pytest.mark.parametrize("platform", ["linux-aarch64", "windows-x86_64"])
def test_what_was_built_is_as_locked_and_is_built_again(
    project: Project, platform: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (project.directory / "bell").write_bytes(b"ding")
    project.manifest(platforms=("linux-aarch64", "windows-x86_64"), rest='[[lift.files]]\nname = "bell"\n')
    [built] = project.build(platform)
    capsys.readouterr()
    found = findings(project, built.path, lock=True, rebuild=True)
    assert (found.problems, found.rebuilt) == ((), ())
    assert "Wrote" not in capsys.readouterr().err
    assert found.lock is not None
    agreed = ["the interpreter", "the file", "the PEX", "the launcher's source", "the launcher"]
    assert (found.lock.agreed, found.lock.unknown) == (len(agreed), [])
    assert json.loads(json.dumps(found.as_json()))["ok"] is True


def test_what_was_signed_since_is_as_locked_and_is_built_again(project: Project) -> None:
    launcher = cache_directory("launchers") / file_name("macos-aarch64")
    launcher.write_bytes(image())
    project.manifest(platforms=("macos-aarch64",))
    [built] = project.build("macos-aarch64")
    signed = project.directory / "signed"
    sign_as_developer(built.path, signed)
    assert signed.read_bytes() != built.path.read_bytes()
    for path in (built.path, signed):
        found = findings(project, path, lock=True, rebuild=True)
        assert (found.problems, found.rebuilt) == ((), ())


def test_an_executable_of_before_is_not_what_the_lock_of_now_says(project: Project) -> None:
    project.manifest()
    [before] = project.build()
    pex(project.directory / "moo.pex", says="something else")
    project.build(output="elsewhere")
    found = findings(project, before.path, lock=True)
    [difference] = found.problems
    assert difference.startswith("the payload moo.pex differs from the lock: SHA-256 ")


def test_what_differs_when_it_is_built_again_is_named(project: Project) -> None:
    project.manifest()
    [built] = project.build()
    project.manifest(lift='description = "A cow"')
    found = findings(project, built.path, rebuild=True)
    assert found.problems == ("the manifest's boot", "the manifest's description", "the bill of materials")
    project.manifest(lift="compression_level = 3")
    found = findings(project, built.path, rebuild=True)
    assert any(line.startswith("the part cpython: the same files, packed") for line in found.problems)


def test_nothing_is_built_again_from_a_lock_that_is_out_of_date(project: Project) -> None:
    project.manifest()
    [built] = project.build()
    lock = (project.directory / "lift.lock").read_bytes()
    pex(project.directory / "moo.pex", says="something else")
    with pytest.raises(CzscieError, match="not up to date"):
        findings(project, built.path, rebuild=True)
    assert (project.directory / "lift.lock").read_bytes() == lock


def test_a_damaged_file_is_not_compared(project: Project) -> None:
    project.manifest()
    [built] = project.build()
    data = bytearray(built.path.read_bytes())
    data[0] ^= 1
    built.path.write_bytes(data)
    found = findings(project, built.path, lock=True, rebuild=True)
    assert (found.lock, found.rebuilt) == (None, None)
    assert found.problems == ("launcher: launcher: it changed after it was built",)


def test_a_lock_that_is_not_there_is_named(project: Project) -> None:
    project.manifest()
    [built] = project.build()
    (project.directory / "lift.lock").unlink()
    with pytest.raises(CzscieError, match="there is no lock"):
        findings(project, built.path, lock=True)
