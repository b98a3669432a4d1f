"""The interpreters of a lock, as sources to load."""

from __future__ import annotations

from czscie.errors import Code, CzscieError
from czscie.lift.interpreter import Interpreter
from czscie.lock.lock import Lock, LockedInterpreter
from czscie.pbs.provider import Provider, Source
from czscie.platforms import Platform


class LockedSources:
    """Resolves as a Provider does, but from a lock: it contacts no server."""

    def __init__(self, lock: Lock, provider: Provider) -> None:
        self._lock = lock
        self._provider = provider

    def resolve(self, interpreter: Interpreter, platform: Platform) -> Source:
        """The locked CPython. Raises CzscieError when it is not locked, or differs on this machine."""
        return self._provider.pinned(interpreter, platform, self.locked(interpreter, platform.name).pin)

    def locked(self, interpreter: Interpreter, platform: str) -> LockedInterpreter:
        """Its entry in the lock. Raises CzscieError without one."""
        locked = self._lock.interpreter(interpreter.id, platform)
        if locked is None:
            raise CzscieError(
                f"the interpreter {interpreter.id} is not locked for {platform}",
                code=Code.LOCK_OUT_OF_DATE,
                hint="run czscie lock",
            )
        return locked
