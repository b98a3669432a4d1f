"""Executables started on this host, with exactly the environment a test gives them."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Text = str | bytes | Path


def start(
    executable: Text,
    *arguments: Text,
    base: Text,
    environment: Mapping[str, str] | Mapping[bytes, bytes] | None = None,
    directory: Text = "/",
    stdin: bytes = b"",
) -> subprocess.CompletedProcess[bytes]:
    """Run a scie whose base directory is `base`; nothing of this process's environment reaches it."""
    given = {os.fsencode(name): os.fsencode(value) for name, value in (environment or {}).items()}
    return subprocess.run(
        [executable, *arguments],
        env={b"CZSCIE_BASE": os.fsencode(base), **given},
        cwd=directory,
        input=stdin,
        capture_output=True,
        timeout=120,
    )


@dataclass(frozen=True, slots=True)
class World:
    """What `toolbox.world` prints, see there: the interpreter's view of how it was started."""

    view: dict[str, Any]

    def __getitem__(self, key: str) -> Any:
        return self.view[key]

    @property
    def environment(self) -> dict[str, str]:
        return dict(self.view["environment"])


def world(done: subprocess.CompletedProcess[bytes]) -> World:
    """The view that a successful run printed."""
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return World(json.loads(done.stdout))
