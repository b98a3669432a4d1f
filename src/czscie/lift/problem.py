"""The problems of a manifest, all reported at once, in the file's order."""

from __future__ import annotations

import datetime
import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from czscie.documents import toml_string
from czscie.errors import Code, CzscieError

#: Where a value stands: the names of the tables that lead to it, and 0-based indexes into arrays.
Key = tuple[str | int, ...]

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_USER_IN_URL = re.compile(r"(?<=://)[^/@]+@")
_LONGEST_QUOTE = 80


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem, at a key such as `lift.interpreters[0].release`.

    `lacks` are the keys of which one is missing, if that is the problem.
    """

    key: str
    text: str
    lacks: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.key}: {self.text}"


class Problems:
    """Collects the problems of one parsed TOML document."""

    def __init__(self, document: dict[str, object]) -> None:
        self._document = document
        self._found: list[tuple[list[int], Problem]] = []
        self._meant: set[str] = set()

    def add(
        self, key: Key, found: str, allowed: str, meant: str | None = None, lacks: Iterable[Key] = ()
    ) -> None:
        """Record that `found` stands at `key` where only `allowed` may; `meant` is what probably was.

        `lacks` are keys of which one is missing, if that is the problem.
        """
        text = f"found {found}, allowed: {allowed}"
        if meant is not None:
            text += f"; did you mean {meant}?"
        self._found.append((self._place(key), Problem(key_text(key), text, tuple(map(key_text, lacks)))))

    def add_unknown(self, key: Key, known: Iterable[str], misplaced: Iterable[str] = ()) -> None:
        """Record that there is no such key as `key`: only those `known` in its table, and those `misplaced`,
        which are meant by a key that stands here in place of another table.
        """
        *above, name = key
        known = tuple(known)
        meant = nearest(name, (*known, *misplaced))
        if meant is None:
            text = f"unknown key, allowed: {', '.join(known)}"
        else:
            text = f"unknown key; did you mean {meant}?"
            self._meant.add(".".join(filter(None, (key_text(tuple(above)), meant))))
        self._found.append((self._place(key), Problem(key_text(key), text)))

    def raise_any(self, path: Path) -> None:
        """Raise CzscieError with the problems of the manifest `path`, in its order, if there are any.

        What is missing because its key is misspelt is no problem of its own.
        """
        if self._found:
            own = [found for found in self._found if self._meant.isdisjoint(found[1].lacks)]
            in_order = sorted(own, key=lambda found: found[0])
            count = "1 problem" if len(in_order) == 1 else f"{len(in_order)} problems"
            raise CzscieError(
                f"{path}: {count}", code=Code.MANIFEST_INVALID, why=[str(problem) for _, problem in in_order]
            )

    def _place(self, key: Key) -> list[int]:
        """Where `key` stands in the document: parsed tables keep the file's order.

        A key that is missing comes first in its table; arrays of tables written apart count as one.
        """
        place: list[int] = []
        value: object = self._document
        for step in key:
            if isinstance(value, list) and isinstance(step, int):
                place.append(step)
                value = value[step]
            elif isinstance(value, dict) and step in value:
                place.append(list(value).index(step))
                value = value[step]
            else:
                place.append(-1)
                break
        return place


def key_text(key: Key) -> str:
    """`key` as TOML writes it: `lift.commands[0].env.default."=PATH"`."""
    text = ""
    for step in key:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += ("." if text else "") + (step if _BARE_KEY.fullmatch(step) else quoted(step))
    return text


def found_text(value: object) -> str:
    """The value in the manifest, in words; `None` is nothing."""
    match value:
        case None:
            return "nothing"
        case str():
            shown = _USER_IN_URL.sub("…@", value)
            return quoted(shown if len(shown) <= _LONGEST_QUOTE else f"{shown[:_LONGEST_QUOTE]}…")
        case bool():
            return f"the boolean {str(value).lower()}"
        case int():
            return f"the integer {value}"
        case float():
            return f"the float {value}"
        case list():
            return "an array" if value else "an empty array"
        case dict():
            return "a table"
        case datetime.date() | datetime.time():
            return f"the date or time {value}"
    return repr(value)


def quoted(text: str) -> str:
    """`text` as it stands in a manifest."""
    return toml_string(text)


def one_of(values: Sequence[str]) -> str:
    """`"a", "b" or "c"`."""
    *head, last = map(quoted, values)
    return f"{', '.join(head)} or {last}" if head else last


def nearest(value: object, options: Iterable[str]) -> str | None:
    """The option that a misspelt `value` was probably meant to be."""
    if not isinstance(value, str):
        return None
    spellings = {option.casefold(): option for option in options}
    found = difflib.get_close_matches(value.casefold(), spellings, n=1)
    return spellings[found[0]] if found else None
