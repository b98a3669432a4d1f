"""What makes a file larger or smaller than another: pieces that were added, removed, grown, shrunk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
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
    """So many files whose contents have equal sizes, and their sizes as they are: both packed and installed
    they may differ, as they share compressed blocks with others.
    """

    files: int = 0
    was: tuple[int, int] = (0, 0)
    now: tuple[int, int] = (0, 0)

    @classmethod
    def of(cls, was: Piece, now: Piece) -> _Same:
        return cls(1, (was.packed, was.installed), (now.packed, now.installed))

    def __add__(self, other: _Same) -> _Same:
        return _Same(
            self.files + other.files,
            (self.was[0] + other.was[0], self.was[1] + other.was[1]),
            (self.now[0] + other.now[0], self.now[1] + other.now[1]),
        )

    def changes(self) -> tuple[Change, ...]:
        """One change that stands for all of them, if there is any."""
        if self.was == self.now:
            return ()
        name = f"{self.files:,} file{'' if self.files == 1 else 's'} of the same size, packed differently"
        return (Change(Piece("", name, *self.was), Piece("", name, *self.now)),)


def compare(was: Piece, now: Piece) -> Change:
    """The change from one file to another. What is the same in both is left out."""
    found = _compare(was, now)
    return found if isinstance(found, Change) else Change(was, now, found.changes())


def _compare(was: Piece | None, now: Piece | None) -> Change | _Same:
    if was is None or now is None:
        parts = _compare_all(was.parts if was else (), now.parts if now else ())[0]
        return Change(was, now, tuple(parts))
    if not was.parts and not now.parts:
        is_equal = was.content == now.content if now.content else was.packed == now.packed
        return _Same.of(was, now) if is_equal and was.form == now.form else Change(was, now)
    if not (was.parts and now.parts):  # a file became a directory, or the other way round
        return Change(was, now)
    changes, same = _compare_all(was.parts, now.parts)
    if changes or was.detail != now.detail:
        return Change(was, now, (*changes, *same.changes()))
    return same


def _compare_all(were: Sequence[Piece], are: Sequence[Piece]) -> tuple[list[Change], _Same]:
    before, after = _by_key(were), _by_key(are)
    changes, same = [], _Same()
    for key in {**after, **before}:
        found = _compare(before.get(key), after.get(key))
        if isinstance(found, Change):
            changes.append(found)
        else:
            same += found
    return changes, same


def _by_key(pieces: Sequence[Piece]) -> Mapping[tuple[str, int], Piece]:
    """The pieces by their keys, which a wheel may have twice, and a number for those."""
    found: dict[tuple[str, int], Piece] = {}
    times: Counter[str] = Counter()
    for piece in pieces:
        found[piece.key, times[piece.key]] = piece
        times[piece.key] += 1
    return found
