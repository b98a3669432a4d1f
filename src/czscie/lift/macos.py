"""Outputs for macOS beside the executable: `lift.macos`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from czscie.lift.table import FILE_NAME, Shape, Table

_IDENTIFIER = Shape.of(
    "a reverse domain name of letters, digits, hyphens and dots, such as com.example.cowsay",
    r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*",
)
_VERSION = Shape.of("one to three integers with dots between them, such as 6.1", r"[0-9]+(\.[0-9]+){0,2}")
_CATEGORY = Shape.of(
    "one of Apple's categories, such as public.app-category.utilities", r"public\.app-category\.[a-z-]+"
)
_USAGE = Shape.of("a key of Info.plist such as NSCameraUsageDescription", r"NS[A-Za-z]+UsageDescription")
#: XML has no such characters.
_PLAIN = re.compile(r"[^\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]+")
_NO_IDENTIFIER = re.compile(r"[^A-Za-z0-9-]+")


@dataclass(frozen=True, slots=True)
class Bundle:
    """`lift.macos.bundle`: an application bundle.

    `name` is the displayed name; `version` None leaves it out. `icon` is a file in Apple's format (.icns).
    `usage` are the texts that the system shows when the application requests a camera or the like, by keys of
    Info.plist.
    """

    name: str
    identifier: str
    icon: Path | None = None
    version: str | None = None
    category: str | None = None
    high_resolution: bool = True
    usage: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, name: str) -> Bundle:
        """The bundle of `bundle = true` for a lift called `name`."""
        return cls(name, _NO_IDENTIFIER.sub("-", name).strip("-") or "application")

    @classmethod
    def read(cls, table: Table, directory: Path, name: str) -> Bundle:
        """Paths are relative to `directory`, which is absolute; `name` is the lift's."""
        chosen = table.optional_text("name", FILE_NAME)
        plain = cls.of(chosen or name)
        usage = table.text_table("usage", _USAGE)
        for key, text in usage.items():
            if not _PLAIN.fullmatch(text):
                table.reject("usage", key, allowed="a non-empty text that XML can represent")
        bundle = cls(
            name=plain.name,
            identifier=table.optional_text("identifier", _IDENTIFIER) or plain.identifier,
            icon=table.optional_path("icon", directory),
            version=table.optional_text("version", _VERSION),
            category=table.optional_text("category", _CATEGORY),
            high_resolution=table.flag("high_resolution", default=True),
            usage=usage,
        )
        table.finish()
        return bundle


@dataclass(frozen=True, slots=True)
class MacOS:
    """`lift.macos`. `bundle` is None if the manifest requests none."""

    bundle: Bundle | None = None

    @classmethod
    def read(cls, table: Table, directory: Path, name: str) -> MacOS:
        """Paths are relative to `directory`, which is absolute; `name` is the lift's."""
        bundle = table.optional_flag_or_table("bundle")
        macos = cls(
            Bundle.read(bundle, directory, name)
            if isinstance(bundle, Table)
            else Bundle.of(name)
            if bundle
            else None
        )
        table.finish()
        return macos
