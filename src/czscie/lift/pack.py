"""The modules of the interpreter and the payload to pack: `lift.pack`."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass

from czscie.lift.table import Shape, Table

PACKAGES = ("auto", "all", "none")

#: Begins the patterns of what stays a file that are of the standard library.
STDLIB = "stdlib/"

_PATTERN = Shape.of(
    'a package, or a pattern of paths below site-packages such as "numpy/**"',
    r"(?!/)(?!(.*/)?\.{0,2}(/|$))[^\0\\]+",
)


@dataclass(frozen=True, slots=True)
class PackSettings:
    """`lift.pack`. `stdlib` is whether the standard library is packed, `packages` which of the payload's.

    `files` names what stays files whatever the rest says: packages, and glob patterns of paths relative to
    site-packages; those that begin with `stdlib/` are of the standard library. With `readers`, distributions
    that read modules have their say, too (czscie.pack.readers). Without `source` the packed modules have no
    source, and tracebacks no lines.
    """

    stdlib: bool = True
    packages: str = "auto"
    files: tuple[str, ...] = ()
    readers: bool = True
    source: bool = True

    def keeps(self, path: str) -> bool:
        """Whether `files` names the module at `path` below site-packages."""
        top = path.partition("/")[0].removesuffix(".py")
        return any(top == name or fnmatch.fnmatchcase(path, name) for name in self.files)

    def keeps_of_library(self, path: str) -> bool:
        """Whether `files` names the module at `path` of the standard library."""
        patterns = (name for name in self.files if name.startswith(STDLIB))
        return any(fnmatch.fnmatchcase(STDLIB + path, pattern) for pattern in patterns)

    @classmethod
    def read(cls, table: Table) -> PackSettings:
        pack = cls(
            stdlib=table.flag("stdlib", default=True),
            packages=table.optional_choice("packages", PACKAGES) or "auto",
            files=table.texts("files", _PATTERN),
            readers=table.flag("readers", default=True),
            source=table.flag("source", default=True),
        )
        table.finish()
        return pack
