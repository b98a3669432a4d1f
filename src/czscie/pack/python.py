"""Finds a Python that compiles for an interpreter: itself, or one whose bytecode is the same."""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from czscie.cache import cache_directory, make_way, mark_used, only_one
from czscie.container.content import File, Link
from czscie.disk import writing
from czscie.filesystem import digest_of, open_regular, write_atomically
from czscie.pack.compiler import Compiler
from czscie.pbs.distribution import Distribution, Layout

#: What compiling needs of a standard library: CPython's own start without `site`.
_NEEDED = ("encodings", "collections", "importlib", "re")

_MAGIC = re.compile(rb"^MAGIC_NUMBER = \((\d+)\)\.to_bytes", re.MULTILINE)
_MAGIC_IN_C = re.compile(rb"^#define PYC_MAGIC_NUMBER (\d+)", re.MULTILINE)


def own_compiler(digest: str, layout: Layout, load: Callable[[], Distribution]) -> Compiler | None:
    """The distribution itself, if it runs here.

    Its archive's SHA-256 is `digest`; `load` reads it. The files that compiling needs are unpacked once, and
    kept in the cache.
    """
    directory = cache_directory("compilers") / digest
    with only_one(directory):
        if not _is_whole(directory):
            with tempfile.TemporaryDirectory(dir=directory.parent, prefix=".making-") as made:
                root = Path(made) / "python"
                with writing(directory):
                    _unpack(load(), root)
                if Compiler.probe(root / layout.python, digest) is None:
                    return None
                whole = digest_of(root)
                if directory.exists():
                    directory.rename(Path(made) / "damaged")
                _rename(root, directory)
                make_way(_digest_file(directory))
                write_atomically(_digest_file(directory), lambda stream: stream.write(whole.encode()))
    mark_used(directory)
    return Compiler.probe(directory / layout.python, digest)


def _is_whole(directory: Path) -> bool:
    """Whether a Python was unpacked there and is unchanged. Older ones have no digest."""
    try:
        if not directory.is_dir():
            return False
        with open_regular(_digest_file(directory)) as file:
            return file.read() == digest_of(directory).encode()
    except FileNotFoundError:
        return True
    except OSError:
        return False


def _digest_file(directory: Path) -> Path:
    return directory.with_name(f"{directory.name}.sha256")


def installed_compiler(minor_version: str, magic: bytes | None) -> Compiler | None:
    """A Python of this machine whose bytecode has the number `magic`: it does not depend on the platform."""
    if magic is None:
        return None
    for python in _installed(minor_version):
        found = Compiler.probe(python, f"{python} {python.resolve().stat().st_mtime_ns}")
        if found is not None and found.magic == magic:
            return found
    return None


def magic_number(distribution: Distribution) -> bytes | None:
    """The magic number of the distribution's bytecode, 4 bytes, as its files tell it; None if they do not.

    It stands in importlib's source, from CPython 3.14 on in a header.
    """
    stdlib = distribution.layout.stdlib
    for item in distribution.items:
        if not isinstance(item, File):
            continue
        if item.path == f"{stdlib}/importlib/_bootstrap_external.py":
            match = _MAGIC.search(item.content.read())
        elif item.path.endswith("/internal/pycore_magic_number.h"):
            match = _MAGIC_IN_C.search(item.content.read())
        else:
            continue
        if match is not None:
            return int(match[1]).to_bytes(2, "little") + b"\r\n"
    return None


def _installed(minor_version: str) -> Iterator[Path]:
    if sys.version_info[:2] == tuple(map(int, minor_version.split("."))):
        yield Path(sys.executable)
    if (found := shutil.which(f"python{minor_version}")) is not None:
        yield Path(found)


def _rename(made: Path, directory: Path) -> None:
    """Gives `made` its name, unless another process was faster."""
    try:
        made.rename(directory)
    except OSError:
        if not directory.is_dir():
            raise


def _unpack(distribution: Distribution, root: Path) -> None:
    for item in distribution.items:
        if not _is_needed(item.path, distribution.layout.stdlib):
            continue
        path = root / item.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(item, Link):
            path.symlink_to(item.target)
            continue
        path.write_bytes(item.content.read())
        if item.executable:
            path.chmod(0o755)


def _is_needed(path: str, stdlib: str) -> bool:
    below = path.removeprefix(f"{stdlib}/")
    if below != path:
        top, separator, _ = below.partition("/")
        return path.endswith(".py") and (not separator or top in _NEEDED)
    directory, _, name = path.rpartition("/")
    is_native = ".so" in name or name.endswith((".dll", ".dylib", ".exe"))
    return directory == "bin" or (directory in ("", "lib") and is_native)
