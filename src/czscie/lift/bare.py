"""Certificates and time zones for hosts that have none: `lift.bare`."""

from __future__ import annotations

from dataclasses import dataclass

from czscie.lift.table import Table
from czscie.platforms import Platform


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

    def projects(self, platform: Platform) -> tuple[str, ...]:
        """The projects whose wheels payloads for `platform` get, by their names (PEP 503), sorted."""
        # On Windows Python asks the system for certificates.
        certificates = ("certifi",) if self.certificates and platform.os != "windows" else ()
        return (*certificates, *(("tzdata",) if self.tzdata else ()))
