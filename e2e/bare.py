"""Root directories that hold next to nothing, and programs run in them.

A bare root has the executable, `/proc`, an empty writable `/tmp` and glibc's own shared libraries. Programs
run in it by chroot, with an empty environment, as process 1 of their own process namespace, and in a network
namespace in which no interface, not even loopback, is up.
"""

from __future__ import annotations

import os
import platform
import shutil
import signal
import stat
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

#: What the package of glibc installs beside its loader, less NSS modules and debugging helpers.
GLIBC_LIBRARIES = ("c", "m", "dl", "pthread", "rt", "util", "resolv", "anl", "mvec", "BrokenLocale")

#: Where the psABI of each machine puts the dynamic loader.
LOADERS = {"x86_64": "lib64/ld-linux-x86-64.so.2", "aarch64": "lib/ld-linux-aarch64.so.1"}

#: Compiler run-time libraries that PEP 600 lets manylinux wheels expect of their host.
MANYLINUX_LIBRARIES = ("libgcc_s.so.1", "libstdc++.so.6")

TIMEOUT = 120.0


@dataclass(frozen=True, slots=True)
class BareRoot:
    """A bare root at `path`; `enter` is a command that runs its arguments where an emulator is set up."""

    path: Path
    enter: tuple[str, ...] = field(default=())

    @classmethod
    def empty(cls, path: Path, enter: Sequence[str] = ()) -> BareRoot:
        """Make a root that has not even a C library."""
        path.mkdir(parents=True)
        (path / "proc").mkdir()
        (path / "tmp").mkdir()
        (path / "tmp").chmod(0o1777)
        return cls(path, tuple(enter))

    @classmethod
    def create(
        cls, path: Path, machine: str, system: Path = Path("/"), enter: Sequence[str] = ()
    ) -> BareRoot:
        """Make a bare root for `machine` out of the glibc that the system at `system` has."""
        root = cls.empty(path, enter)
        loader = system / LOADERS[machine]
        copied = path / LOADERS[machine]
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(loader, copied)
        for library in GLIBC_LIBRARIES:
            for found in loader.resolve().parent.glob(f"lib{library}.so.[0-9]"):
                root._copy_library(found, system)
        return root

    def _copy_library(self, library: Path, system: Path) -> None:
        """Copy a shared library to where the host's loader looks for it."""
        target = self.path / library.parent.resolve().relative_to(system.resolve()) / library.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, target)

    def add_manylinux_libraries(self) -> None:
        """Add what compiled wheels may expect of a host beyond glibc (PEP 600). Raises FileNotFoundError."""
        directory = (Path("/") / LOADERS[platform.machine()]).resolve().parent
        for name in MANYLINUX_LIBRARIES:
            self._copy_library(directory / name, Path("/"))

    def add_shared_memory(self) -> None:
        """Make `/dev/shm`, where glibc keeps semaphores: no lock of multiprocessing exists without it."""
        directory = self.path / "dev/shm"
        directory.mkdir(parents=True)
        directory.chmod(0o1777)

    def add_null_device(self) -> None:
        """Make `/dev/null`, which only root can; without, what needs it fails and says so."""
        if os.geteuid() == 0:
            os.mknod(self.path / "dev/null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
            (self.path / "dev/null").chmod(0o666)

    @property
    def base(self) -> Path:
        """Where executables have installed themselves; `/tmp` belongs to all users, the cache to root."""
        (base,) = [*self.path.glob("tmp/czscie-*"), *self.path.glob("var/cache/czscie")]
        return base

    def install(self, executable: Path) -> str:
        """Put the executable into the root; its path inside is returned."""
        target = self.path / executable.name
        shutil.copy(executable, target)
        target.chmod(0o755)
        return f"/{executable.name}"

    def run(
        self,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        proc: bool = True,
        user: int = 0,
    ) -> subprocess.CompletedProcess[str]:
        """Run a program of the root; its environment is empty unless given, and it is root's own.

        Only root can run it as another `user`.
        """
        command = [*self.enter, _tool("unshare"), *_identity(bool(self.enter))]
        command += ["--mount", "--net", "--pid", "--fork", "--kill-child"]
        command += [f"--root={self.path}", "--wd=/", *(["--mount-proc=/proc"] if proc else [])]
        command += [f"--setuid={user}", f"--setgid={user}"] if user else []
        command += arguments
        with subprocess.Popen(
            command,
            env=dict(environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="surrogateescape",
            start_new_session=True,
        ) as process:
            try:
                stdout, stderr = process.communicate(timeout=TIMEOUT)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                stdout, stderr = process.communicate()
                stderr += f"\nkilled after {TIMEOUT:.0f} s"
        return subprocess.CompletedProcess(command, process.returncode, stdout, stderr)

    def entries(self) -> list[str]:
        """Everything in the root but `/proc`, `/tmp` and `/var`, for comparison before and after."""
        found = []
        for directory, names, files in os.walk(self.path):
            relative = Path(directory).relative_to(self.path)
            if directory == str(self.path):
                names[:] = set(names) - {"proc", "tmp", "var"}
            found += [str(relative / name) for name in (*names, *files)]
        return sorted(found)


def _identity(entered: bool) -> list[str]:
    """What lets a user who is not root unshare and chroot: a user namespace in which they are."""
    return [] if entered or os.geteuid() == 0 else ["--user", "--map-root-user"]


def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise FileNotFoundError(f"the e2e tests need {name}: apt-get install util-linux")
    return found
