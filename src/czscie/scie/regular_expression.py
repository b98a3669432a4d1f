"""The regular expressions that the launcher supports: native/src/regular_expression.zig has the same grammar.

It is a part of the syntax of Rust's regex crate, in ASCII.
"""

from __future__ import annotations

import re
import string
from dataclasses import dataclass

_DEPTH_MAX = 50
_REPETITION_MAX = 1000
#: Nodes, with repetitions written out.
_SIZE_MAX = 4096
_BOUNDS = re.compile(r"\{([0-9]{1,4})(,([0-9]{1,4})?)?\}")
_GROUP_NAME = re.compile(r"\?P?<[A-Za-z_][A-Za-z0-9_]*>")
_FLAGS = re.compile(r"\?(?P<flags>[is]*(-[is]+)?)(?P<end>[:)])")
_POSIX = re.compile(
    r"\[:\^?(alnum|alpha|ascii|blank|cntrl|digit|graph|lower|print|punct|space|upper|word|xdigit):\]"
)
_SETS = "dwsDWS"
_ASSERTIONS = "AzbB"
_CONTROLS = {"n": 10, "t": 9, "r": 13, "f": 12, "v": 11, "a": 7}
_ESCAPABLE = set(string.punctuation) - set("<>")


class ExpressionError(ValueError):
    """`position` is that of the character, from 0, that the expression cannot have there."""

    def __init__(self, position: int, reason: str) -> None:
        super().__init__(reason)
        self.position = position


def check_expression(pattern: str) -> None:
    """Raises ExpressionError for a pattern that the launcher does not support."""
    parser = _Parser(pattern)
    parser.alternatives(0)
    if parser.position < len(pattern):
        raise parser.error("a ) closes nothing")


@dataclass(slots=True)
class _Parser:
    """Each method reads its part of the pattern and returns its size in nodes."""

    pattern: str
    position: int = 0

    def error(self, reason: str) -> ExpressionError:
        return ExpressionError(self.position, reason)

    def peek(self, ahead: int = 0) -> str:
        return self.pattern[self.position + ahead : self.position + ahead + 1]

    def next(self) -> str:
        character = self.peek()
        if not character:
            raise self.error("it ends too early")
        if not character.isascii():
            raise self.error("only ASCII is supported")
        self.position += 1
        return character

    def match(self, expression: re.Pattern[str]) -> re.Match[str] | None:
        found = expression.match(self.pattern, self.position)
        if found:
            self.position = found.end()
        return found

    def sized(self, size: int) -> int:
        if size > _SIZE_MAX:
            raise self.error("it is too large")
        return size

    def alternatives(self, depth: int) -> int:
        if depth == _DEPTH_MAX:
            raise self.error("its groups are too deep")
        size = self.sized(1 + self.sequence(depth))
        while self.peek() == "|":
            self.position += 1
            size = self.sized(size + self.sequence(depth))
        return size

    def sequence(self, depth: int) -> int:
        size = 1
        while self.peek() and self.peek() not in "|)":
            size = self.sized(size + self.repeated(depth))
        return size

    def repeated(self, depth: int) -> int:
        start = self.position
        size = self.atom(depth)
        if self.peek() not in tuple("*+?{"):
            return size or 0
        if size is None or self.pattern[start : start + 1] in ("^", "$") or self._is_assertion(start):
            raise self.error("there is nothing to repeat")
        times = self._times()
        if self.peek() == "?":
            self.position += 1
        if self.peek() in tuple("*+?{"):
            raise self.error("a repetition is repeated")
        return self.sized(size * max(times, 1) + 1)

    def _is_assertion(self, start: int) -> bool:
        escaped = self.pattern[start : start + 1] == "\\"
        return escaped and self.pattern[start + 1 : start + 2] in tuple(_ASSERTIONS)

    def _times(self) -> int:
        if self.peek() != "{":
            self.position += 1
            return 1
        found = _BOUNDS.match(self.pattern, self.position)
        if found is None:
            raise self.error("a { stands for itself only as \\{")
        least, most = int(found[1]), int(found[3] or found[1])
        if most < least or max(least, most) > _REPETITION_MAX:
            raise self.error(f"its repetition is not from 0 to {_REPETITION_MAX}")
        self.position = found.end()
        return most

    def atom(self, depth: int) -> int | None:
        """None for flags, which match nothing."""
        start = self.position
        character = self.next()
        if character == "(":
            return self.group(depth)
        if character == "[":
            self.set()
        elif character == "\\":
            if self.peek() in tuple(_ASSERTIONS) or self.peek() in tuple(_SETS):
                self.position += 1
            else:
                self.escaped()
        elif character in "*+?{":
            self.position = start
            raise self.error("there is nothing to repeat")
        return 1

    def group(self, depth: int) -> int | None:
        if not self.match(_GROUP_NAME) and self.peek() == "?":
            flags = self.match(_FLAGS)
            if flags is None or (flags["end"] == ")" and not flags["flags"]):
                raise self.error("this kind of group is not supported")
            if flags["end"] == ")":
                return None
        size = self.alternatives(depth + 1)
        if self.peek() != ")":
            raise self.error("a group does not end")
        self.position += 1
        return size

    def escaped(self) -> int:
        """What the escape of a character stands for, after the backslash."""
        start = self.position
        character = self.next()
        if character in _CONTROLS:
            return _CONTROLS[character]
        if character == "x":
            digits = self.pattern[self.position : self.position + 2]
            if len(digits) == 2 and set(digits) <= set(string.hexdigits) and int(digits, 16) < 0x80:
                self.position += 2
                return int(digits, 16)
        elif character in _ESCAPABLE:
            return ord(character)
        self.position = start
        raise self.error(f"\\{character} is not supported")

    def set(self) -> None:
        if self.peek() == "^":
            self.position += 1
        first = True
        while first or self.peek() != "]":
            first = False
            low = None if self._is_named_set() else self._set_character()
            if self.peek() == "-" and self.peek(1) not in ("]", ""):
                if low is None:
                    raise self.error("a range has no first character")
                self.position += 1
                if self.peek() == "\\" and self.peek(1) in tuple(_SETS):
                    raise self.error("a range has no last character")
                if self._set_character() < low:
                    raise self.error("a range ends before it begins")
        self.position += 1

    def _is_named_set(self) -> bool:
        if self.match(_POSIX):
            return True
        if self.peek() != "\\" or self.peek(1) not in tuple(_SETS):
            return False
        self.position += 2
        return True

    def _set_character(self) -> int:
        character = self.peek()
        if character == "[" or (character in tuple("&-~") and self.peek(1) == character):
            raise self.error("sets of sets are not supported")
        if self.next() == "\\":
            return self.escaped()
        return ord(character)
