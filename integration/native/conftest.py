from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from czscie.container.manifest import Command
from integration.native.application import HOME, SHOW, Application, Make
from scie.factories import Tree, host_launcher, part, scie


@pytest.fixture(scope="session")
def launcher() -> Path:
    return host_launcher()


@pytest.fixture
def make(tmp_path: Path, launcher: Path) -> Make:
    """A function from a tree and commands to an application."""

    def make(tree: Tree = HOME, commands: Mapping[str, Command] | None = None, **head: Any) -> Application:
        made = scie(
            tmp_path / "moo", launcher, [part(tmp_path, "cpython", tree)], commands or {"": SHOW}, **head
        )
        return Application(tmp_path / "moo", made, tmp_path / "base")

    return make
