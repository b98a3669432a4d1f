"""Which files a build of a lift needs besides what stands beside its manifest."""

from __future__ import annotations

from collections.abc import Sequence

from czscie.errors import Code, CzscieError
from czscie.lift.lift import Lift
from czscie.lock.inventory.input import Input, Scope
from czscie.lock.inventory.inventory import inventory
from czscie.lock.lock import Lock
from czscie.pbs.provider import Provider
from czscie.platforms import Platform
from czscie.vendor_directory import KINDS


def needs_of(lift: Lift, lock: Lock, targets: Sequence[Platform], provider: Provider) -> list[Input]:
    """What building `lift` for `targets` takes, each file once. Raises CzscieError for what is not locked.

    Interpreters of this machine (Host, Local) are not among them, nor is what the manifest's directory holds.
    """
    found: dict[tuple[str, str], Input] = {}
    for each in inventory(Scope(lift, lock, targets, provider, anywhere=True)):
        if each.file_name is None:
            continue
        known = found.setdefault((each.DIRECTORY, each.file_name), each)
        if known.sha256 != each.sha256:
            raise CzscieError(
                f"two files called {each.file_name} are needed, which one directory cannot hold",
                code=Code.NAME_TAKEN,
                why=(str(known.sha256), str(each.sha256)),
                hint="vendor each platform in its own directory: czscie vendor DIRECTORY --platform NAME",
            )
    return sorted(found.values(), key=lambda each: KINDS.index(each.DIRECTORY))
