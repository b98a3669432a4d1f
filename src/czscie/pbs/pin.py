"""The pin of a CPython: all that a lock stores of one, without its purpose."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pin:
    """`sha256` and `size`, in bytes, are those of the archive or, of a directory, of its tree.

    `version` is an Implementation's, as text; None where the files alone tell it. `release`, `flavor`, `name`
    (the archive's) and `url` are there for what a release holds. What is None is not known.
    """

    sha256: str
    size: int | None = None
    version: str | None = None
    release: str | None = None
    flavor: str | None = None
    name: str | None = None
    url: str | None = None
