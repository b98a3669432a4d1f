"""Everything but its inputs that shapes the bytes of a product: czscie's code, its libraries, and its Python.

The keys of the cache cover all of it (czscie.build_cache), and a lock pins the libraries (czscie.lock).
"""

from __future__ import annotations

import functools
import hashlib
import os
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType

from czscie import __version__

_PACKAGE = Path(__file__).parent

#: The parts of the package that only print, fetch or check: code that makes products does not import them.
#: Everything else counts, data as well as code. (The launcher has a digest of its own: `native`, and the
#: compiled files in `launchers`, which have no suffix but for their digests.)
APART = frozenset(
    {
        "__main__.py",
        "attestation",
        "build_plan.py",
        "cache_contents.py",
        "cli.py",
        "commands",
        "explain",
        "handover.py",
        "init",
        "last_build.py",
        "native",
        "plan_report.py",
        "schema",
        "vendor",
        "verify",
    }
)
_NOT_SOURCE = ("", ".pyc", ".sha256")

#: Python packages that write something of what is in executables.
_PACKAGES = (
    "cyclonedx-python-lib",
    "msgspec",
    "packageurl-python",
    "packaging",
    "py-serializable",
    "zstandard",
)
#: Libraries that are not installed with pip: they come with the Python that runs czscie.
OF_PYTHON = frozenset({"xz", "zlib"})


@functools.cache
def digest() -> str:
    """SHA-256 over all of it; found out once in a process."""
    parts = (
        code_digest(),
        __version__,
        # Its standard library takes part: what writes archives, what compares modules.
        sys.version,
        f"pex {version('pex')}",
        *(f"{name} {found}" for name, found in libraries().items()),
    )
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


@functools.cache
def libraries() -> Mapping[str, str]:
    """The versions of the libraries whose output is in executables and images, by name."""
    import zlib

    import zstandard

    found = {name: version(name) for name in _PACKAGES}
    found["libzstd"] = ".".join(map(str, zstandard.ZSTD_VERSION))
    found["xz"] = _xz_version()
    found["zlib"] = zlib.ZLIB_RUNTIME_VERSION
    return MappingProxyType(dict(sorted(found.items())))


def code_digest(package: Path = _PACKAGE) -> str:
    """SHA-256 of the files of the package but for those in APART, with their names."""
    found = hashlib.sha256()
    for path in sorted(_files(str(package), "")):
        content = (package / path).read_bytes()
        found.update(f"{path}\0{len(content)}\0".encode("utf-8", "surrogateescape"))
        found.update(content)
    return found.hexdigest()


def _files(directory: str, below: str) -> Iterator[str]:
    """The paths of the files that count, relative to the package, with forward slashes."""
    with os.scandir(directory) as entries:
        for entry in entries:
            path = f"{below}{entry.name}"
            if path in APART or entry.name == "__pycache__":
                continue
            if entry.is_dir():
                yield from _files(entry.path, f"{path}/")
            elif os.path.splitext(entry.name)[1] not in _NOT_SOURCE:  # noqa: PTH122
                yield path


def _xz_version() -> str:
    """liblzma's version. No module exposes it; without it, a digest of sample output identifies it."""
    import _lzma
    import ctypes

    try:
        tell = ctypes.CDLL(getattr(_lzma, "__file__", None)).lzma_version_string
        tell.restype = ctypes.c_char_p
        return str(tell().decode())
    except (OSError, AttributeError, TypeError):
        return _xz_sample()


def _xz_sample() -> str:
    import lzma

    sample = b"".join(b"%d %x\n" % (each * each % 1009, each * 7919 % 65537) for each in range(500))
    # A small dictionary asks for little memory; the rest is what packs are compressed with.
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 9, "dict_size": 1 << 16}]
    made = lzma.compress(sample, check=lzma.CHECK_CRC32, filters=filters)
    return f"unknown ({hashlib.sha256(made).hexdigest()[:16]})"
