"""What makes a file larger or smaller than another: pieces that were added, removed, grown, shrunk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from czscie.composition.piece import Piece


@dataclass(frozen=True, slots=True)
class Change:
    """A piece `now` and as it `was`, None where it is missing, and the changes of its parts, which add up to
    its own.
    """

    was: Piece | None
    now: Piece | None
    parts: tuple[Change, ...] = ()

    @property
    def packed(self) -> int:
        """The difference, in bytes of the file."""
        return (self.now.packed if self.now else 0) - (self.was.packed if self.was else 0)

    @property
    def installed(self) -> int:
        """The difference, in bytes of files."""
        return (self.now.installed if self.now else 0) - (self.was.installed if self.was else 0)


@dataclass(frozen=True, slots=True)
class _Same:
    """So many files of equal sizes. Packed, they may differ, as they share blocks with others."""

    files: int = 0
    was: int = 0
    now: int = 0
    installed: int = 0

    def __add__(self, other: _Same) -> _Same:
        return _Same(
            self.files + other.files,
            self.was + other.was,
            self.now + other.now,
            self.installed + other.installed,
        )

    def changes(self) -> tuple[Change, ...]:
        """One change that stands for all of them, if there is any."""
        if self.was == self.now:
            return ()
        name = f"{self.files:,} file{'' if self.files == 1 else 's'} of the same size, packed differently"
        was, now = (Piece("", name, packed, self.installed) for packed in (self.was, self.now))
        return (Change(was, now),)


def compare(was: Piece, now: Piece) -> Change:
    """The change from one file to another. What is the same in both is left out."""
    found = _compare(was, now)
    return found if isinstance(found, Change) else Change(was, now, found.changes())


def _compare(was: Piece | None, now: Piece | None) -> Change | _Same:
    if was is None or now is None:
        parts = _compare_all(was.parts if was else (), now.parts if now else ())[0]
        return Change(was, now, tuple(parts))
    if not was.parts and not now.parts:
        # What is never installed has no other size.
        if was.installed == now.installed and (now.installed or was.packed == now.packed):
            return _Same(1, was.packed, now.packed, now.installed)
        return Change(was, now)
    if not (was.parts and now.parts):  # a file became a directory, or the other way round
        return Change(was, now)
    changes, same = _compare_all(was.parts, now.parts)
    if changes or was.detail != now.detail:
        return Change(was, now, (*changes, *same.changes()))
    return same


def _compare_all(were: Sequence[Piece], are: Sequence[Piece]) -> tuple[list[Change], _Same]:
    before, after = ({piece.key: piece for piece in pieces} for pieces in (were, are))
    changes, same = [], _Same()
    for key in {**after, **before}:
        found = _compare(before.get(key), after.get(key))
        if isinstance(found, Change):
            changes.append(found)
        else:
            same += found
    return changes, same
