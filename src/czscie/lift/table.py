"""Reads the tables of a manifest and records which keys were read, so that the rest is unknown."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from czscie.lift.problem import Key, Problems, found_text, key_text, nearest, one_of, quoted

_T = TypeVar("_T")
_P = ParamSpec("_P")


@dataclass(frozen=True, slots=True)
class Shape:
    """The required form of a string: in words for people, and as a test.

    `examples` are suggestions for misspelt values. For the schema, `pattern` is a regular expression that
    matches the whole of a string, and `values` are the only strings that are allowed, where there are such.
    """

    words: str
    accepts: Callable[[str], object]
    examples: tuple[str, ...] = ()
    pattern: str | None = None
    values: tuple[str, ...] = ()

    @classmethod
    def of(cls, words: str, pattern: str, *examples: str) -> Shape:
        """A shape that a regular expression matches the whole of."""
        return cls(words, re.compile(pattern).fullmatch, examples, pattern=pattern)

    @classmethod
    def among(cls, words: str, values: Iterable[str]) -> Shape:
        """The shape of strings of which there are few."""
        values = tuple(values)
        return cls(words, values.__contains__, values, values=values)


#: An argument or a variable of a process cannot hold a NUL.
TEXT = Shape.of("a string without NUL", r"[^\0]*")
SOMETHING = Shape.of("a non-empty string", r"[^\0]+")
URL = Shape.of("a URL that begins with https://, http:// or file://", r"(https?|file)://[^\0\s]+")
#: A name that becomes a file's on every platform keeps what Windows forbids out of all of them.
FILE_NAME = Shape.of(
    'a plain file name, without / \\ : * ? " < > | and with no dot or space at its end',
    r'(?!.*[. ]$)[^\0-\x1f/\\:*?"<>|]+',
)
#: science refuses braces and colons in what `#{id}` names; it names a directory too.
IDENTIFIER = Shape.of("a file name without { } and :", r"(?!\.{1,2}$)[^\0{}:/\\]+")


class Table:
    """One table of a manifest.

    Reading never raises: errors go to `problems`, and a stand-in is returned which has the right type but
    must not be used. The names of the methods are the types of the values they return; those which begin with
    `optional_` return None for a missing key.
    """

    def __init__(self, values: dict[str, object], where: Key, problems: Problems) -> None:
        self._values = values
        self._where = where
        self._problems = problems
        self._asked: list[str] = []

    @property
    def where(self) -> Key:
        """Where the table stands in the document."""
        return self._where

    @property
    def key(self) -> str:
        """The same in words, as in `lift.commands[0]`."""
        return key_text(self._where)

    @property
    def known(self) -> tuple[str, ...]:
        """The keys that were read so far, whether they exist or not."""
        return tuple(self._asked)

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def require(self, key: str, allowed: str) -> None:
        """Record a problem if `key` is missing. `allowed` are words of the message."""
        if self._value(key) is None:
            self.reject(key, allowed=allowed)

    def require_one(self, keys: Sequence[str], otherwise: str) -> None:
        """Record a problem unless there is exactly one of `keys`, or none of them and a valid `otherwise`."""
        given = [key for key in keys if key in self]
        if len(given) > 1 or (not given and otherwise not in self):
            found = " and ".join(given) or "none of " + ", ".join(keys)
            self.reject(
                found=found,
                allowed=f"exactly one of {', '.join(keys)}, or {otherwise}",
                lacks=() if given else (*keys, otherwise),
            )

    def text(self, key: str, shape: Shape = TEXT) -> str:
        self.require(key, shape.words)
        return self.optional_text(key, shape) or ""

    def optional_text(self, key: str, shape: Shape = TEXT) -> str | None:
        value = self._value(key)
        return None if value is None else self._checked(value, shape, key)

    def texts(self, key: str, shape: Shape = TEXT, *, may_be_empty: bool = True) -> tuple[str, ...]:
        words = "an array of strings" if may_be_empty else "an array of at least one string"
        elements = self._elements(key, words, may_be_empty)
        return tuple(self._checked(value, shape, *at) for at, value in elements)

    def one_or_more(self, key: str, shape: Shape = TEXT) -> tuple[str, ...]:
        """A string or an array of them, empty for a key that is missing."""
        if isinstance(self._value(key), list):
            return self.texts(key, shape, may_be_empty=False)
        text = self.optional_text(key, shape)
        return () if text is None else (text,)

    def text_table(self, key: str, names: Shape = SOMETHING) -> dict[str, str]:
        """A table of strings with arbitrary keys of a shape."""
        values = self._named(key, "a table of strings", names)
        return {name: self._checked(value, TEXT, key, name) for name, value in values}

    def text_or_null_table(self, key: str, names: Shape = SOMETHING) -> dict[str, str | None]:
        """The same where values may be null, as in JSON."""
        values = self._named(key, "an object of strings and nulls", names)
        return {
            name: None if value is None else self._checked(value, TEXT, key, name) for name, value in values
        }

    def named_tables(self, key: str, *, may_be_empty: bool = True) -> dict[str, Table]:
        """A table whose keys are free and whose values are tables."""
        if not may_be_empty and self._value(key) == {}:
            self.reject(key, found="nothing in it", allowed=f"at least one of the {key}")
        return {
            name: self._inner(value, key, name) for name, value in self._named(key, "a table of tables", TEXT)
        }

    def choice(self, key: str, options: Sequence[str]) -> str:
        self.require(key, one_of(options))
        return self.optional_choice(key, options) or ""

    def optional_choice(self, key: str, options: Sequence[str]) -> str | None:
        value = self._value(key)
        if value is None or value in options:
            return value if isinstance(value, str) else None
        self.reject(key, allowed=one_of(options), options=options)
        return nearest(value, options)

    def flag(self, key: str, default: bool = False) -> bool:
        value = self._value(key)
        if value is None or isinstance(value, bool):
            return default if value is None else value
        self.reject(key, allowed="true or false")
        return default

    def optional_flag(self, key: str) -> bool | None:
        return None if self._value(key) is None else self.flag(key)

    def optional_integer(self, key: str, low: int, high: int | None = None) -> int | None:
        value = self._value(key)
        if value is None:
            return None
        if type(value) is int and low <= value and (high is None or value <= high):
            return value
        self.reject(key, allowed=f"an integer from {low}" + ("" if high is None else f" to {high}"))
        return None

    def path(self, key: str, directory: Path) -> Path:
        """An absolute path; relative ones start at `directory`, which is absolute."""
        return directory / self.text(key, SOMETHING)

    def optional_path(self, key: str, directory: Path) -> Path | None:
        value = self.optional_text(key, SOMETHING)
        return None if value is None else directory / value

    def table(self, key: str) -> Table:
        return self._inner(self._value(key), key)

    def optional_table(self, key: str) -> Table | None:
        value = self._value(key)
        return None if value is None else self._inner(value, key)

    def tables(self, key: str) -> tuple[Table, ...]:
        """An array of tables: one result per element, so that indexes stay those of the file."""
        return tuple(self._inner(value, *at) for at, value in self._elements(key, "an array of tables"))

    def optional_text_or_table(self, key: str, shape: Shape) -> str | Table | None:
        value = self._value(key)
        return None if value is None else self._text_or_table(value, shape, key)

    def optional_flag_or_table(self, key: str) -> bool | Table | None:
        value = self._value(key)
        if value is None or isinstance(value, (bool, dict)):
            return self._inner(value, key) if isinstance(value, dict) else value
        self.reject(key, allowed="true, false or a table")
        return None

    def optional_text_or_texts(self, key: str, shape: Shape, each: Shape) -> str | tuple[str, ...] | None:
        """A string of `shape`, or an array of at least one of the shape `each`."""
        if isinstance(self._value(key), list):
            return self.texts(key, each, may_be_empty=False)
        return self.optional_text(key, shape)

    def texts_or_tables(self, key: str, shape: Shape) -> tuple[str | Table, ...]:
        """An array of at least one string or table: one result per element, as of `tables`."""
        elements = self._elements(key, f"a non-empty array, each item {shape.words}", may_be_empty=False)
        return tuple(self._text_or_table(value, shape, *at) for at, value in elements)

    def variant(
        self,
        key: str,
        shape: Shape,
        readers: Mapping[str, Callable[Concatenate[Table, _P], _T]],
        *arguments: _P.args,
        **options: _P.kwargs,
    ) -> _T | None:
        """What the reader of this table reads that the string at `key` selects; None if it selects none."""
        read = readers.get(self.text(key, shape))
        return None if read is None else read(self, *arguments, **options)

    def free_table(self, key: str) -> dict[str, object]:
        """A table with arbitrary content."""
        value = self._value(key)
        if value is None or isinstance(value, dict):
            return value or {}
        self.reject(key, allowed="a table")
        return {}

    def strings(self, *key: str | int) -> Iterator[tuple[Key, str]]:
        """Every string at `key` or, where that is an array or a table, inside it; each with its own key."""
        value = self._at(key)
        if isinstance(value, str):
            yield key, value
        elif isinstance(value, (list, dict)):
            for step in value if isinstance(value, dict) else range(len(value)):
                yield from self.strings(*key, step)

    def reject(
        self,
        *key: str | int,
        allowed: str,
        found: str | None = None,
        options: Iterable[str] = (),
        meant: str | None = None,
        lacks: Iterable[str] = (),
    ) -> None:
        """Record a problem at `key` of this table. `found`, `allowed` and `meant` are words of the message.
        `lacks` are keys of this table of which one is missing, if that is the problem.

        `found` defaults to the value, `meant` to the one of `options` that is nearest to that value.
        """
        value = self._at(key)
        near = nearest(value, options)
        if meant is None and near is not None:
            meant = quoted(near)
        place = (*self._where, *key)
        missing = [(*self._where, each) for each in lacks]
        if value is None and found is None:
            missing.append(place)
        self._problems.add(place, found or found_text(value), allowed, meant, missing)

    def finish(self) -> None:
        """Record every key that was not read."""
        for key in self.others():
            self.reject_key(key, self._asked)

    def reject_key(self, key: str, known: Iterable[str], misplaced: Iterable[str] = ()) -> None:
        """Record that `key` is none of those `known`. `misplaced` are more that it may mean."""
        self._problems.add_unknown((*self._where, key), known, misplaced)

    def others(self) -> list[str]:
        """The keys that were not read."""
        return [key for key in self._values if key not in self._asked]

    def is_table(self, key: str) -> bool:
        return isinstance(self._values.get(key), dict)

    def _at(self, key: Key) -> object:
        value: object = self._values
        for step in key:
            if isinstance(value, dict):
                value = value.get(step)
            elif isinstance(value, list) and isinstance(step, int):
                value = value[step]
            else:
                return None
        return value

    def _value(self, key: str) -> object:
        if key not in self._asked:
            self._asked.append(key)
        return self._values.get(key)

    def _elements(
        self, key: str, words: str, may_be_empty: bool = True
    ) -> Iterator[tuple[tuple[str, int], object]]:
        """Each element of an array with its place; `words` say what the array must be."""
        value = self._value(key)
        if isinstance(value, list) and (value or may_be_empty):
            for index, element in enumerate(value):
                yield (key, index), element
        elif value is not None:
            self.reject(key, allowed=words)

    def _named(self, key: str, words: str, names: Shape) -> Iterator[tuple[str, object]]:
        """Each value of a table whose keys are free but for their shape; `words` say what it must be."""
        values = self._value(key)
        if isinstance(values, dict):
            for name, value in values.items():
                if not names.accepts(name):
                    self.reject(key, name, found=f"the key {quoted(name)}", allowed=names.words)
                yield name, value
        elif values is not None:
            self.reject(key, allowed=words)

    def _text_or_table(self, value: object, shape: Shape, *key: str | int) -> str | Table:
        return self._inner(value, *key) if isinstance(value, dict) else self._checked(value, shape, *key)

    def _checked(self, value: object, shape: Shape, *key: str | int) -> str:
        if not isinstance(value, str) or not shape.accepts(value):
            self.reject(*key, allowed=shape.words, options=shape.examples)
        return value if isinstance(value, str) else ""

    def _inner(self, value: object, *key: str | int) -> Table:
        if isinstance(value, dict):
            return Table(value, (*self._where, *key), self._problems)
        self.reject(*key, allowed="a table")
        # A missing table has no problems: reads of it record nothing.
        return Table({}, (), Problems({}))
