"""The parts of a lock to resolve again."""

from __future__ import annotations

from dataclasses import dataclass

#: The name of czscie's own launchers and libraries in a lock.
OWN = "czscie"


@dataclass(frozen=True, slots=True)
class Upgrade:
    """The parts to resolve again although they are locked: all, or interpreters and packages by name."""

    everything: bool = False
    names: frozenset[str] = frozenset()

    def covers(self, name: str) -> bool:
        return self.everything or name in self.names
