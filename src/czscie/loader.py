"""Loads a lift for the platforms of a build, and rejects what this version or a platform does not support."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from czscie.errors import Code, CzscieError
from czscie.libc.bundle import check_libc
from czscie.lift.lift import Lift
from czscie.lift.manifest import read_manifest
from czscie.lift.named_files import check_named_files
from czscie.platforms import Platform
from czscie.scie.bundle import check_bundle
from czscie.scie.commands import check_commands
from czscie.windows.shape import check_windows


def load_lift(
    manifest: Path,
    platforms: Sequence[Platform],
    files: Mapping[str, Path] | None = None,
    inverted: Sequence[str] = (),
) -> tuple[Lift, list[Platform]]:
    """The lift, and those of its platforms to build for: `platforms`, or all when that is empty.

    `files` are paths to take for files of the manifest, by their ids; `inverted` are ids of what is to be
    embedded if it is lazy, and the other way round. Raises CzscieError for a manifest that has none of them,
    that needs a feature that this version lacks, that is not for a platform, or that names files that do not
    exist.
    """
    lift = read_manifest(manifest).with_files(files or {}).with_inverted(inverted)
    return check_lift(lift, platforms)


def check_lift(lift: Lift, platforms: Sequence[Platform] = ()) -> tuple[Lift, list[Platform]]:
    """The same for a lift that is read already."""
    if lift.is_for_any_platform and platforms:
        lift = replace(lift, platforms=tuple(platforms))
    if problems := lift.unsupported():
        raise CzscieError(
            f"{lift.path} needs a feature that this version lacks",
            code=Code.UNSUPPORTED,
            why=map(str, problems),
        )
    check_commands(lift)
    check_platforms(lift, platforms)
    targets = [platform for platform in lift.platforms if not platforms or platform in platforms]
    check_named_files(lift, targets)
    check_libc(lift.libc, targets)
    if any(target.os == "macos" for target in targets):
        check_bundle(lift.macos.bundle)
    check_windows(lift, targets)
    return lift, targets


def check_platforms(lift: Lift, platforms: Sequence[Platform]) -> None:
    """Raises CzscieError when `lift` is not for one of `platforms`."""
    for platform in platforms:
        if platform not in lift.platforms and not lift.is_for_any_platform:
            raise CzscieError(
                f"{lift.path} is not for {platform.name}",
                code=Code.PLATFORM_NOT_BUILT,
                why=f"its platforms are: {', '.join(each.name for each in lift.platforms)}",
                hint=f'add "{platform.name}" to lift.platforms',
            )
