"""The `python` directory of one archive: a CPython as PBS lays it out, from Debian's packages."""

from __future__ import annotations

import json
import os
import re
import runpy
import shutil
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from czscie.elf import Elf, is_elf
from czscie.pbs.search_path import with_search_path
from e2e.mirror.apt import Apt, AptError
from e2e.mirror.elf import Surgery

#: The newest glibc an archive may need: Debian 12's.
GLIBC = (2, 36)

#: What PBS leaves to the host (its src/validation.rs: ELF_ALLOWED_LIBRARIES).
_HOST_LIBRARIES = re.compile(
    r"(ld-linux.*|ld64|ld|libc|libm|libdl|libpthread|librt|libutil|libgcc_s|libcrypt)\.so(\.\d+)*"
)

#: What PBS's install_only has not (pythonbuild/cpython.py: STDLIB_TEST_PACKAGES).
_TEST_PACKAGES = (
    *("ctypes/test", "distutils/tests", "email/test", "idlelib/idle_test", "json/tests"),
    *("lib2to3/tests", "sqlite3/test", "test", "tkinter/test", "unittest/test"),
)

#: Extension modules that PBS drops (src/release.rs: INSTALL_ONLY_DROP_EXTENSIONS) or never builds.
_NO_EXTENSIONS = re.compile(r"_test(?!\.)\w*|_ctypes_test|_gdbm|nis|xxlimited\w*")

#: What PBS's build leaves as the first lines of a script (cpython-unix/build-cpython.sh: fix_shebangs.py).
_SHEBANG = """#!/bin/sh
'''exec' "$(dirname -- "$(realpath -- "$0")")/python{minor}" "$0" "$@"
' '''
"""

_PIP = """import sys
from pip._internal.cli.main import main
if __name__ == '__main__':
    sys.exit(main())
"""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """One CPython that the mirror carries. `minor` is `3.11`; `suite` the Debian release that has it."""

    minor: str
    suite: str
    architecture: str

    @property
    def machine(self) -> str:
        return {"amd64": "x86_64", "arm64": "aarch64"}[self.architecture]

    @property
    def triple(self) -> str:
        return f"{self.machine}-unknown-linux-gnu"

    @property
    def multiarch(self) -> str:
        return f"{self.machine}-linux-gnu"


class Tree:
    """The tree of one interpreter, `work/python`; `apt` is where private apt roots are kept."""

    def __init__(self, interpreter: Interpreter, work: Path, apt: Path) -> None:
        self.interpreter = interpreter
        self.directory = work / "python"
        self._apt = apt
        self._raw = work / "raw"
        self._source = work / "source"
        self._library = self.directory / "lib"
        self._stdlib = self._library / f"python{interpreter.minor}"

    def build(self) -> None:
        """Fill the directory. Raises AptError, SurgeryError and czscie's ElfError."""
        self._unpack_packages()
        self._unpack_upstream()
        self._copy_stdlib()
        self._copy_binaries()
        self._copy_headers()
        self._copy_terminfo()
        self._install_bundled_wheels()
        self._bundle_libraries()
        self._operate()

    def _unpack_packages(self) -> None:
        minor = self.interpreter.minor
        apt = Apt(self._apt, self.interpreter.suite, self.interpreter.architecture)
        library = f"libpython{minor}"
        roots = [f"python{minor}-minimal", f"{library}-minimal", f"{library}-stdlib", library]
        left_to_host = re.compile(r"libc6|libc-.*|libgcc-s1|libcrypt1|libdebian.*|libperl.*")
        libraries = {
            name
            for name in apt.closure(*roots)
            if name.startswith(("lib", "zlib1g")) and not left_to_host.fullmatch(name)
        }
        others = {f"{library}-dev", "ncurses-base", "ncurses-term"}
        apt.unpack(self._raw, *sorted({*roots, *libraries, *others}))

    def _unpack_upstream(self) -> None:
        """The parts of the upstream source tree that an installation has, into `work/source`."""
        apt = Apt(self._apt, self.interpreter.suite, None)
        wanted = ("Lib/", "Include/patchlevel.h", "LICENSE")
        with tarfile.open(apt.upstream_tarball(f"python{self.interpreter.minor}")) as archive:
            for member in archive:
                name = member.name.partition("/")[2]
                content = archive.extractfile(member) if member.isfile() else None
                if content is not None and name.startswith(wanted):
                    path = self._source / name
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(content.read())

    @property
    def version(self) -> str:
        """The full version, `3.11.2`, of the tree that was built."""
        text = (self._source / "Include/patchlevel.h").read_text()
        match = re.search(r'#define\s+PY_VERSION\s+"([^"]+)"', text)
        if match is None:
            raise AptError(f"{self._source} is not CPython's source")
        return match[1]

    def _copy_stdlib(self) -> None:
        unwanted = {str(self._source / "Lib" / name) for name in (*_TEST_PACKAGES, "venv/scripts/nt")}

        def ignore(directory: str, names: list[str]) -> list[str]:
            return [name for name in names if f"{directory}/{name}" in unwanted]

        shutil.copytree(self._source / "Lib", self._stdlib, ignore=ignore)
        shutil.copy(self._source / "LICENSE", self._stdlib / "LICENSE.txt")
        dynload = self._stdlib / "lib-dynload"
        dynload.mkdir()
        (dynload / ".empty").touch()
        for module in (self._raw / f"usr/lib/python{self.interpreter.minor}/lib-dynload").glob("*.so"):
            if not _NO_EXTENSIONS.fullmatch(module.name.split(".")[0]):
                shutil.copy(module, dynload)
        self._write_sysconfig()

    def _write_sysconfig(self) -> None:
        """Debian's build variables, with the paths that PBS's own build leaves in them."""
        raw = self._raw / f"usr/lib/python{self.interpreter.minor}"
        name = f"_sysconfigdata__linux_{self.interpreter.multiarch}.py"
        source = next(path for path in raw.glob("_sysconfigdata_*.py") if not path.is_symlink())
        variables: dict[str, Any] = runpy.run_path(str(source))["build_time_vars"]
        portable = {key: self._portable(value) for key, value in sorted(variables.items())}
        portable["WHEEL_PKG_DIR"] = ""  # Debian keeps ensurepip's wheels elsewhere
        portable["TZPATH"] = variables["TZPATH"]  # the host's time zones, in PBS too
        text = f"build_time_vars = {json.dumps(portable, indent=4)}\n"
        (self._stdlib / name).write_text(text)

    def _portable(self, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        multiarch = re.escape(self.interpreter.multiarch)
        value = re.sub(rf"\b{multiarch}-g(cc|\+\+)(?!-)", r"g\1", value)
        value = re.sub(r"\s*-f(debug|file|macro)-prefix-map=\S+", "", value)
        value = re.sub(r"/build/(reproducible-path/)?python3[^/ ']*(/build-\w+)?", "/build", value)
        return re.sub(
            rf"(?<![\w./])/usr(/(?:lib|include)(?=/{multiarch}))?(/{multiarch})?", r"/install\1", value
        )

    def _copy_binaries(self) -> None:
        minor = self.interpreter.minor
        programs = self.directory / "bin"
        programs.mkdir()
        shutil.copy(self._raw / f"usr/bin/python{minor}", programs)
        for alias in ("python", "python3"):
            (programs / alias).symlink_to(f"python{minor}")
        for name in ("pip", "pip3", f"pip{minor}"):
            (programs / name).write_text(_SHEBANG.format(minor=minor) + _PIP)
            (programs / name).chmod(0o755)
        library = f"libpython{minor}.so.1.0"
        shutil.copy(self._raw / "usr/lib" / self.interpreter.multiarch / library, self._library)
        (self._library / f"libpython{minor}.so").symlink_to(library)

    def _copy_headers(self) -> None:
        name = f"python{self.interpreter.minor}"
        headers = self.directory / "include" / name
        shutil.copytree(self._raw / "usr/include" / name, headers)
        shutil.copy(self._raw / "usr/include" / self.interpreter.multiarch / name / "pyconfig.h", headers)

    def _copy_terminfo(self) -> None:
        """Terminal descriptions, the bulk of PBS's files; Debian has them in several linked places."""
        target = self.directory / "share/terminfo"
        for base in ("usr/share/terminfo", "lib/terminfo", "usr/lib/terminfo"):
            for path in sorted((self._raw / base).glob("*/*")):
                entry = target / path.parent.name / path.name
                entry.parent.mkdir(parents=True, exist_ok=True)
                if path.is_symlink() and not entry.exists():
                    entry.unlink(missing_ok=True)
                    entry.symlink_to(Path("..", *path.readlink().parts[-2:]))
                elif path.is_file() and not path.is_symlink():
                    entry.unlink(missing_ok=True)
                    shutil.copy(path, entry)
        for path in target.glob("*/*"):
            if not path.exists():
                path.unlink()

    def _install_bundled_wheels(self) -> None:
        """pip, as PBS has it, and on 3.11 setuptools: the wheels that ensurepip carries."""
        site_packages = self._stdlib / "site-packages"
        for wheel in (self._stdlib / "ensurepip/_bundled").glob("*.whl"):
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(site_packages)
                information = next(
                    name for name in archive.namelist() if name.endswith(".dist-info/METADATA")
                )
            (site_packages / information).with_name("INSTALLER").write_text("pip\n")

    def _elf_files(self) -> Iterator[Path]:
        for path in sorted(self.directory.rglob("*")):
            if path.is_file() and not path.is_symlink() and is_elf(path.read_bytes()):
                yield path

    def _bundle_libraries(self) -> None:
        """Copy into `lib` what the binaries need and PBS would not leave to the host."""
        available: dict[str, Path] = {}
        for base in ("usr/lib", "lib"):
            for path in sorted((self._raw / base / self.interpreter.multiarch).glob("*.so*")):
                available.setdefault(path.name, path)
        queue = list(self._elf_files())
        while queue:
            path = queue.pop()
            for name in Elf.parse(path.read_bytes(), str(path)).needed:
                target = self._library / name
                if target.exists() or _HOST_LIBRARIES.fullmatch(name):
                    continue
                if name not in available:
                    raise AptError(f"no package of the closure provides {name}")
                shutil.copy(available[name], target)
                target.chmod(0o755)
                queue.append(target)

    def _operate(self) -> None:
        core = {f"python{self.interpreter.minor}", f"libpython{self.interpreter.minor}.so.1.0"}
        for path in self._elf_files():
            surgery = Surgery(path.read_bytes(), str(path))
            surgery.lower_glibc(GLIBC)
            if path.name in core:
                surgery.unfreeze("site", "stat")
            search_path = f"$ORIGIN/{os.path.relpath(self._library, path.parent)}"
            path.write_bytes(with_search_path(surgery.result, search_path, str(path)))
