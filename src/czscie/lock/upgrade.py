"""What of a lock is to be found out again."""

from __future__ import annotations

from dataclasses import dataclass

#: The name of what is czscie's own in a lock: its launchers and libraries.
OWN = "czscie"


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What is found out again though it is locked: everything, or interpreters and packages by name."""

    everything: bool = False
    names: frozenset[str] = frozenset()

    def covers(self, name: str) -> bool:
        return self.everything or name in self.names
