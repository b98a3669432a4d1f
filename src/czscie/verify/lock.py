"""Compares an executable with a lock, as far as the file records its inputs.

The file names its inputs and their digests. A packed input has a digest of its own, so the digest of an input
cannot be computed from the file, except that of the launcher, which it contains unchanged. Wheels keep their
names.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from czscie.errors import CzscieError
from czscie.launchers.build import source_digest
from czscie.launchers.provide import provide_launcher
from czscie.lock.inventory.comparison import Comparison, Evidence, OwnLauncher
from czscie.lock.inventory.inventory import compare
from czscie.lock.lock import Lock
from czscie.platforms import find_platform
from czscie.sbom.read import Recorded
from czscie.scie.inspect import Contents
from czscie.session import Session


def compare_with_lock(
    contents: Contents, bill: Mapping[str, Recorded], lock: Lock, own: OwnLauncher
) -> Comparison:
    """Compares `lock` with the inputs that `contents` and its bill of materials `bill` record."""
    found = Comparison()
    compare(found, Evidence(contents, bill, lock, own))
    return found


def own_launcher(contents: Contents, lock: Lock, session: Session) -> OwnLauncher:
    """The launcher for the platform of `contents`, if its digest is not locked and its locked source is this
    czscie's.
    """
    source = source_digest()
    name = find_platform(contents.manifest.scie.lift.platform).launcher
    if source != lock.launcher.source or lock.launcher.sha256(name) is not None:
        return OwnLauncher(source, None)
    try:
        here = session.network.without_directories()
        launcher = provide_launcher(name, session.console, here).read_bytes()
    except CzscieError:  # there is no compiler
        return OwnLauncher(source, None)
    return OwnLauncher(source, hashlib.sha256(launcher).hexdigest())
