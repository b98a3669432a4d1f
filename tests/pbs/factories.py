"""Small trees and archives that look like CPython's to whoever does not run them."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
from collections.abc import Iterable, Mapping

import zstandard

from elf_image import AARCH64, X86_64, elf_image

LINUX_PYTHON = elf_image(machine=X86_64, needed=["libc.so.6"], versions={"libc.so.6": ["GLIBC_2.17"]})
AARCH64_PYTHON = elf_image(machine=AARCH64, interpreter="/lib/ld-linux-aarch64.so.1", needed=["libc.so.6"])
MUSL_PYTHON = elf_image(interpreter="/lib/ld-musl-x86_64.so.1", needed=["libc.so"])
MACOS_PYTHON = struct.pack("<II", 0xFEEDFACF, 0x0100000C) + bytes(24)
WINDOWS_PYTHON = b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0" + struct.pack("<H", 0x8664) + bytes(18)


def member(
    name: str,
    content: bytes = b"",
    *,
    mode: int = 0o644,
    kind: bytes = tarfile.REGTYPE,
    target: str = "",
    major: int = 0,
) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.mode, info.type, info.linkname, info.devmajor = mode, kind, target, major
    info.size = len(content)
    return info, content


def tar(members: Iterable[tuple[tarfile.TarInfo, bytes]]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for info, content in members:
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def tar_gz(members: Iterable[tuple[tarfile.TarInfo, bytes]]) -> bytes:
    return gzip.compress(tar(members), mtime=0)


def tar_zst(members: Iterable[tuple[tarfile.TarInfo, bytes]], window_log: int = 20) -> bytes:
    """Compressed as a stream: a frame that tells its size needs no window larger than that."""
    parameters = zstandard.ZstdCompressionParameters.from_level(3, window_log=window_log)
    compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    return compressor.compress(tar(members)) + compressor.flush()


def cpython(version: str = "3.13.9", python: bytes = LINUX_PYTHON, threads: str = "") -> Mapping[str, bytes]:
    """The files of an interpreter for Linux or macOS, from its root."""
    minor = ".".join(version.split(".")[:2]) + threads
    return {
        f"bin/python{minor}": python,
        f"include/python{minor}/patchlevel.h": f'#define PY_VERSION\t\t"{version}"\n'.encode(),
        f"lib/python{minor}/os.py": b"# os\n",
    }


def pypy(version: str = "3.9", python: bytes = LINUX_PYTHON) -> Mapping[str, bytes]:
    """The files of a PyPy of 3.8 or newer for Linux or macOS, from its root, without its links."""
    return {
        f"bin/libpypy{version}-c.so": b"library",
        f"bin/pypy{version}": python,
        f"lib/pypy{version}/os.py": b"# os\n",
    }


def windows_cpython(version: str = "3.13.9", threads: str = "") -> Mapping[str, bytes]:
    digits = "".join(version.split(".")[:2])
    return {
        "Lib/os.py": b"# os\r\n",
        "python.exe": WINDOWS_PYTHON,
        f"python{digits}{threads}.dll": WINDOWS_PYTHON + b"\0" + version.encode() + b"\0",
    }


def members(files: Mapping[str, bytes], root: str = "python/") -> list[tuple[tarfile.TarInfo, bytes]]:
    programs = ("bin/", "python")
    return [
        member(root + path, content, mode=0o755 if path.startswith(programs) else 0o644)
        for path, content in sorted(files.items())
    ]
