"""The interpreters of a lock, to be had from wherever they are."""

from __future__ import annotations

import dataclasses

from czscie.errors import CzscieError
from czscie.lift.interpreter import Interpreter, PythonBuildStandalone
from czscie.lock.lock import Lock, LockedInterpreter
from czscie.pbs.assets import FREE_THREADED, Asset
from czscie.pbs.mirror import OFFICIAL
from czscie.pbs.provider import Provider, Source
from czscie.pbs.standalone import StandaloneSource
from czscie.platforms import Platform


class LockedSources:
    """Answers as a Provider does, but out of a lock: nobody is asked."""

    def __init__(self, lock: Lock, provider: Provider) -> None:
        self._lock = lock
        self._provider = provider

    def resolve(self, interpreter: Interpreter, platform: Platform) -> Source:
        """The CPython that is locked. Raises CzscieError when none is, or this machine has another one."""
        locked = self._lock.interpreter(interpreter.id, platform.name)
        if locked is None:
            raise CzscieError(
                f"the interpreter {interpreter.id} is not locked for {platform.name}", mend="run czscie lock"
            )
        if isinstance(interpreter, PythonBuildStandalone):
            asset = Asset.parse(locked.name or "")
            pinned = self._provider.pinned(
                interpreter, platform, asset, locked.sha256, locked.size, locked.url
            )
            # What an executable says of itself must not depend on the mirror of whoever built it.
            return dataclasses.replace(pinned, url=locked.url or "")
        source = self._provider.resolve(interpreter, platform)
        if source.digest != locked.sha256:
            raise CzscieError(
                f"the interpreter {interpreter.id} of this machine differs from the lock",
                why=f"{source.description} from {source.url}",
                mend="run czscie lock to pin it",
            )
        return source


def locked_asset(
    interpreter: PythonBuildStandalone, source: StandaloneSource, platform: Platform, *, helper: bool
) -> LockedInterpreter:
    """What a lock says of an asset that was found. The URL is the release's own unless the manifest names
    another: which mirror it came from is this machine's affair.
    """
    asset = source.asset
    url: str | None = f"{OFFICIAL}/{asset.release}/{asset.url_name}"
    if interpreter.base_url:
        url = None if source.url.startswith("file:") else source.url
    return LockedInterpreter(
        id=interpreter.id,
        platform=platform.name,
        provider=type(interpreter).__name__,
        version=asset.version + ("t" if FREE_THREADED in asset.flavor else ""),
        release=asset.release,
        flavor=asset.flavor,
        name=asset.name,
        url=url,
        sha256=source.digest,
        size=source.size,
        helper=helper,
    )
