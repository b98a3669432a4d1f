"""The launcher of a platform: found in the wheel or the cache, else compiled.

Runs when czscie is installed, too, so it needs nothing but the standard library, ziglang and pip.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path

from czscie import mach_o
from czscie.cache import make_way
from czscie.disk import full, says_full
from czscie.errors import Code, CzscieError
from czscie.filesystem import open_regular
from czscie.launchers import libzstd
from czscie.trace import traced_command

ZIG_VERSION = "0.15.2"

#: Launcher → Zig's target. Linux has no libc in it, so one serves glibc and musl hosts alike.
TARGETS = {
    "linux-x86_64": "x86_64-linux-none",
    "linux-aarch64": "aarch64-linux-none",
    "linux-armv7l": "arm-linux-none",
    "linux-powerpc64": "powerpc64le-linux-none",
    "linux-riscv64": "riscv64-linux-none",
    "linux-s390x": "s390x-linux-none",
    # As old as python-build-standalone's Pythons.
    "macos-x86_64": "x86_64-macos.10.15",
    "macos-aarch64": "aarch64-macos.11.0",
    "windows-x86_64": "x86_64-windows-gnu",
    "windows-aarch64": "aarch64-windows-gnu",
}

#: What begins the names of fetchers, which are the second program: for executables with lazy parts.
FETCHER_PREFIX = "fetch-"

#: The suffix of the file with a launcher's digest, beside it.
DIGEST_SUFFIX = ".sha256"

#: The table of the digests of an installed czscie's launchers, as sha256sum writes it.
DIGEST_TABLE = "SHA256SUMS"

_OPTIMIZE = "ReleaseSmall"
_PACKAGE = Path(__file__).resolve().parent


def native_source() -> Path:
    """The launcher's source: inside an installed czscie, beside `src` in a checkout."""
    installed = _PACKAGE.parent / "native"
    return installed if installed.is_dir() else _PACKAGE.parents[2] / "native"


def fetcher_of(launcher: str) -> str:
    """The name of the fetcher for the platforms that `launcher` is for."""
    return f"{FETCHER_PREFIX}{launcher}"


def all_programs() -> tuple[str, ...]:
    """The names of all launchers and fetchers, which a release contains."""
    return (*TARGETS, *map(fetcher_of, TARGETS))


@functools.cache
def source_digest() -> str:
    """SHA-256 of all that a launcher is compiled from, which is in the name of a current one.

    It is found out once in a process.
    """
    return digest_of_source(native_source())


def digest_of_source(source: Path) -> str:
    """The same for the `source` of a launcher."""
    options = "\0".join(option for program in all_programs() for option in _program_options(program, "lib"))
    digest = hashlib.sha256(f"zig {ZIG_VERSION} {libzstd.SHA256}\0{options}\0".encode())
    for path in sorted(p for p in source.rglob("*") if p.suffix in {".zig", ".c", ".h"} and p.is_file()):
        if ".zig-cache" in path.parts:
            continue
        content = path.read_bytes()
        digest.update(f"{path.relative_to(source).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def oldest_macos(launcher: str) -> str:
    """The oldest macOS that a launcher for it starts on, such as `11.0`."""
    return TARGETS[launcher].rpartition("macos.")[2]


def file_name(launcher: str) -> str:
    return f"{launcher}-{source_digest()[:16]}"


def find_launcher(launcher: str, cache: Path, sha256: str | None = None) -> Path | None:
    """The launcher as a file, from the installed package or from `cache`; None when it was never compiled.

    With `sha256`, the one that has this digest. One that is not what was compiled is not found.
    """
    for directory in (_PACKAGE, cache):
        path = directory / file_name(launcher)
        if path.is_file() and _is_whole(path) and sha256 in (None, launcher_digest(path)):
            return path
    return None


def _is_whole(path: Path) -> bool:
    """Whether the launcher has the digest that was stored when it was compiled; older ones have none."""
    try:
        stored = _tabled_digest(path) or _stored_digest(path)
    except (OSError, ValueError):
        return False
    return stored in (None, launcher_digest(path))


def _tabled_digest(path: Path) -> str | None:
    table = path.with_name(DIGEST_TABLE)
    return read_digest_table(table).get(path.name) if table.exists() else None


def _stored_digest(path: Path) -> str | None:
    try:
        with open_regular(_digest_file(path)) as file:
            return file.read().decode()
    except FileNotFoundError:
        return None


def read_digest_table(path: Path) -> dict[str, str]:
    """File names and their digests. Raises OSError, and ValueError for another kind of file."""
    with open_regular(path) as file:
        lines = file.read().decode().splitlines()
    return {name: digest for digest, name in (line.split("  ", 1) for line in lines)}


def write_digest_table(directory: Path) -> None:
    """Writes the digests of the current launchers in `directory` into its table, in place of single files."""
    current = [path for name in all_programs() if (path := directory / file_name(name)).is_file()]
    lines = [f"{launcher_digest(path)}  {path.name}\n" for path in sorted(current)]
    (directory / DIGEST_TABLE).write_bytes("".join(lines).encode())
    for path in current:
        _digest_file(path).unlink(missing_ok=True)


def _digest_file(path: Path) -> Path:
    return path.with_name(f"{path.name}{DIGEST_SUFFIX}")


def launcher_digest(path: Path) -> str:
    """SHA-256 of a launcher."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def compile_launcher(launcher: str, directory: Path, cache: Path, *, offline: bool = False) -> Path:
    """Compiles the launcher, or the fetcher (`fetcher_of`), into `directory`.

    `cache` is a directory for libzstd and Zig's own files.

    With `offline` libzstd's source is not downloaded. Raises CzscieError when ziglang or libzstd's source
    cannot be had, or the compiler fails.
    """
    check_compiler(launcher)
    libzstd.libzstd_source(cache, offline=offline)  # before there is a directory: it may be unavailable
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=directory, prefix=f".{launcher}-") as temporary:
        built = Path(temporary, "built")
        _compile(launcher, built, cache)
        if launcher.startswith("macos-"):
            built.write_bytes(mach_o.bare(built.read_bytes()))
        final = directory / file_name(launcher)
        # In this order a launcher never lies beside the digest of another one that was whole.
        make_way(_digest_file(final))
        _digest_file(final).unlink(missing_ok=True)
        digest = Path(temporary, "digest")
        digest.write_text(launcher_digest(built))
        make_way(final)
        built.replace(final)
        digest.replace(_digest_file(final))
    return final


def check_compiler(launcher: str) -> None:
    """Raises CzscieError when this installation has no compiler for `launcher`, or another version of it."""
    if importlib.util.find_spec("ziglang") is None:
        raise CzscieError(
            f"this installation has no launcher for {launcher} and no compiler to build it",
            code=Code.LAUNCHER_UNUSABLE,
            hint="pip install 'czscie[native]'",
        )
    if (found := importlib.metadata.version("ziglang")) != ZIG_VERSION:
        raise CzscieError(
            f"this installation has no launcher for {launcher} and cannot compile it",
            code=Code.LAUNCHER_UNUSABLE,
            why=f"found ziglang {found}, expected {ZIG_VERSION}",
            hint=f"pip install ziglang=={ZIG_VERSION}",
        )


def _compile(launcher: str, built: Path, cache: Path) -> None:
    library = libzstd.libzstd_source(cache)
    options = _program_options(launcher, str(library))
    done = run_zig("build-exe", *options, f"-femit-bin={built}", cache=cache)
    if done.returncode != 0:
        if says_full(done.stderr):
            raise full(cache / "zig")
        raise CzscieError(
            f"the launcher for {launcher} does not compile",
            code=Code.LAUNCHER_UNUSABLE,
            why=done.stderr.strip().splitlines()[:20],
        )


def _program_options(program: str, library: str) -> tuple[str, ...]:
    """Zig's options for a launcher or a fetcher, with libzstd's `library`."""
    name = program.removeprefix(FETCHER_PREFIX)
    source = "main" if name == program else "fetch"
    # One CPU model for everybody: what is compiled on this machine must start on any of its kind.
    options = [f"-O{_OPTIMIZE}", "-fstrip", "-mcpu", "baseline"]
    if source == "main" and name.startswith("linux-"):
        # Zig raises the stack limit to the size that a program requests, and the application would inherit
        # that limit. So request nothing (`process.raiseStackLimit` checks it).
        options += ["--stack", "0"]
    if name.startswith("macos-"):
        options += ["-headerpad", "0x1000"]  # space for the load command of a signature
    return (*options, *source_options(source, TARGETS[name], library))


def source_options(source: str, target: str, library: str) -> tuple[str, ...]:
    """Zig's options for `source`.zig of the launcher for `target`, with libzstd's `library` in it.

    They come after those that say how it is compiled, which Zig takes for the module that follows.
    """
    decoder = libzstd.compiler_options(library, target)
    return ("-target", target, *decoder, f"-Mroot=src/{source}.zig")


def run_zig(command: str, *options: str, cache: Path) -> subprocess.CompletedProcess[str]:
    """Runs a command of Zig in the directory of the launcher's source, with Zig's own files below `cache`.

    Not `zig build`, which compiles a program that runs the build first, in half the time of a launcher.
    """
    directory = str(cache / "zig")
    arguments = [sys.executable, "-m", "ziglang", command, *options]
    arguments += ["--cache-dir", directory, "--global-cache-dir", directory]
    with traced_command(arguments):
        return subprocess.run(
            arguments, cwd=native_source(), stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
