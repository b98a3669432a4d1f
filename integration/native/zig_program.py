"""Programs of tests in Zig, which do on any host what the launcher does on another system."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from czscie.cache import cache_directory
from czscie.launchers.build import TARGETS, native_source
from czscie.platforms import current_launcher


def compile_program(name: str, module: str, directory: Path) -> Path:
    """`name`.zig beside this file with the launcher's `module`, compiled into `directory`."""
    built = directory / name
    cache = cache_directory("launchers") / "zig"
    command = [sys.executable, "-m", "ziglang", "build-exe", "-OReleaseSafe", "--dep", module]
    command += [f"-Mroot={Path(__file__).with_name(f'{name}.zig')}"]
    command += [f"-M{module}={native_source() / 'src' / f'{module}.zig'}"]
    command += ["-target", TARGETS[current_launcher()], f"-femit-bin={built}"]
    command += ["--cache-dir", str(cache), "--global-cache-dir", str(cache)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return built
