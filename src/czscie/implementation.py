"""A Python implementation: it determines wheel tags, markers and installation paths.

What differs between CPython and PyPy is in this module.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from packaging.tags import Tag

CPYTHON = "cpython"
PYPY = "pypy"
_TITLES = {CPYTHON: "CPython", PYPY: "PyPy"}


@dataclass(frozen=True, slots=True)
class Implementation:
    """`name` is that of `sys.implementation`, `version` Python's whole one (`3.13.9`).

    `free_threaded` is whether it is built without a global interpreter lock. `own_version` is that of the
    implementation (PyPy's `7.3.11`), "" where it is Python's.
    """

    name: str
    version: str
    free_threaded: bool = False
    own_version: str = ""

    @classmethod
    def parse(cls, text: str) -> Implementation:
        """The inverse of `str`: a full version, with a t at its end for a free-threaded build, or with
        `-pypy` and PyPy's own version.
        """
        version, of_pypy, own_version = text.partition(f"-{PYPY}")
        if of_pypy:
            return cls(PYPY, version, own_version=own_version)
        return cls(CPYTHON, version.removesuffix("t"), version.endswith("t"))

    def __str__(self) -> str:
        own = f"-{self.name}{self.own_version}" if self.own_version else ""
        return self.full_version + own

    @property
    def full_version(self) -> str:
        """`3.13.9`, free-threaded `3.13.9t`."""
        return self.version + self._threads

    @property
    def title(self) -> str:
        """Its own name (`platform.python_implementation()`)."""
        return _TITLES[self.name]

    @property
    def full_name(self) -> str:
        """`CPython 3.13.9`."""
        return f"{self.title} {self.version}"

    @property
    def minor_version(self) -> str:
        """`3.13`."""
        return ".".join(self.version.split(".")[:2])

    @property
    def python_version(self) -> tuple[int, int]:
        major, minor = self.minor_version.split(".")
        return int(major), int(minor)

    @property
    def python_tag(self) -> str:
        """PEP 425's tag of the interpreter: `cp313`, `pp39`."""
        return ("pp" if self.name == PYPY else "cp") + self._digits

    @property
    def abi_tag(self) -> str:
        """PEP 425's tag of its ABI: `cp313`, free-threaded `cp313t`, `pypy39_pp73`."""
        if self.name == PYPY:
            return f"pypy{self._digits}_pp{''.join(self.own_version.split('.')[:2])}"
        return self.python_tag + self._threads

    @property
    def commands(self) -> tuple[str, ...]:
        """The names of its executable in an environment on Unix, beside `python`."""
        own = ("pypy", "pypy3", f"pypy{self.minor_version}") if self.name == PYPY else ()
        return ("python3", f"python{self.minor_version}", *own)

    @property
    def unix_name(self) -> str:
        """The name of its executable and of its library's directory on Unix: `python3.13t`."""
        return f"python{self.minor_version}{self._threads}"

    @property
    def markers(self) -> dict[str, str]:
        """The variables of PEP 508's environment that do not depend on the host."""
        return {
            "implementation_name": self.name,
            "implementation_version": self.own_version or self.version,
            "platform_python_implementation": self.title,
            "python_full_version": self.version,
            "python_version": self.minor_version,
        }

    def tags(self, platforms: Sequence[str]) -> Iterator[Tag]:
        """The tags of wheels that it can use on `platforms`, best first (PEP 425)."""
        from packaging.tags import compatible_tags, cpython_tags, generic_tags

        if self.name == PYPY:
            yield from generic_tags(self.python_tag, [self.abi_tag], platforms)
            yield from compatible_tags(self.python_version, f"pp{self.python_version[0]}", platforms)
        else:
            yield from cpython_tags(self.python_version, [self.abi_tag], platforms)
            yield from compatible_tags(self.python_version, self.python_tag, platforms)

    @property
    def _digits(self) -> str:
        return self.minor_version.replace(".", "")

    @property
    def _threads(self) -> str:
        return "t" if self.free_threaded else ""
