"""A mirror of PyPy's downloads with one archive: Debian's PyPy in upstream's layout, with its checksums.

As upstream's archives have it, the libraries that PyPy needs besides the C library lie in `lib`, and are
found by an `$ORIGIN` rpath. What differs: Debian's names of directories for packages in `site.py` and
sysconfig, a newer glibc, no Tk, and pip's wheels for ensurepip are missing.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
import shutil
import tarfile
from pathlib import Path

from czscie.elf import Elf, is_elf
from czscie.pbs.libraries import is_of_libc
from czscie.pbs.search_path import with_search_path
from e2e.cache import cached
from e2e.mirror.apt import Apt

RELEASE = "v7.3.11"
PYTHON = "3.9.16"
STEM = f"pypy3.9-{RELEASE}-linux64"

_SUITE = "bookworm"
_PACKAGES = (
    *("pypy3", "pypy3-lib", "libbz2-1.0", "libexpat1", "libffi8", "libgcc-s1", "libgdbm6", "liblzma5"),
    *("libncursesw6", "libsqlite3-0", "libssl3", "libtinfo6", "zlib1g"),
)


def mirror() -> Path:
    """The directory of the mirror, made once and kept."""
    return cached("pypy", [_SUITE, *_PACKAGES, Path(__file__).read_bytes()], write_mirror)


def write_mirror(out: Path) -> None:
    """Writes archive, `versions.json` and `checksums.html` into `out`, which is made. Raises AptError."""
    system, tree = out / "system", out / "tree" / STEM
    Apt(out / "apt", _SUITE, "amd64").unpack(system, *_PACKAGES)
    _lay_out(system, tree)
    archive = out / f"{STEM}.tar.bz2"
    with tarfile.open(archive, "w:bz2", compresslevel=1) as file:
        file.add(tree, STEM)
    for directory in ("apt", "system", "tree"):
        shutil.rmtree(out / directory)
    release = {
        "pypy_version": RELEASE.removeprefix("v"),
        "python_version": PYTHON,
        "stable": True,
        "latest_pypy": False,
        "date": "2022-12-29",
        "files": [{"filename": archive.name, "arch": "x64", "platform": "linux"}],
    }
    (out / "versions.json").write_text(json.dumps([release]))
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    (out / "checksums.html").write_text(
        f"<pre>pypy3.9-{RELEASE} sha256:\n\n{digest}  {archive.name}\n</pre>\n"
    )


def _lay_out(system: Path, tree: Path) -> None:
    """Debian's files where upstream has them."""
    shutil.copytree(
        system / "usr/lib/pypy3.9",
        tree / "lib/pypy3.9",
        symlinks=False,
        ignore_dangling_symlinks=True,
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    (tree / "lib/pypy3.9/site-packages").mkdir(exist_ok=True)
    (tree / "lib/pypy3.9/site-packages/README").write_text("Packages go here.\n")
    (tree / "bin").mkdir()
    shutil.copy(system / "usr/bin/pypy3.9", tree / "bin/pypy3.9")
    for name in ("pypy", "pypy3", "python", "python3", "python3.9"):
        (tree / "bin" / name).symlink_to("pypy3.9")
    libraries = {
        path.name: path
        for directory in ("lib", "usr/lib")
        for path in (system / directory / "x86_64-linux-gnu").glob("lib*.so*")
    }
    _copy(libraries["libpypy3.9-c.so"], tree / "bin/libpypy3.9-c.so", "$ORIGIN/../lib")
    waiting = [path for path in tree.rglob("*") if path.is_file() and is_elf(path.read_bytes()[:4])]
    for path in waiting:  # which grows
        for name in Elf.parse(path.read_bytes(), path.name).needed:
            target = tree / "lib" / name
            if (
                not is_of_libc(name)
                and name in libraries
                and name != "libpypy3.9-c.so"
                and not target.exists()
            ):
                _copy(libraries[name], target, "$ORIGIN")
                waiting.append(target)
    for path in (tree / "lib/pypy3.9").rglob("*.so"):
        up = posixpath.relpath("lib", path.relative_to(tree).parent.as_posix())
        _copy(path, path, f"$ORIGIN/{up}")


def _copy(source: Path, target: Path, search_path: str) -> None:
    target.write_bytes(with_search_path(source.read_bytes(), search_path, target.name))
    target.chmod(0o755)
