"""`czscie lock --attest`, by the command line."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from attestation.conftest import instance, trusted_root
from attestation.instance import RUN, Attestation, Instance
from building import Project
from czscie.attestation.provenance import WORKFLOW
from czscie.cli import app
from czscie.errors import CzscieError
from czscie.lock.lock import read_lock
from network.server import MirrorServer

__all__ = ["instance", "trusted_root"]


def lock(project: Project, *arguments: str | Path) -> str:
    """Its standard error. Raises what the command raises."""
    done = CliRunner().invoke(
        app, ["lock", str(project.directory / "lift.toml"), *map(str, arguments)], catch_exceptions=False
    )
    assert done.exit_code == 0, done.output
    return done.stderr


def attested(project: Project) -> list[str | None]:
    found = read_lock((project.directory / "lift.toml").with_suffix(".lock"))
    assert found is not None
    return [interpreter.attested for interpreter in found.interpreters if not interpreter.helper]


def digests(project: Project) -> list[str]:
    found = read_lock((project.directory / "lift.toml").with_suffix(".lock"))
    assert found is not None
    return [interpreter.sha256 for interpreter in found.interpreters]


def write_bundle(path: Path, instance: Instance, *digests: str) -> Path:
    path.write_text(json.dumps(instance.attest(Attestation(digests))))
    return path


def test_the_lock_says_who_built_what_it_pins_and_keeps_that(
    project: Project, instance: Instance, trusted_root: Path, tmp_path: Path
) -> None:
    project.manifest(platforms=("linux-x86_64", "windows-x86_64"))
    lock(project)
    assert attested(project) == [None, None]
    bundle = write_bundle(tmp_path / "bundle.json", instance, *digests(project))
    told = lock(project, "--attest", "--attestations", bundle, "--trusted-root", trusted_root)
    assert f"install_only_stripped.tar.gz: {RUN} in" in told
    assert attested(project) == [WORKFLOW, WORKFLOW]
    lock(project)
    project.build()
    assert attested(project) == [WORKFLOW, WORKFLOW]


def test_what_nobody_vouches_for_is_not_locked(
    project: Project, instance: Instance, trusted_root: Path, tmp_path: Path
) -> None:
    manifest = project.manifest()
    bundle = write_bundle(tmp_path / "bundle.json", instance, "0" * 64)
    with pytest.raises(CzscieError, match="it does not attest"):
        lock(project, "--attestations", bundle, "--trusted-root", trusted_root)
    assert not manifest.with_suffix(".lock").exists()


def test_without_the_extra_nothing_is_asked(
    project: Project, server: MirrorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.manifest()
    monkeypatch.setitem(sys.modules, "cramjam", None)
    with pytest.raises(CzscieError, match="attestations cannot be verified here"):
        lock(project, "--attest")
    assert server.requests == []
