"""The `python` directory of one archive: a CPython as PBS lays it out, from Debian's packages."""

from __future__ import annotations

import json
import os
import re
import runpy
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from czscie.elf import Elf, is_elf
from czscie.pbs.search_path import with_search_path
from e2e.mirror.apt import Apt, AptError
from e2e.mirror.elf import Surgery
from e2e.mirror.layout import (
    copy_library,
    install_bundled_wheels,
    source_version,
    unpack_source,
    write_programs,
)

#: The newest glibc an archive may need: Debian 12's.
GLIBC = (2, 36)

#: What PBS leaves to the host (its src/validation.rs: ELF_ALLOWED_LIBRARIES).
_HOST_LIBRARIES = re.compile(
    r"(ld-linux.*|ld64|ld|libc|libm|libdl|libpthread|librt|libutil|libgcc_s|libcrypt)\.so(\.\d+)*"
)

#: Extension modules that PBS drops (src/release.rs: INSTALL_ONLY_DROP_EXTENSIONS) or never builds.
_NO_EXTENSIONS = re.compile(r"_test(?!\.)\w*|_ctypes_test|_gdbm|nis|xxlimited\w*")


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
        install_bundled_wheels(self._stdlib)
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
        tarball = apt.upstream_tarball(f"python{self.interpreter.minor}")
        unpack_source(tarball, self._source, ("Lib/", "Include/patchlevel.h", "LICENSE"))

    @property
    def version(self) -> str:
        """The full version, `3.11.2`, of the tree that was built."""
        return source_version(self._source)

    def _copy_stdlib(self) -> None:
        copy_library(self._source, self._stdlib)
        dynload = self._stdlib / "lib-dynload"
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
        write_programs(self.directory / "bin", self._raw / f"usr/bin/python{minor}", minor)
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
