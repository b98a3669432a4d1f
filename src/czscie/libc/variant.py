"""The variant of a part for hosts without a C library: another plan in the same zip, so another installation.

Programs start through the bundled loader, and references to the installation of an interpreter become
references to that of its variant. Nothing is packed twice.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from czscie.container.part import open_part, read_plan
from czscie.container.plan import Patch, Plan, PlannedEntry, PlannedFile, PlannedLink, Slice
from czscie.libc.library import LIBRARIES
from czscie.libc.own_loader import own_loader
from czscie.libc.scan import elf_files

#: Entries of the variant in a part's zip.
PLAN = ".czscie/plan-libc"
_FILLED = ".czscie/libc/"
#: Where the installations of C libraries are, and what the link to one is called in an interpreter's.
DIRECTORY = "libcs"
_LINK = "libc"


@dataclass(frozen=True, slots=True)
class Variant:
    """`entries` are names and contents to add to the zip, the plan among them."""

    plan: Plan
    entries: tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class InstalledLibc:
    """The installation of a C library: its digest, the path of its loader, and those of its libraries that
    programs load at their start.
    """

    digest: str
    loader: str
    early: Collection[str] = ()


def variant(
    path: Path,
    kind: str,
    programs: Collection[str],
    libc: InstalledLibc,
    renamed: Mapping[str, str],
) -> Variant | None:
    """The variant of the packed part at `path`; None when it would be the same.

    `programs` start with the loader of `libc`. `renamed` maps digests of interpreters to those of their
    variants.
    """
    plan = read_plan(path)
    patches: list[Patch] = []
    root = f"{{base}}/{DIRECTORY}/{libc.digest}"
    for file, data in elf_files(path) if programs else ():
        if file.path in programs:
            patches += own_loader(data, file.path, f"{root}/{libc.loader}", f"{root}/{LIBRARIES}", libc.early)
    files, added = _renamed_files(path, plan, renamed)
    links = [replace(link, target=_renamed(link.target, renamed)) for link in plan.links]
    if kind == "interpreter":
        links.append(PlannedLink(_LINK, f"../../{DIRECTORY}/{libc.digest}"))
    made = replace(
        plan,
        entries=(*plan.entries, *(_planned(name, content) for name, content in added)),
        files=tuple(files),
        links=tuple(links),
        patches=tuple(patches),
    )
    if made == plan:
        return None
    return Variant(made, (*added, (PLAN, made.render())))


def _renamed_files(
    path: Path, plan: Plan, renamed: Mapping[str, str]
) -> tuple[list[PlannedFile], list[tuple[str, bytes]]]:
    """The files, of which templates that name an interpreter have entries of their own."""
    files: list[PlannedFile] = []
    added: list[tuple[str, bytes]] = []
    templates = [file for file in plan.files if file.kind == "fill"] if renamed else []
    with open_part(path) as part:
        contents = {file: bytes(content) for file, content in part.files(templates)}
    for file in plan.files:
        if (content := contents.get(file)) is not None:
            text = _renamed(content.decode("utf-8", "surrogateescape"), renamed)
            changed = text.encode("utf-8", "surrogateescape")
            if changed != content:
                name = _FILLED + file.path
                added.append((name, changed))
                file = replace(file, content=Slice(name, 0, len(changed)))
        files.append(file)
    return files, added


def _renamed(text: str, renamed: Mapping[str, str]) -> str:
    for before, after in renamed.items():
        text = text.replace(f"interpreters/{before}", f"interpreters/{after}")
    return text


def _planned(name: str, content: bytes) -> PlannedEntry:
    return PlannedEntry(name, len(content), zlib.crc32(content), hashlib.sha256(content).hexdigest())
