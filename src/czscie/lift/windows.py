"""The appearance and the start of an executable on Windows: `lift.windows`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from czscie.lift.table import Shape, Table

EXECUTION_LEVELS = ("asInvoker", "highestAvailable", "requireAdministrator")
DPI_AWARENESSES = ("unaware", "system", "PerMonitor", "PerMonitorV2")

#: A version resource's parts say their lengths in 16 bits.
_LINE = Shape.of("a line of 1 to 1000 characters", r"[^\0-\x1f\x7f-\x9f]{1,1000}")
_NUMBER = r"0*(?:[0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
_VERSION = Shape.of(
    'one to four numbers of at most 65535, such as "1.2.3"', rf"{_NUMBER}(?:\.{_NUMBER}){{0,3}}"
)


@dataclass(frozen=True, slots=True)
class Windows:
    """`lift.windows`.

    `icon` is an .ico file; the next five are a version resource's. `execution_level` and `dpi_awareness` are
    named as in an application manifest; without the latter the manifest leaves it out. `scripts` is whether
    the payload's scripts become programs.
    """

    icon: Path | None = None
    company: str | None = None
    product: str | None = None
    version: str | None = None
    description: str | None = None
    copyright: str | None = None
    execution_level: str = EXECUTION_LEVELS[0]
    dpi_awareness: str | None = None
    scripts: bool = True

    @property
    def has_version(self) -> bool:
        """Whether the executable gets a version resource."""
        return any((self.company, self.product, self.version, self.description, self.copyright))

    @classmethod
    def read(cls, table: Table, directory: Path) -> Windows:
        """Paths are relative to `directory`, which is absolute."""
        windows = cls(
            icon=table.optional_path("icon", directory),
            company=table.optional_text("company", _LINE),
            product=table.optional_text("product", _LINE),
            version=table.optional_text("version", _VERSION),
            description=table.optional_text("description", _LINE),
            copyright=table.optional_text("copyright", _LINE),
            execution_level=table.optional_choice("execution_level", EXECUTION_LEVELS) or EXECUTION_LEVELS[0],
            dpi_awareness=table.optional_choice("dpi_awareness", DPI_AWARENESSES),
            scripts=table.flag("scripts", default=True),
        )
        table.finish()
        return windows
