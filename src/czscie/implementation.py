"""A Python implementation: it determines wheel tags, markers and installation paths.

Everything that is specific to CPython is in this module.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from packaging.tags import Tag

CPYTHON = "cpython"


@dataclass(frozen=True, slots=True)
class Implementation:
    """`name` is that of `sys.implementation`, `version` the whole one (`3.13.9`).

    `free_threaded` is whether it is built without a global interpreter lock.
    """

    name: str
    version: str
    free_threaded: bool = False

    @classmethod
    def parse(cls, version: str, name: str = CPYTHON) -> Implementation:
        """The inverse of `str`: a full version, with a t at its end for a free-threaded build."""
        return cls(name, version.removesuffix("t"), version.endswith("t"))

    def __str__(self) -> str:
        return self.version + self._threads

    @property
    def title(self) -> str:
        """Its own name (`platform.python_implementation()`)."""
        return "CPython"

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
        """PEP 425's tag of the interpreter: `cp313`."""
        return "cp" + self.minor_version.replace(".", "")

    @property
    def abi_tag(self) -> str:
        """PEP 425's tag of its ABI: `cp313`, free-threaded `cp313t`."""
        return self.python_tag + self._threads

    @property
    def unix_name(self) -> str:
        """The name of its executable and of its library's directory on Unix: `python3.13t`."""
        return f"python{self.minor_version}{self._threads}"

    @property
    def markers(self) -> dict[str, str]:
        """The variables of PEP 508's environment that do not depend on the host."""
        return {
            "implementation_name": self.name,
            "implementation_version": self.version,
            "platform_python_implementation": self.title,
            "python_full_version": self.version,
            "python_version": self.minor_version,
        }

    def tags(self, platforms: Sequence[str]) -> Iterator[Tag]:
        """The tags of wheels that it can use on `platforms`, best first (PEP 425)."""
        from packaging.tags import compatible_tags, cpython_tags

        yield from cpython_tags(self.python_version, [self.abi_tag], platforms)
        yield from compatible_tags(self.python_version, self.python_tag, platforms)

    @property
    def _threads(self) -> str:
        return "t" if self.free_threaded else ""
