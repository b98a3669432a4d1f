"""What an application gets of czscie where neither the host nor the payload has it: `lift.bare`."""

from __future__ import annotations

from dataclasses import dataclass

from czscie.lift.table import Table


@dataclass(frozen=True, slots=True)
class Bare:
    """`lift.bare`. `certificates` is whether those of certifi are added, `tzdata` whether time zones are."""

    certificates: bool = False
    tzdata: bool = False

    @classmethod
    def read(cls, table: Table) -> Bare:
        bare = cls(certificates=table.flag("certificates"), tzdata=table.flag("tzdata"))
        table.finish()
        return bare
