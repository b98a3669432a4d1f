"""A lock whose archives somebody vouches for besides the release's own list."""

from __future__ import annotations

import msgspec

from czscie.attestation.attestor import Attestor
from czscie.attestation.provenance import WORKFLOW
from czscie.console import Console
from czscie.lift.interpreter import PythonBuildStandalone
from czscie.lock.lock import Lock, LockedInterpreter


def attested(lock: Lock, attestor: Attestor, console: Console) -> Lock:
    """`lock` with the workflow that built each of python-build-standalone's archives.

    Raises CzscieError when one is not attested.
    """
    interpreters = tuple(_attested(each, attestor, console) for each in lock.interpreters)
    return msgspec.structs.replace(lock, interpreters=interpreters)


def _attested(locked: LockedInterpreter, attestor: Attestor, console: Console) -> LockedInterpreter:
    if locked.provider != PythonBuildStandalone.PROVIDER:
        return locked
    with console.phase(f"Attested {locked.name}") as phase:
        provenance = attestor.attest(locked.sha256, locked.name or locked.id)
        phase.become(f"Attested {locked.name}: {provenance.run or WORKFLOW}")
    return msgspec.structs.replace(locked, attested=WORKFLOW)
