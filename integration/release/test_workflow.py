"""The workflow of a release calls what this checkout has; it is not run here."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import pytest
import yaml

from release.__main__ import CHECKOUT, check_url, parse_options

WORKFLOW = CHECKOUT / ".github/workflows/release.yml"


def test_the_workflow_calls_the_command_with_its_options(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://forge.example.com")
    monkeypatch.setenv("GITHUB_REPOSITORY", "farm/czscie")
    monkeypatch.setenv("GITHUB_REF_NAME", "v0.1.0")
    steps = yaml.safe_load(WORKFLOW.read_text())["jobs"]["build"]["steps"]
    [command] = [each["run"] for each in steps if "-m release" in each.get("run", "")]
    options = parse_options(shlex.split(os.path.expandvars(command))[3:])
    assert options.output == Path("dist")
    assert options.url == "https://forge.example.com/farm/czscie/releases/download/v0.1.0"
    check_url(options.url)
    assert not options.allow_dirty and not options.platform
