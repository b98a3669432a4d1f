"""Distributions that read the modules of others, and the files that they need in a payload.

`readers.toml` lists them, and the file accesses (czscie.pack.scan) that do not matter.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from importlib import resources
from types import MappingProxyType

import msgspec

from czscie.documents import learned
from czscie.lift.pack import STDLIB, PackSettings

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

#: The modules that the patterns of readers match.
_MODULES = MappingProxyType({"*": "the payload's modules", f"{STDLIB}*": "the standard library's modules"})


class ReaderRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where one of these `distributions` is, `files` are files (patterns as in `lift.pack.files`).

    `keep` are parts of CPython (czscie.pbs.prune) that stay. `test` is the parameter of the test that proves
    it, or begins with "not run: ".
    """

    distributions: tuple[str, ...]
    why: str
    test: str
    files: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()


class Harmless(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """These `lines` of the distribution's modules look at files and work with packed ones all the same.

    A line is `path: text`, the text stripped of white space. In `namespaces`, directories of site-packages,
    modules are only imported, whether the directories have an `__init__.py` or not.
    """

    distribution: str
    why: str
    test: str
    lines: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()

    def lines_of(self, path: str) -> tuple[str, ...]:
        """The texts of the lines of the module at `path`."""
        prefix = f"{path}: "
        return tuple(line.removeprefix(prefix) for line in self.lines if line.startswith(prefix))


class ReaderTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rows of `readers.toml`."""

    readers: tuple[ReaderRow, ...]
    harmless: tuple[Harmless, ...]


@dataclass(frozen=True, slots=True)
class Read:
    """How a payload with readers is packed: with which `settings`, and which parts of CPython it keeps.

    `notes` are lines for the user.
    """

    settings: PackSettings
    keep: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()


@functools.cache
def table() -> ReaderTable:
    """The rows of `readers.toml`."""
    text = resources.files("czscie.pack").joinpath("readers.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), learned(ReaderTable))


def read_by(projects: Collection[str], settings: PackSettings) -> Read:
    """The effect of readers among `projects`, normalised names, on `settings`, which can overrule them."""
    if not settings.readers:
        return Read(settings)
    found = [
        (distribution, reader)
        for reader in table().readers
        for distribution in reader.distributions
        if distribution in projects
    ]
    files = {pattern for _, reader in found for pattern in reader.files if _applies(pattern, settings)}
    keep = {part for _, reader in found for part in reader.keep}
    notes = [
        *(f"files: {_MODULES[each]}, as {_names(found, each)} may read them" for each in sorted(files)),
        *(f"kept: {each}, as {_names(found, each)} may need it" for each in sorted(keep)),
    ]
    settings = replace(settings, files=(*settings.files, *sorted(files)))
    return Read(settings, frozenset(keep), tuple(notes))


def _applies(pattern: str, settings: PackSettings) -> bool:
    """Whether what `pattern` names would be packed, and not because the manifest says so."""
    return settings.stdlib and (pattern.startswith(STDLIB) or settings.packages == "auto")


def _names(found: Iterable[tuple[str, ReaderRow]], wanted: str) -> str:
    """The distributions whose row has `wanted`: `a`, `a and b`, `a, b and c`."""
    *most, last = sorted(who for who, reader in found if wanted in (*reader.files, *reader.keep))
    return f"{', '.join(most)} and {last}" if most else last


def harmless_in(project: str) -> Harmless | None:
    """The harmless lines of the project, a normalised name."""
    return _harmless().get(project)


@functools.cache
def _harmless() -> dict[str, Harmless]:
    return {row.distribution: row for row in table().harmless}
