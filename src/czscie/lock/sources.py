"""The interpreters of a lock, to be had from wherever they are."""

from __future__ import annotations

from czscie.errors import CzscieError
from czscie.lift.interpreter import Interpreter
from czscie.lock.lock import Lock, LockedInterpreter
from czscie.pbs.provider import Provider, Source
from czscie.platforms import Platform


class LockedSources:
    """Answers as a Provider does, but out of a lock: nobody is asked."""

    def __init__(self, lock: Lock, provider: Provider) -> None:
        self._lock = lock
        self._provider = provider

    def resolve(self, interpreter: Interpreter, platform: Platform) -> Source:
        """The CPython that is locked. Raises CzscieError when none is, or this machine has another one."""
        return self._provider.pinned(interpreter, platform, self.locked(interpreter, platform.name).pin)

    def locked(self, interpreter: Interpreter, platform: str) -> LockedInterpreter:
        """What the lock says of it. Raises CzscieError when that is nothing."""
        locked = self._lock.interpreter(interpreter.id, platform)
        if locked is None:
            raise CzscieError(
                f"the interpreter {interpreter.id} is not locked for {platform}", hint="run czscie lock"
            )
        return locked
