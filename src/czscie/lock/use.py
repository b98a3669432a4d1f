"""What a build may do about its lock."""

from __future__ import annotations

import enum


class LockUse(enum.Enum):
    """What a build may do about a lock that is not up to date."""

    #: Write what has changed.
    UPDATE = enum.auto()
    #: The same, for a build that leaves no lock, so nothing is said of it.
    ONCE = enum.auto()
    #: Fail.
    LOCKED = enum.auto()
    #: Do not check: what it lacks is an error, what it does not cover goes unnoticed.
    FROZEN = enum.auto()
