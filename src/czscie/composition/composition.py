"""The composition of a file: its pieces, and what is known about them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from czscie.composition.piece import Piece


@dataclass(frozen=True, slots=True)
class Fact:
    """A row of a list, in words."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Licensed:
    """A component of the bill of materials, and the licences that it declares."""

    name: str
    version: str
    licences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Composition:
    """What the file at `path` is made of. The pieces of `whole` add up to its size, byte by byte.

    `form` says what file it is, `files` is the number of those that are installed, `facts` say what is in it,
    `needs` what it requires of its host, and `notes` what limits these statements.
    """

    path: Path
    name: str
    form: str
    files: int
    whole: Piece
    facts: tuple[Fact, ...]
    needs: tuple[Fact, ...]
    digests: tuple[Fact, ...]
    licences: tuple[Licensed, ...]
    notes: tuple[str, ...] = ()
