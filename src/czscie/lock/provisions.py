"""What `lift.bare` adds to payloads, as a lock pins it: wheels that every platform can use."""

from __future__ import annotations

from czscie.errors import CzscieError
from czscie.lift.lift import Lift
from czscie.lock.lock import Lock
from czscie.lock.packages import Chosen
from czscie.platforms import Platform


def wanted_provisions(lift: Lift) -> tuple[str, ...]:
    """The projects whose wheels `lift` adds on any of its platforms, sorted; none without a payload."""
    if lift.payload is None:
        return ()
    return tuple(sorted({name for platform in lift.platforms for name in lift.bare.projects(platform)}))


def locked_provisions(lift: Lift, lock: Lock, platform: Platform) -> tuple[Chosen, ...]:
    """The wheels that `lift` adds on `platform`. Raises CzscieError when one is not locked."""
    locked = {each.name: each for each in lock.provisions}
    found = []
    for name in lift.bare.projects(platform) if lift.payload is not None else ():
        if name not in locked or not locked[name].wheels:
            raise CzscieError(f"{name}, which lift.bare adds, is not locked", mend="run czscie lock")
        found.append(Chosen(locked[name], locked[name].wheels[0]))
    return tuple(found)
