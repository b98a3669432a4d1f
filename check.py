#!/usr/bin/env python3
"""Sets up a virtual environment and passes everything that a change must pass: `python3 check.py`.

`--fast` stops after ruff, mypy and the unit tests.
Needs Python 3.10 or newer, a package index and, for the tests of real executables, a Debian-like Linux.
Other arguments go to pytest: `python3 check.py integration -k plan`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent
ENVIRONMENT = ROOT / ".venv"
PYTHON = ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

#: Programs that the tests of real executables need, and the Debian packages that bring them.
SYSTEM_PROGRAMS = {
    "strace": "strace",
    "busybox": "busybox",
    "curl": "curl",
    "dash": "dash",
    "shellcheck": "shellcheck",
    "wget": "wget",
    "unshare": "util-linux",
    "setpriv": "util-linux",
    "podman": "podman",
    "runc": "runc",
    "osslsigncode": "osslsigncode",
    "make": "make",
    "wine": "wine",
    "mvn": "maven",
    "zsh": "zsh",
    "fish": "fish",
    "mandoc": "mandoc",
    "chromium": "chromium",
}

STEPS = (
    ("-m", "ruff", "check", "."),
    ("-m", "ruff", "format", "--check", "."),
    ("-m", "mypy"),
    ("-c", "from importlinter.cli import lint_imports_command; lint_imports_command()", "--no-logo"),
)

#: One process more than there are cores: tests often wait, for a server, a signal or a disk. The tests of one
#: file share what they build, so they stay together. conftest.py orders the files: by the number of tests,
#: which is the order of xdist, the longest ones are among the last.
WORKERS = (
    *("--numprocesses", str((os.cpu_count() or 1) + 1)),
    *("--dist", "loadfile", "--no-loadscope-reorder"),
)


#: What starts neither launchers nor executables.
UNITS = ("tests",)


def main() -> int:
    if sys.version_info < (3, 10):  # noqa: UP036 (whatever Python is there may start this)
        return _complain("this needs Python 3.10 or newer; run it with one: python3.12 check.py")
    fast = "--fast" in sys.argv
    arguments = [argument for argument in sys.argv[1:] if argument != "--fast"]
    if sys.platform == "linux" and not fast:
        _install_programs()
    if not PYTHON.exists():
        _run(sys.executable, "-m", "venv", str(ENVIRONMENT))
    _run(str(PYTHON), "-m", "pip", "install", "--quiet", "--editable", f"{ROOT}[dev]")
    for step in STEPS:
        _run(str(PYTHON), *step)
    _run(str(PYTHON), "-m", "pytest", *WORKERS, *(UNITS if fast else ()), *arguments)
    return 0


def _install_programs() -> None:
    """Installs missing programs where that is possible; where it is not, the tests say what they miss."""
    missing = {package for program, package in SYSTEM_PROGRAMS.items() if shutil.which(program) is None}
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        _run("apt-get", "update", "-qq")
        _run("apt-get", "install", "-qq", "-y", "--no-install-recommends", *sorted(missing))


def _run(*command: str) -> None:
    print("$", " ".join(command), flush=True)
    started = time.monotonic()
    environment = dict(os.environ)
    # The tests start czscie hundreds of times: without caches each one would compile it and its dependencies.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    status = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, env=environment).returncode
    if status != 0:
        sys.exit(status)
    print(f"  {time.monotonic() - started:.1f} s", flush=True)


def _complain(text: str) -> int:
    print(f"error: {text}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
