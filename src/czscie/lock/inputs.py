"""The inputs of an executable, as a lock pins them."""

from __future__ import annotations

from pathlib import Path

from czscie.inputs import Inputs
from czscie.launchers.build import fetcher_of
from czscie.lift.lift import Lift
from czscie.lock.extra_wheels import SCRIPT_LAUNCHERS
from czscie.lock.inventory.file import FileInput
from czscie.lock.inventory.input import Scope
from czscie.lock.inventory.interpreter import InterpreterInput
from czscie.lock.inventory.inventory import inventory, of_kind
from czscie.lock.inventory.wheel import WheelInput
from czscie.lock.lock import Lock
from czscie.lock.payload import locked_payload
from czscie.platforms import Platform
from czscie.session import Session


def locked_inputs(
    lift: Lift,
    lock: Lock,
    platform: Platform,
    session: Session,
    directory: Path,
) -> Inputs:
    """The inputs of the executable for `platform`.

    `directory` is for files of this build alone. Raises CzscieError when one is not locked, or differs from
    the lock.
    """
    found = inventory(Scope(lift, lock, (platform,), session.provider))
    console, network = session.console, session.network
    added = {each.name: each.remote for each in of_kind(found, WheelInput) if each.added}
    return Inputs(
        lift=lift,
        platform=platform,
        interpreters={each.locked.id: each.pinned(console) for each in of_kind(found, InterpreterInput)},
        pex=locked_payload(lift, found, directory / platform.name, session),
        files=tuple(
            (each.file, each.obtain(network, console)) for each in of_kind(found, FileInput) if not each.lazy
        ),
        provisions=tuple(remote for name, remote in added.items() if name != SCRIPT_LAUNCHERS),
        script_launchers=added.get(SCRIPT_LAUNCHERS),
        properties={key: value for each in found for key, value in each.properties().items()},
        launcher=lock.launcher.sha256(platform.launcher),
        fetcher=lock.launcher.sha256(fetcher_of(platform.launcher)),
        network=network,
    )
