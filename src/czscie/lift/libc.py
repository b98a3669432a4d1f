"""The bundled C library: `lift.libc`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from czscie.lift.table import URL, Shape, Table

NEVER, WHEN_MISSING, ALWAYS = "never", "when-missing", "always"
_LIBRARY = Shape.of('the name of a shared library, such as "libstdc++.so.6"', r"[A-Za-z0-9_+.-]+")


@dataclass(frozen=True, slots=True)
class Libc:
    """`lift.libc`.

    `bundle` is when the bundled C library is used. `libraries` are some to bundle though nothing is linked
    with them. `packages` is a table of Debian packages in place of czscie's own (docs/explained/bare.md), and
    `base_url` are mirrors of Debian to take them from.
    """

    bundle: str = NEVER
    libraries: tuple[str, ...] = ()
    packages: Path | None = None
    base_url: tuple[str, ...] = ()

    @classmethod
    def read(cls, table: Table, directory: Path) -> Libc:
        libc = cls(
            bundle=table.optional_choice("bundle", (WHEN_MISSING, ALWAYS, NEVER)) or NEVER,
            libraries=table.texts("libraries", _LIBRARY),
            packages=table.optional_path("packages", directory),
            base_url=table.one_or_more("base_url", URL),
        )
        table.finish()
        return libc
