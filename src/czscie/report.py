"""Reports about an executable: a table of its sizes, what it needs from its host, and both as JSON."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec

from czscie.console import megabytes
from czscie.container.manifest import PAYLOAD, LiftManifest
from czscie.scie.inspect import Contents

if TYPE_CHECKING:
    from rich.console import Console as RichConsole

_WHEEL = re.compile(r"\.deps/(?P<project>[^/-]+)-(?P<version>[^/-]+)-[^/]+\.whl(/|$)")
#: How many wheels a report names.
_LISTED = 5


def print_contents(contents: Contents, console: RichConsole) -> None:
    """A table of the parts, packed and unpacked, and lines about the host and the largest wheels."""
    from rich.table import Table

    console.print(str(contents.path), soft_wrap=True, style="bold")
    table = Table(box=None, pad_edge=False)
    for column in ("", ""):
        table.add_column(column, overflow="fold")
    for column in ("packed", "unpacked", "files"):
        table.add_column(column, justify="right", no_wrap=True)
    manifest = contents.manifest.scie
    table.add_row("launcher", manifest.jump.version, megabytes(manifest.jump.size))
    for part in contents.parts:
        name = f"{part.part.kind} {part.part.name}"
        sizes = megabytes(part.part.size), megabytes(part.unpacked)
        table.add_row(name, part.part.description, *sizes, str(len(part.plan.files)))
    unpacked = sum(part.unpacked for part in contents.parts)
    files = sum(len(part.plan.files) for part in contents.parts)
    table.add_row("total", "", megabytes(contents.size), megabytes(unpacked), str(files))
    console.print(table)
    console.print(f"needs {needs(contents)}", soft_wrap=True)
    if found := wheels(contents):
        listed = [f"{name} ({megabytes(size)})" for name, size in found[:_LISTED]]
        more = f" and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
        console.print(f"wheels {', '.join(listed)}{more}", soft_wrap=True)


def print_digests(contents: Contents, console: RichConsole) -> None:
    """The SHA-256 of the file and of its launcher, and the names that its parts are installed by."""
    manifest = contents.manifest.scie
    console.print(f"sha256 {contents.sha256}", soft_wrap=True)
    console.print(f"launcher {manifest.jump.hash}", soft_wrap=True)
    for part in contents.parts:
        console.print(f"{part.part.kind} {part.part.name} {part.part.digest}", soft_wrap=True)


def wheels(contents: Contents) -> list[tuple[str, int]]:
    """The wheels of the payload, each as its project and version, by their unpacked bytes: largest first."""
    sizes: Counter[str] = Counter()
    for part in contents.parts:
        for entry in part.plan.entries if part.part.name == PAYLOAD else ():
            if match := _WHEEL.match(entry.name):
                sizes[f"{match['project']} {match['version']}"] += entry.size
    return sorted(sizes.items(), key=lambda item: (-item[1], item[0]))


def needs(contents: Contents) -> str:
    """The requirements of the executable to its host, in words."""
    return ", ".join(wanted for _, wanted in requirements(contents))


def requirements(contents: Contents) -> list[tuple[str, str]]:
    """The same, each with what it is about."""
    lift = contents.manifest.scie.lift
    wanted = [("Platform", lift.platform.removeprefix("musl-"))]
    if lift.needs.glibc is not None:
        wanted.append(("C library", _library(lift, f"glibc >= {lift.needs.glibc}")))
    if lift.needs.musl:
        wanted.append(("C library", _library(lift, "musl")))
    room = sum(part.part.unpacked for part in contents.parts)
    wanted.append(("Disk", f"{megabytes(room)} in a directory that allows execution"))
    return wanted


def _library(lift: LiftManifest, needed: str) -> str:
    """The C library that the host must have, if the file does not bundle one."""
    if lift.libc is None:
        return needed
    return "no C library" if lift.libc.always else f"{needed} or no C library"


def as_json(contents: Contents) -> dict[str, Any]:
    """The same for programs; the manifest as it stands in the file, sizes in bytes."""
    return {
        "path": str(contents.path),
        "size": contents.size,
        "sha256": contents.sha256,
        "manifest": msgspec.to_builtins(contents.manifest),
        "parts": [
            {
                "name": part.part.name,
                "kind": part.part.kind,
                "digest": part.part.digest,
                "description": part.part.description,
                "packed": part.part.size,
                "unpacked": part.unpacked,
                "files": len(part.plan.files),
                "entries": [msgspec.to_builtins(entry) for entry in part.plan.entries],
            }
            for part in contents.parts
        ],
    }
