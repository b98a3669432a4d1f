"""The source of libzstd's decoder, from a source distribution that is pinned by hash and never committed.

Runs when czscie is installed, too, so it needs nothing but the standard library and pip.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path, PurePosixPath

from czscie.disk import full, says_full
from czscie.errors import Code, CzscieError
from czscie.network.network import OFFLINE

#: libzstd as a tree, with the assembly of its Huffman decoder.
VERSION = "1.5.7"
REQUIREMENT = "pyzstd==0.17.0"
SHA256 = "d84271f8baa66c419204c1dd115a4dec8b266f8a2921da21b81764fa208c1db6"
#: What `tree_digest` is of the files that are taken out of it.
TREE = "fa680d55cf36962bc68b8c97f3a2c3a4a7a16ab9c0898b96c7d32572aa7de24c"

_LIBRARY = PurePosixPath("pyzstd-0.17.0/zstd/lib")
_WANTED = ("common", "decompress")

#: The sources of a decoder in `lib`: no compressor, no dictionary builder, no legacy formats.
_DECODER = (
    "common/debug.c",
    "common/entropy_common.c",
    "common/error_private.c",
    "common/fse_decompress.c",
    "common/xxhash.c",
    "common/zstd_common.c",
    "decompress/huf_decompress.c",
    "decompress/zstd_ddict.c",
    "decompress/zstd_decompress.c",
    "decompress/zstd_decompress_block.c",
)
_ASSEMBLY = "decompress/huf_decompress_amd64.S"
_FLAGS = (
    "-std=c11",
    # Speed matters more than the last kilobytes: every cold start decodes.
    "-O3",
    # Zig keeps frame pointers for profilers. Without them, decoding is 3% faster.
    "-fomit-frame-pointer",
    "-fno-sanitize=undefined",
    "-DZSTD_LEGACY_SUPPORT=0",
    "-DZSTD_TRACE=0",
    # The variant that prefetches what it copies: windows of 8 MiB are larger than the caches of a core. Large
    # entries decode 10% faster, groups of 4 MiB as fast as with the other variant.
    "-DZSTD_FORCE_DECOMPRESS_SEQUENCES_LONG=1",
    "-DZSTDLIB_VISIBLE=",
    "-DZSTDERRORLIB_VISIBLE=",
    "-DXXH_NAMESPACE=ZSTD_",
    # emmintrin.h includes a header that needs a libc's malloc.h; the decoder does not use it.
    "-D__MM_MALLOC_H",
)
_MEMORY_FLAGS = ("-std=c11", "-O3", "-fno-builtin")


def compiler_options(library: str, target: str) -> tuple[str, ...]:
    """Zig's options for the decoder in a program for `target`, with `library` as `libzstd_source` returns it.

    Other paths are relative to the source of the launcher.
    """
    options = ["-cflags", *_FLAGS, "--", *(f"{library}/{name}" for name in _DECODER)]
    options += ["-cflags", *_MEMORY_FLAGS, "--", "libzstd/memory.c"]
    if target.startswith("x86_64-") and "-windows" not in target:
        options += ["-cflags", "--", f"{library}/{_ASSEMBLY}"]
    else:
        options += ["-D", "ZSTD_DISABLE_ASM=1"]
    # Before any libc's headers: they and compiler_rt have all that the decoder needs of a libc.
    return (*options, "-I", "libzstd")


def has_source(cache: Path) -> bool:
    """Whether `libzstd_source` needs no download."""
    return tree_digest(_directory(cache)) == TREE


def tree_digest(directory: Path) -> str:
    """SHA-256 over the files below `directory`, with their paths."""
    digest = hashlib.sha256()
    for path in sorted(path for path in directory.rglob("*") if path.is_file()):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(directory).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _directory(cache: Path) -> Path:
    return cache / f"libzstd-{SHA256[:16]}"


def libzstd_source(cache: Path, *, offline: bool = False) -> Path:
    """The `lib` directory of libzstd, fetched with pip into `cache` unless it is there and whole.

    Raises CzscieError when pip cannot get the source or gets another one than was pinned, and when `offline`
    forbids to download it.
    """
    directory = _directory(cache)
    if not has_source(cache):
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache, prefix=".libzstd-") as temporary:
            archive = _fetch(Path(temporary), offline)
            _extract(archive, Path(temporary, "lib"))
            if directory.is_dir() and not has_source(cache):
                directory.rename(Path(temporary, "damaged"))
            try:
                Path(temporary, "lib").rename(directory)
            except OSError:  # another process was faster
                if not directory.is_dir():
                    raise
    return directory


def _fetch(directory: Path, offline: bool) -> Path:
    if offline:
        raise CzscieError(
            f"the source of libzstd ({REQUIREMENT}) is not in the cache, and czscie is offline",
            code=Code.OFFLINE,
            why=f"the launcher is compiled with it, and --offline or {OFFLINE} is set",
            hint="run it once online, or install a czscie wheel, which contains the launchers",
        )
    requirements = directory / "requirements.txt"
    requirements.write_text(f"{REQUIREMENT} --hash=sha256:{SHA256}\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary=:all:"]
    command += ["--require-hashes", "--requirement", str(requirements), "--dest", str(directory)]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        if says_full(done.stderr):
            raise full(directory)
        raise CzscieError(
            f"cannot fetch the source of libzstd ({REQUIREMENT}), which is compiled into the launcher",
            code=Code.LAUNCHER_UNUSABLE,
            why=[line for line in done.stderr.strip().splitlines() if line.strip()][-3:],
            hint="run it again with access to a package index (pip's own settings are used), "
            "or install a czscie wheel, which contains the launchers",
        )
    [archive] = directory.glob("*.tar.gz")
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != SHA256:
        raise CzscieError(
            f"the source of libzstd has the SHA-256 {found}",
            code=Code.LAUNCHER_UNUSABLE,
            why=f"it must be {SHA256}",
        )
    return archive


def _extract(archive: Path, directory: Path) -> None:
    """Only regular files of the folders wanted, below `directory`: nothing else of it is looked at."""
    with tarfile.open(archive) as tar:
        for member in tar:
            path = PurePosixPath(member.name)
            if not member.isreg() or _LIBRARY not in path.parents or ".." in path.parts:
                continue
            inside = path.relative_to(_LIBRARY)
            if len(inside.parts) > 1 and inside.parts[0] not in _WANTED:
                continue
            content = tar.extractfile(member)
            if content is None:
                continue
            target = directory.joinpath(*inside.parts)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content.read())
            os.utime(target, (member.mtime, member.mtime))
