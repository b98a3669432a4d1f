"""Verification by a rebuild: a manifest and its lock give the same file, except for its signature."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from czscie import signature
from czscie.build import open_parts, write_executable
from czscie.build_cache import mending
from czscie.container.manifest import Launcher
from czscie.filesystem import pieces, sha256_of
from czscie.leftovers import scratch
from czscie.loader import load_lift
from czscie.lock.use import LockUse
from czscie.platforms import find_platform
from czscie.scie.inspect import Contents, read_sbom, read_scie
from czscie.session import Session


def rebuild(path: Path, manifest: Path, session: Session) -> tuple[str, ...]:
    """Rebuilds the executable at `path`, and returns a line for each difference.

    Raises CzscieError when the build fails, or the lock beside `manifest` is out of date.
    """
    there = read_scie(path)
    platform = find_platform(there.manifest.scie.lift.platform)
    lift, _ = load_lift(manifest, [platform], session.files, session.inverted)
    with scratch() as directory, open_parts(lift, [platform], session, use=LockUse.LOCKED) as make:

        def rebuilt() -> Contents:
            return write_executable(make(platform, session.console), directory / lift.name)

        made = mending(rebuilt, session.console.warn)
        if _digest(there) == _digest(made):
            return ()
        return tuple(_differences(there, made)) or ("the files differ in bytes that no digest covers",)


def _digest(contents: Contents) -> str:
    """SHA-256 of the file without the bytes that signing changes."""
    with contents.path.open("rb") as file:
        head = signature.bare_head_of(file, contents.manifest.scie.jump.size)
        rest = signature.payload_end(file, contents.size) - len(head)
        file.seek(len(head))
        return sha256_of(chain([head], pieces(file, rest)))


def _differences(there: Contents, made: Contents) -> Iterator[str]:
    one, other = there.manifest.scie, made.manifest.scie
    same_bill = read_sbom(there.path) == read_sbom(made.path)
    if one.jump != other.jump:
        yield f"the launcher: {_launcher(one.jump)}, rebuilt {_launcher(other.jump)}"
    parts, again = ({each.name: each for each in manifest.lift.files} for manifest in (one, other))
    for name in dict.fromkeys((*parts, *again)):
        if name not in parts or name not in again:
            yield f"the part {name}: it is only in the {'file' if name in parts else 'rebuilt one'}"
        elif parts[name].digest != again[name].digest:
            yield f"the part {name}: {parts[name].digest}, rebuilt {again[name].digest}"
        # The last part's size is that of the bill of materials, too.
        elif parts[name].size != again[name].size and (same_bill or parts[name] != one.lift.files[-1]):
            yield f"the part {name}: the same files, packed differently"
    for field in one.lift.__struct_fields__:
        if field != "files" and getattr(one.lift, field) != getattr(other.lift, field):
            yield f"the manifest's {field}"
    if not same_bill:
        yield "the bill of materials"


def _launcher(jump: Launcher) -> str:
    return f"{jump.version}, SHA-256 {jump.hash}"
