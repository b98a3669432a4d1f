"""Which modules of the interpreter and the payload are packed: `lift.pack`."""

from __future__ import annotations

from dataclasses import dataclass

from czscie.lift.table import Shape, Table

PACKAGES = ("auto", "all", "none")

_PATTERN = Shape.of(
    'a package, or a pattern of paths below site-packages such as "numpy/**"',
    r"(?!/)(?!(.*/)?\.{0,2}(/|$))[^\0\\]+",
)


@dataclass(frozen=True, slots=True)
class Pack:
    """`lift.pack`. `stdlib` is whether the standard library is packed, `packages` which of the payload's.

    `files` names what stays files whatever the rest says: packages, and glob patterns of paths relative to
    site-packages. Without `source` the packed modules have no source, and tracebacks no lines.
    """

    stdlib: bool = True
    packages: str = "auto"
    files: tuple[str, ...] = ()
    source: bool = True

    @classmethod
    def read(cls, table: Table) -> Pack:
        pack = cls(
            stdlib=table.flag("stdlib", default=True),
            packages=table.optional_choice("packages", PACKAGES) or "auto",
            files=table.texts("files", _PATTERN),
            source=table.flag("source", default=True),
        )
        table.finish()
        return pack
