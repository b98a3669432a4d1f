"""The inputs of an executable, from a lock: what it pins and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from czscie.errors import CzscieError
from czscie.filesystem import path_digest
from czscie.inputs import Inputs
from czscie.interpreters import PinnedInterpreter
from czscie.lift.embedded_file import EmbeddedFile
from czscie.lift.lift import Lift
from czscie.lock.builder import remote_of
from czscie.lock.lock import Lock
from czscie.lock.now import libc_of
from czscie.lock.payload import locked_payload
from czscie.lock.provisions import SCRIPT_LAUNCHERS, locked_provisions
from czscie.lock.sources import LockedSources
from czscie.network.network import Network
from czscie.pbs.provider import Provider
from czscie.platforms import Platform
from czscie.scie.files import locate

if TYPE_CHECKING:
    from czscie.console import Console


def locked_inputs(
    lift: Lift,
    lock: Lock,
    platform: Platform,
    provider: Provider,
    network: Network,
    directory: Path,
    console: Console,
) -> Inputs:
    """What the executable for `platform` is made of. `directory` is for what is made for this build alone.

    Raises CzscieError for what is not locked, and for what is here and not as it was locked.
    """
    if lock.libc != libc_of(lift):
        raise CzscieError("the bundled C library differs from the lock", mend="run czscie lock")
    if lock.windows != windows_of(lift):
        raise CzscieError("lift.windows.icon differs from the lock", mend="run czscie lock")
    sources = LockedSources(lock, provider)
    provisions = {
        each.package.name: remote_of(each.wheel, lift.path.parent.absolute())
        for each in locked_provisions(lift, lock, platform)
    }
    return Inputs(
        lift=lift,
        platform=platform,
        interpreters={
            each.id: PinnedInterpreter.resolve(each, platform, sources, console) for each in lift.interpreters
        },
        pex=locked_payload(lift, lock, platform, directory, network, console),
        files=tuple((file, _locate(file, lock, network, console)) for file in lift.files),
        provisions=tuple(remote for name, remote in provisions.items() if name != SCRIPT_LAUNCHERS),
        script_launchers=provisions.get(SCRIPT_LAUNCHERS),
        launcher=lock.launcher.sha256(platform.launcher),
        network=network,
    )


def _locate(file: EmbeddedFile, lock: Lock, network: Network, console: Console) -> Path:
    path = locate(file, console, network)
    locked = lock.file(file.id)
    if locked is None or path_digest(path) != locked.sha256:
        raise CzscieError(
            f"the lift's file {file.name} differs from the lock", mend="run czscie lock to pin it"
        )
    return path
