"""The launcher's unit tests, its fuzzer, and programs that do on any host what it does on another system."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from czscie.cache import cache_directory
from czscie.launchers import libzstd
from czscie.launchers.build import TARGETS, native_source, run_zig, source_options
from czscie.platforms import current_launcher


def run_unit_tests(source: str, launcher: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Runs the tests of `source`.zig of the launcher and of all that it imports, compiled for `launcher`."""
    cache = cache_directory("launchers")
    library = str(libzstd.libzstd_source(cache))
    return run_zig("test", *options, *source_options(source, TARGETS[launcher], library), cache=cache)


def compile_fuzzer(directory: Path) -> Path:
    """The fuzzer of the launcher's parsers, compiled for this host into `directory`."""
    cache, built = cache_directory("launchers"), directory / "fuzz"
    library = str(libzstd.libzstd_source(cache))
    options = source_options("fuzz", TARGETS[current_launcher()], library)
    done = run_zig("build-exe", "-OReleaseSafe", "-fstrip", *options, f"-femit-bin={built}", cache=cache)
    assert done.returncode == 0, done.stderr
    return built


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
