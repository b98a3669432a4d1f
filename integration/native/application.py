"""Scies whose parts are made by hand, and commands that show what the launcher did."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from czscie.container.manifest import Command, Manifest
from scie.factories import Tree

#: Shows its arguments on standard output and its environment on standard error, as the kernel has them.
SHOW = Command(exe="/bin/sh", args=("-c", "cat /proc/$$/cmdline; cat /proc/$$/environ >&2; exit 0", "show"))
HOME = Tree(programs={"bin/say": b'#!/bin/sh\necho "$0" "$@"\n'})


@dataclass(frozen=True)
class Application:
    """A scie called `moo`, and where it unpacks to unless a test says otherwise."""

    path: Path
    manifest: Manifest
    base: Path

    def start(
        self,
        *arguments: str | bytes,
        environment: Mapping[Any, Any] | None = None,
        called: str | bytes | Path | None = None,
        **options: Any,
    ) -> subprocess.CompletedProcess[bytes]:
        """Starts it in an environment of `CZSCIE_BASE` and PATH, or in the one that is given."""
        if environment is None:
            environment = {"CZSCIE_BASE": str(self.base), "PATH": os.environ["PATH"]}
        settings: dict[str, Any] = {"stdin": subprocess.DEVNULL, "capture_output": True, "timeout": 60}
        settings |= {"executable": self.path, "env": environment} | options
        return subprocess.run([self.path if called is None else called, *arguments], **settings)

    @property
    def root(self) -> Path:
        """The installation of its first part."""
        return self.base / "interpreters" / self.manifest.scie.lift.files[0].digest


Make = Callable[..., Application]


def said(done: subprocess.CompletedProcess[bytes]) -> list[str]:
    """The words of a started program's standard output."""
    assert done.returncode == 0, done.stderr
    return os.fsdecode(done.stdout).split()


def say(*arguments: str, **fields: Any) -> Command:
    return Command(exe="{cpython}/bin/say", args=arguments, **fields)
