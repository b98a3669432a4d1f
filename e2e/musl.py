"""A mirror with one CPython for musl, which is compiled: no registry has one in PBS's layout.

The sources are the upstream tarballs of Debian's source packages. `zig cc`, which brings musl's headers,
compiles across, with the mirror's CPython of the same version as the build's Python, so that no program for
musl has to run. As in PBS's own archives since 20250311 the executable is linked dynamically with
musl alone, all extension modules and zlib are in it, and its names are those of CPython for musl
(`.cpython-313-x86_64-linux-musl.so`).

What it has not, next to PBS's: OpenSSL, SQLite, libffi, bz2, lzma, uuid, curses and readline, and the modules
that need them; `libpython3.13.so`, Tcl/Tk, terminfo; optimization beyond `-O1`.
"""

from __future__ import annotations

import importlib.metadata
import importlib.resources
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from e2e.cache import cached
from e2e.interpreters import mirror_directory, unpack_interpreters
from e2e.mirror.apt import Apt, AptError
from e2e.mirror.layout import (
    copy_library,
    install_bundled_wheels,
    source_version,
    unpack_source,
    write_programs,
)
from e2e.mirror.release import TAG, Asset, add_asset, read_assets, write_index

MINOR = "3.13"
TRIPLE = "x86_64-unknown-linux-musl"
_OWN_TRIPLE = "x86_64-unknown-linux-gnu"

#: Where programs for musl expect it.
LOADER = Path("/lib/ld-musl-x86_64.so.1")

#: The suite whose sources the mirror's CPython of the same version is made of.
_SUITE = "trixie"

#: Changes when what is made changes, and none of the settings below does.
_RECIPE = "1"

_TARGET = "x86_64-linux-musl"
#: zig refuses __DATE__ by default, and lets undefined behaviour trap.
_FLAGS = "-O1 -g0 -fno-sanitize=undefined -Wno-date-time"

_CONFIGURE = (
    "--prefix=/install",
    "--build=x86_64-pc-linux-gnu",
    f"--host={_TARGET}",
    "--with-ensurepip=no",
    "--with-pkg-config=no",
    "--disable-test-modules",
    # What configure can only find out by running a program.
    *("ac_cv_file__dev_ptmx=yes", "ac_cv_file__dev_ptc=no", "ac_cv_buggy_getaddrinfo=no"),
)


def musl_mirror() -> Path:
    """The mirror, made once and kept. Raises AptError.

    Beside the CPython for musl it has the one for this machine, which compiles the other's modules.
    """
    base, archive = mirror_directory(), musl_archive()
    (own,) = (each for each in read_assets(base) if (each.minor, each.triple) == (MINOR, _OWN_TRIPLE))

    def write(out: Path) -> None:
        (out / TAG).mkdir(parents=True)
        shutil.copy(archive, out / TAG)
        shutil.copy(base / TAG / own.name, out / TAG)
        write_index(out)

    return cached("musl-mirror", [str(base), str(archive)], write)


def musl_archive() -> Path:
    """The CPython for musl in PBS's layout, compiled once and kept: four minutes of processor time.

    Raises AptError.
    """
    recipe = [_RECIPE, _SUITE, MINOR, _TARGET, _FLAGS, *_CONFIGURE, importlib.metadata.version("ziglang")]
    (archive,) = (cached("musl", recipe, _make) / TAG).glob("*.tar.gz")
    return archive


def musl_loader() -> Path:
    """Debian's musl: the loader, which is the library. Raises AptError."""

    def unpack(out: Path) -> None:
        Apt(out / "apt", _SUITE, "amd64").unpack(out / "packages", "musl")
        (found,) = (out / "packages").glob(f"**/{LOADER.name}")
        shutil.copy(found, out / LOADER.name)

    return cached("musl-loader", [_SUITE], unpack) / LOADER.name


def _make(out: Path) -> None:
    work = out / "work"
    sources = Apt(work / "apt", _SUITE, None)
    unpack_source(sources.upstream_tarball(f"python{MINOR}"), work / "python")
    unpack_source(sources.upstream_tarball("zlib"), work / "zlib")
    build = _Build(work)
    build.zlib()
    build.python(unpack_interpreters(mirror_directory())[MINOR])
    build.lay_out(out / "python")
    add_asset(out, Asset(source_version(work / "python"), TRIPLE), out / "python")
    shutil.rmtree(out / "python")
    shutil.rmtree(work)


class _Build:
    """The sources in `work/python` and `work/zlib`, compiled in `work/build`."""

    def __init__(self, work: Path) -> None:
        self._work = work
        self._build = work / "build"
        self._build.mkdir()
        self._tools = {
            "CC": self._tool("cc", f"cc -target {_TARGET} -dynamic"),
            "AR": self._tool("ar", "ar"),
            "RANLIB": self._tool("ranlib", "ranlib"),
        }

    def _tool(self, name: str, command: str) -> str:
        """configure wants the name of one program."""
        path = self._work / "tools" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f'#!/bin/sh\nexec {_zig()} {command} "$@"\n')
        path.chmod(0o755)
        return str(path)

    def zlib(self) -> None:
        directory = self._work / "zlib"
        self._run("./configure", "--static", directory=directory, CFLAGS=_FLAGS)
        self._run(*_make_command("libz.a"), directory=directory)

    def python(self, build_python: Path) -> None:
        zlib = self._work / "zlib"
        self._run(
            self._work / "python/configure",
            *_CONFIGURE,
            f"--with-build-python={build_python}",
            directory=self._build,
            # clang's <stdarg.h> comes before musl's, and this is how configure knows musl.
            CPP=f"{self._tools['CC']} -E -D__DEFINED_va_list",
            CFLAGS=_FLAGS,
            ZLIB_CFLAGS=f"-I{zlib}",
            ZLIB_LIBS=str(zlib / "libz.a"),
            MODULE_BUILDTYPE="static",
        )
        # Modules that Setup.local names are part of the executable.
        shutil.copy(self._build / "Modules/Setup.stdlib", self._build / "Modules/Setup.local")
        self._run(*_make_command("python", "pybuilddir.txt"), directory=self._build)

    def lay_out(self, tree: Path) -> None:
        """Fill the directory `tree` as PBS does."""
        source = self._work / "python"
        stdlib = tree / f"lib/python{MINOR}"
        copy_library(source, stdlib)
        (data,) = self._build.glob("build/*/_sysconfigdata_*.py")
        (stdlib / data.name).write_text(data.read_text().replace(str(self._work), "/build"))
        write_programs(tree / "bin", self._build / "python", MINOR)
        headers = tree / f"include/python{MINOR}"
        shutil.copytree(source / "Include", headers)
        shutil.copy(self._build / "pyconfig.h", headers)
        install_bundled_wheels(stdlib)

    def _run(self, *command: str | Path, directory: Path, **settings: str) -> None:
        done = subprocess.run(
            command,
            cwd=directory,
            env=self._environment(settings),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode != 0:
            last = "\n".join(done.stdout.splitlines()[-40:])
            raise AptError(f"{' '.join(map(str, command))} failed ({done.returncode}):\n{last}")

    def _environment(self, settings: Mapping[str, str]) -> dict[str, str]:
        cache = str(self._work / "zig")
        given = {"PATH": os.defpath, "LC_ALL": "C", "HOME": str(self._work)}
        given["PYTHONDONTWRITEBYTECODE"] = "1"  # what the build's Python imports is what is laid out
        return {
            **given,
            "ZIG_GLOBAL_CACHE_DIR": cache,
            "ZIG_LOCAL_CACHE_DIR": cache,
            **self._tools,
            **settings,
        }


def _zig() -> Path:
    """The compiler itself: `python -m ziglang` would start a Python for every file."""
    return Path(str(importlib.resources.files("ziglang") / "zig"))


def _make_command(*targets: str) -> tuple[str, ...]:
    return ("make", f"-j{len(os.sched_getaffinity(0))}", *targets)
