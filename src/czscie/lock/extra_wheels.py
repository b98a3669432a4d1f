"""Wheels that czscie adds to payloads. A lock pins each once, for all platforms.

`lift.bare` adds wheels to the environment. On Windows, scripts need launchers, which are distlib's.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from czscie.build_cache import key_of, knowledge
from czscie.errors import Code, CzscieError
from czscie.filesystem import path_digest
from czscie.lift.lift import Lift
from czscie.lock.lock import Lock
from czscie.lock.packages import Chosen
from czscie.platforms import Platform
from czscie.wheel.script_launchers import PROJECT as SCRIPT_LAUNCHERS

__all__ = ["SCRIPT_LAUNCHERS", "locked_extra_wheels", "purpose", "wanted_extra_wheels"]


class _Scripts(msgspec.Struct, frozen=True):
    """Whether a PEX has scripts of entry points."""

    any: bool


def wanted_extra_wheels(lift: Lift) -> tuple[str, ...]:
    """The projects whose wheels `lift` needs on any of its platforms, sorted; none without a payload."""
    return tuple(sorted({name for platform in lift.platforms for name in _projects(lift, platform)}))


def _projects(lift: Lift, platform: Platform) -> tuple[str, ...]:
    if lift.payload is None:
        return ()
    launchers = (SCRIPT_LAUNCHERS,) if _needs_script_launchers(lift, platform) else ()
    return (*lift.bare.projects(platform), *launchers)


def _needs_script_launchers(lift: Lift, platform: Platform) -> bool:
    """Whether the payload may have scripts on `platform`. For a PEX, its wheels decide."""
    if platform.os != "windows" or lift.payload is None or not lift.windows.scripts:
        return False
    pex = lift.payload.pex
    if pex is None or not pex.exists():
        return True
    key = key_of("scripts", path_digest(pex))
    return knowledge(key, _Scripts, lambda: _Scripts(_has_scripts(pex))).any


def _has_scripts(path: Path) -> bool:
    from czscie.czex.pex import Pex

    with Pex.open(path) as pex:
        return any(wheel.entry_points.console or wheel.entry_points.gui for wheel in pex.wheels)


def purpose(name: str) -> str:
    """The reason why the project called `name` is needed, as a subject and a verb."""
    return "scripts on Windows need" if name == SCRIPT_LAUNCHERS else "lift.bare adds"


def locked_extra_wheels(lift: Lift, lock: Lock, platform: Platform) -> tuple[Chosen, ...]:
    """The wheels of `lift` for `platform` that the lock pins beside those of the payload.

    Raises CzscieError when one is not locked.
    """
    return tuple(_locked(lock, name) for name in _projects(lift, platform))


def _locked(lock: Lock, name: str) -> Chosen:
    locked = next((each for each in lock.provisions if each.name == name and each.wheels), None)
    if locked is None:
        raise CzscieError(
            f"{name}, which {purpose(name)}, is not locked",
            code=Code.LOCK_OUT_OF_DATE,
            hint="run czscie lock",
        )
    return Chosen(locked, locked.wheels[0])
