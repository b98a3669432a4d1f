"""science's own tools, which a manifest can pin. They are read so that such a manifest is valid."""

from __future__ import annotations

from dataclasses import dataclass

from czscie.lift.embedded_file import Digest
from czscie.lift.table import IDENTIFIER, URL, Shape, Table

_VERSION = Shape.of('a string such as "1.12.0"', r"[0-9]+(\.[0-9]+)*[0-9A-Za-z.+-]*")


@dataclass(frozen=True, slots=True)
class ScieJump:
    """science's launcher. czscie has its own and ignores this."""

    version: str | None
    digest: Digest | None
    base_url: str | None

    @classmethod
    def read(cls, table: Table) -> ScieJump:
        version = table.optional_text("version", _VERSION)
        digest = table.optional_table("digest")
        base_url = table.optional_text("base_url", URL)
        table.finish()
        return cls(version, None if digest is None else Digest.read(digest), base_url)


@dataclass(frozen=True, slots=True)
class Ptex:
    """The program that downloads lazy files at run time."""

    id: str
    argv1: str
    version: str | None
    digest: Digest | None
    base_url: str | None

    @classmethod
    def read(cls, table: Table) -> Ptex:
        identifier = table.optional_text("id", IDENTIFIER) or "ptex"
        argv1 = table.optional_text("argv1") or "{scie.lift}"
        version = table.optional_text("version", _VERSION)
        digest = table.optional_table("digest")
        base_url = table.optional_text("base_url", URL)
        table.finish()
        return cls(identifier, argv1, version, None if digest is None else Digest.read(digest), base_url)
