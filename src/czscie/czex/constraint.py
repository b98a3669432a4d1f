"""Interpreter constraints of PEX-INFO: `CPython>=3.9,<3.14`, `CPython[free-threaded]==3.14.*`, `>=3.11`.

https://docs.pex-tool.org (--interpreter-constraint).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from czscie.errors import Code, CzscieError

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

#: What a constraint may begin with, longest first: the implementation and whether it is free-threaded.
_BEGINNINGS: tuple[tuple[str, str, bool | None], ...] = (
    ("CPython[free-threaded]", "CPython", True),
    ("CPython[gil]", "CPython", False),
    ("CPython+t", "CPython", True),
    ("CPython-t", "CPython", False),
    ("CPython", "CPython", None),
    ("PyPy", "PyPy", None),
)


@dataclass(frozen=True, slots=True)
class Constraint:
    """`implementation` and `free_threaded` are None when any matches; `rest` is the version specifier."""

    text: str
    implementation: str | None
    free_threaded: bool | None
    rest: str

    @classmethod
    def split(cls, text: str) -> Constraint:
        for beginning, implementation, free_threaded in _BEGINNINGS:
            if text.startswith(beginning):
                return cls(text, implementation, free_threaded, text[len(beginning) :])
        return cls(text, None, None, text)

    @property
    def versions(self) -> SpecifierSet:
        """The versions of Python. Raises CzscieError when the text is not a constraint."""
        from packaging.specifiers import InvalidSpecifier, SpecifierSet

        try:
            return SpecifierSet(self.rest)
        except InvalidSpecifier as error:
            raise CzscieError(
                f"the PEX has an invalid interpreter constraint: {self.text}",
                code=Code.PEX_INVALID,
                why=str(error),
            ) from error
