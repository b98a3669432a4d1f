"""What is found in wheels, kept in the cache by the digest of the wheel file."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from czscie.build_cache import Known, key_of, knowledge

if TYPE_CHECKING:
    from czscie.wheel.wheel import Wheel


def finding(wheel: Wheel, kind: type[Known], find: Callable[[], Known], *parameters: str) -> Known:
    """What `find` finds in `wheel`, with `parameters`; from the cache where there is a wheel file.

    Raises CzscieError when the wheel cannot be read, and what `find` raises.
    """
    if wheel.digest is None:
        return find()
    return knowledge(key_of(kind.__qualname__, wheel.digest, *parameters), kind, find)
