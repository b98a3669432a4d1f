"""The libraries whose output is in executables, as a lock pins them and as they are here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from czscie import toolchain
from czscie.errors import CzscieError
from czscie.lock.lock import Lock
from czscie.lock.upgrade import OWN
from czscie.lock.use import LockUse

if TYPE_CHECKING:
    from czscie.console import Console

#: What compresses the layers of images, and nothing of executables.
_OF_IMAGES = frozenset({"zlib"})


def check_libraries(lock: Lock, use: LockUse, console: Console, *, images: bool = False) -> None:
    """Tells which libraries are of another version here: the bytes of executables may be others then.

    `images` says that images are made. Raises CzscieError when the lock may not change (`LockUse.LOCKED`) and
    pip has what is pinned. What comes with the Python that runs czscie is told only.
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
            "libraries are of other versions than the lock pins, which may give other bytes",
            why=[f"{name} is {found}, locked {locked}" for name, (locked, found) in installed.items()],
            hint=f"{_install(lock, installed)}; czscie lock --upgrade-only {OWN} locks those that are here; "
            "--frozen builds with them",
        )
    for name, (locked, found) in other.items():
        hint = (
            _install(lock, {name: (locked, found)})
            if name in installed
            else "it comes with the Python that runs czscie"
        )
        console.warn(f"{name} is {found}, the lock pins {locked}: bytes may differ ({hint})")


def _install(lock: Lock, other: Mapping[str, tuple[str, str]]) -> str:
    """The command that installs what is pinned. libzstd is in the wheels of zstandard."""
    names = dict.fromkeys("zstandard" if name == "libzstd" else name for name in other)
    wanted = " ".join(f"{name}=={lock.libraries[name]}" for name in names if name in lock.libraries)
    again = "--force-reinstall " if set(other) == {"libzstd"} else ""
    return f"pip install {again}{wanted}"
