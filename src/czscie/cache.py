"""Where czscie keeps what it can make or fetch again: the user's cache directory."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from czscie.errors import CzscieError

#: The environment variable that puts the whole cache elsewhere.
VARIABLE = "CZSCIE_CACHE"


def cache_directory(kind: str, environ: Mapping[str, str] = os.environ) -> Path:
    """Make `<cache>/<kind>`, readable by its owner only, and return its absolute path.

    `kind` is one path component such as `archives`. The cache is `CZSCIE_CACHE` or else the platform's user
    cache directory for `czscie`. Raises CzscieError when the directory cannot be made or is not writable.
    """
    directory = cache_root(environ) / kind
    try:
        directory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise _unusable(directory, error.strerror or str(error)) from error
    if not os.access(directory, os.W_OK | os.X_OK):
        raise _unusable(directory, "it is not writable")
    return directory


def cache_root(environ: Mapping[str, str] = os.environ) -> Path:
    """The absolute path of the whole cache; it need not exist."""
    if chosen := environ.get(VARIABLE):
        return Path(chosen).expanduser().absolute()
    import platformdirs

    # Beside it lies the default base directory of the executables that czscie builds.
    return Path(platformdirs.user_cache_dir("czscie", appauthor=False), "build").absolute()


def _unusable(directory: Path, why: str) -> CzscieError:
    return CzscieError(
        f"the cache directory {directory} cannot be used",
        why=why,
        mend=f"set {VARIABLE} to a directory that you may write to",
    )
