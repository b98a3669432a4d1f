"""Programs started by wine, with exactly the environment a test gives them."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from e2e.cache import cached
from e2e.wine.compiler import compile_c

PROGRAM = Path("/usr/lib/wine/wine64")

#: Raised when what is made here changes.
_REVISION = "3"


def why_not() -> str | None:
    """The reason why nothing can be run, None when it can."""
    missing = [
        package for program, package in (("wine", "wine"), ("mvn", "maven")) if not shutil.which(program)
    ]
    return f"apt-get install {' '.join(missing)}" if missing else None


def windows_path(path: Path) -> str:
    r"""How Windows programs call a file of this host: `Z:\tmp\file`."""
    return "Z:" + str(path).replace("/", "\\")


class Started:
    """A program that runs or has run.

    Its standard handles are pipes: Python for Windows does not start with files of Unix.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.stdout = b""
        self.stderr = b""

    def wait(self, stdin: bytes = b"", seconds: float = 120) -> Started:
        """Waits for the end of the program, which gets `stdin` and is killed when it takes too long."""
        try:
            self.stdout, self.stderr = self.process.communicate(stdin, timeout=seconds)
        except BaseException:
            self.process.kill()
            # What the program has started may hold its handles for ever: nothing more is read.
            self.process.wait()
            raise
        return self

    @property
    def status(self) -> int:
        """The lower eight bits of the exit code: Unix has no more."""
        return self.process.returncode

    @property
    def text(self) -> str:
        """What a program that succeeded has printed, with the line ends of this host."""
        assert self.status == 0, f"exit code {self.status}\n{self.stderr.decode(errors='replace')}"
        return self.stdout.decode().replace("\r\n", "\n")

    @property
    def message(self) -> str:
        """What it has said on standard error."""
        return self.stderr.decode().replace("\r\n", "\n")


@dataclass(frozen=True, slots=True)
class Wine:
    """`prefix` is what wine keeps drive C: and the registry in."""

    prefix: Path

    def environment(self) -> dict[str, str]:
        return _environment(self.prefix)

    def start(
        self,
        executable: Path,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        directory: Path = Path("/"),
    ) -> Started:
        return Started(
            subprocess.Popen(
                [PROGRAM, executable, *arguments],
                env={**self.environment(), **(environment or {})},
                cwd=directory,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        )


def _environment(prefix: Path) -> dict[str, str]:
    return {
        "WINEPREFIX": str(prefix),
        "WINELOADER": str(PROGRAM),
        "WINEDEBUG": "-all",
        "WINEDLLOVERRIDES": "mscoree,mshtml=",
        "DISPLAY": "",
        "HOME": "/root",
        "PATH": os.defpath,
        "LC_ALL": "C.UTF-8",  # what wine takes arguments for
    }


@contextmanager
def running() -> Iterator[Wine]:
    """Wine, kept running.

    Its server and its system processes hold the standard handles of whatever started them, so that must be no
    program whose output is read to its end.
    """
    wine = make_wine()
    none, environment = subprocess.DEVNULL, wine.environment()
    command = [str(PROGRAM), "cmd", "/c"]
    with subprocess.Popen(
        [*command, "pause"], stdin=subprocess.PIPE, stdout=none, stderr=none, env=environment
    ) as waiting:
        # They are there when the first program has run.
        subprocess.run([*command, "exit"], stdin=none, stdout=none, stderr=none, env=environment, check=True)
        yield wine
        waiting.communicate(b"\r\n")


def make_wine() -> Wine:
    """Wine with a prefix that is made once and kept."""
    version = subprocess.run([PROGRAM, "--version"], capture_output=True, check=True).stdout
    source = Path(__file__).with_name("bcryptprimitives.c")
    return Wine(cached("wine-prefix", [version, source.read_bytes(), _REVISION], _make_prefix))


def _make_prefix(prefix: Path) -> None:
    # wineserver ends when nothing is left of it, and has written the registry then.
    # Windows of programs are there without a screen, and can be looked for.
    no_screen = ["reg", "add", r"HKCU\Software\Wine\Drivers", "/v", "Graphics", "/d", "null", "/f"]
    # A program that crashes ends, instead of waiting for a debugger.
    debugger = r"HKLM\Software\Microsoft\Windows NT\CurrentVersion\AeDebug"
    no_debugger = ["reg", "add", debugger, "/v", "Debugger", "/d", "", "/f"]
    for command in (
        [str(PROGRAM), "wineboot", "--init"],
        [str(PROGRAM), *no_screen],
        [str(PROGRAM), *no_debugger],
        ["/usr/lib/wine/wineserver64", "--wait"],
    ):
        subprocess.run(
            command,
            env=_environment(prefix),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            timeout=300,
        )
    source = Path(__file__).with_name("bcryptprimitives.c")
    target = prefix / "drive_c/windows/system32/bcryptprimitives.dll"
    compile_c("-shared", source, "-ladvapi32", "-o", target)
