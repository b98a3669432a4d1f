"""podman with a storage of a test's own, and with settings that work for a root with few privileges."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

TIMEOUT = 180

#: Debian's crun knows no hybrid control groups, and podman's own limits are above those of many machines.
_SETTINGS = """\
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
netns = "none"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
"""

#: Nobody vouches for the images of tests.
_POLICY = '{"default": [{"type": "insecureAcceptAnything"}]}'


@dataclass(frozen=True, slots=True)
class Podman:
    """Everything that it makes is below `directory`."""

    directory: Path

    def __call__(self, *arguments: str | Path, stdin: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Runs `podman ARGUMENTS`."""
        with (stdin or Path(os.devnull)).open("rb") as given:
            return subprocess.run(
                [*self._command(), *arguments],
                env={"PATH": os.environ["PATH"], **self._environment()},
                stdin=given,
                capture_output=True,
                encoding="utf-8",
                errors="surrogateescape",
                timeout=TIMEOUT,
            )

    def _command(self) -> list[str]:
        places = {"root": "storage", "runroot": "run", "tmpdir": "tmp"}
        return ["podman", *(f"--{option}={self.directory / name}" for option, name in places.items())]

    def _environment(self) -> dict[str, str]:
        return {
            "CONTAINERS_CONF": str(self.directory / "containers.conf"),
            "HOME": str(self.directory),
        }

    def write_program(self, path: Path) -> None:
        """Makes `path` a program that is this podman, under whatever name."""
        words = ["env", *(f"{name}={value}" for name, value in self._environment().items()), *self._command()]
        path.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
        path.chmod(0o755)

    def must(self, *arguments: str | Path, stdin: Path | None = None) -> str:
        """The same of what has to succeed: its standard output."""
        done = self(*arguments, stdin=stdin)
        assert done.returncode == 0, f"podman {arguments[0]}: {done.stderr}"
        return done.stdout

    def import_root(self, root: Path, name: str) -> str:
        """An image of one layer, which is the directory `root`; its name."""
        layer = self.directory / f"{name}.tar"
        subprocess.run(["tar", "--numeric-owner", "-C", root, "-cf", layer, "."], check=True)
        self.must("import", layer, f"localhost/{name}")
        layer.unlink()
        return f"localhost/{name}"

    def run(self, image: str, *command: str, options: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
        """Runs a command in a container of its own, without a network but loopback."""
        return self("run", "--rm", "--network", "none", *options, image, *command)


def lacking() -> str | None:
    """Why podman cannot be used here, or None."""
    for program in ("podman", "runc"):
        if shutil.which(program) is None:
            return f"there is no {program}: apt-get install {program}"
    return None if os.geteuid() == 0 else "podman is set up for root here"


@contextmanager
def podman() -> Iterator[Podman]:
    """podman, until the context ends. Nothing stays mounted or running."""
    # It refuses paths of more than 50 characters, which those of tests are.
    directory = Path(tempfile.mkdtemp(prefix="podman-"))
    (directory / ".config/containers").mkdir(parents=True)
    (directory / ".config/containers/policy.json").write_text(_POLICY)
    (directory / "containers.conf").write_text(_SETTINGS)
    engine = Podman(directory)
    try:
        yield engine
    finally:
        engine("rm", "--all", "--force")
        mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
        for mount in reversed(mounts):
            if Path(mount).is_relative_to(directory):
                subprocess.run(["umount", "--lazy", mount], check=False)
        shutil.rmtree(directory, ignore_errors=True)
