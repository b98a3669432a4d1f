"""What is slow to make is kept between runs, in a directory named by what it was made of."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import platformdirs


def cache_directory() -> Path:
    """`CZSCIE_E2E_CACHE`, or `czscie-e2e` in the user's cache directory; made if it is not there."""
    named = os.environ.get("CZSCIE_E2E_CACHE")
    directory = Path(named) if named else platformdirs.user_cache_path("czscie-e2e")
    directory.mkdir(parents=True, exist_ok=True)
    return directory.resolve()


def cached(name: str, ingredients: Iterable[str | bytes], make: Callable[[Path], None]) -> Path:
    """The directory that `make` writes, made now unless one of the same ingredients is kept already.

    Two sessions that want the same one wait for each other. What `make` raises is raised here, and
    nothing is kept then.
    """
    digest = hashlib.sha256()
    for ingredient in ingredients:
        data = ingredient if isinstance(ingredient, bytes) else ingredient.encode()
        digest.update(len(data).to_bytes(8, "big") + data)
    target = cache_directory() / f"{name}-{digest.hexdigest()[:16]}"
    with target.with_name(f".{target.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            partial = target.with_name(f".{target.name}.partial")
            shutil.rmtree(partial, ignore_errors=True)
            make(partial)
            partial.rename(target)
    return target


def sources(directory: Path, pattern: str = "**/*") -> list[str | bytes]:
    """The files below a directory as ingredients: their names and contents, in order."""
    found: list[str | bytes] = []
    for path in sorted(directory.glob(pattern)):
        if path.is_file() and "__pycache__" not in path.parts:
            found += [path.relative_to(directory).as_posix(), path.read_bytes()]
    return found
