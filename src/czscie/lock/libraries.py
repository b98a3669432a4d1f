"""The libraries whose output ends up in executables: the locked versions and the installed ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from czscie import toolchain
from czscie.errors import Code, CzscieError
from czscie.lock.lock import Lock
from czscie.lock.upgrade import OWN
from czscie.lock.use import LockUse

if TYPE_CHECKING:
    from czscie.console import Console

#: What compresses the layers of images, and nothing of executables.
_OF_IMAGES = frozenset({"zlib"})


def check_libraries(lock: Lock, use: LockUse, console: Console, *, images: bool = False) -> None:
    """Warns about libraries whose version differs from the lock, because the bytes may differ then.

    `images` says that images are built. Raises CzscieError when the lock may not change (`LockUse.LOCKED`)
    and pip can install the locked version. For libraries that are part of the Python itself it only warns.
    """
    here = toolchain.libraries()
    other = {
        name: (locked, here[name])
        for name, locked in sorted(lock.libraries.items())
        if here.get(name, locked) != locked and (images or name not in _OF_IMAGES)
    }
    installed = {name: each for name, each in other.items() if name not in toolchain.OF_PYTHON}
    if installed and use is LockUse.LOCKED:
        raise CzscieError(
            "library versions differ from the lock, so the executables may differ too",
            code=Code.LIBRARIES_DIFFER,
            why=[f"{name} is {found}, locked {locked}" for name, (locked, found) in installed.items()],
            hint=f"{_install(lock, installed)}; czscie lock --upgrade-only {OWN} locks the installed ones; "
            "--frozen builds with them",
        )
    for name, (locked, found) in other.items():
        hint = (
            _install(lock, {name: (locked, found)})
            if name in installed
            else "it is part of the Python that runs czscie"
        )
        console.warn(f"{name} is {found}, the lock pins {locked}: bytes may differ ({hint})")


def _install(lock: Lock, other: Mapping[str, tuple[str, str]]) -> str:
    """The command that installs the locked versions. libzstd is in the wheels of zstandard."""
    names = dict.fromkeys("zstandard" if name == "libzstd" else name for name in other)
    wanted = " ".join(f"{name}=={lock.libraries[name]}" for name in names if name in lock.libraries)
    again = "--force-reinstall " if set(other) == {"libzstd"} else ""
    return f"pip install {again}{wanted}"
