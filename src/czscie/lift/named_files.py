"""The files of this machine that a manifest names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from czscie.errors import Code, CzscieError
from czscie.lift.embedded_file import EmbeddedFile
from czscie.lift.libc import NEVER
from czscie.lift.lift import Lift
from czscie.platforms import Platform


def check_named_files(lift: Lift, targets: Sequence[Platform]) -> None:
    """Raises one CzscieError with every file that builds of `lift` for `targets` need and that is missing."""
    missing = [
        (key, places) for key, places in _named(lift, targets) if not any(each.exists() for each in places)
    ]
    if not missing:
        return
    what = "a file that does not exist" if len(missing) == 1 else f"{len(missing)} files that do not exist"
    absent = {key for key, _ in missing}
    movable = next((file.id for key, file in _files(lift) if key in absent), None)
    raise CzscieError(
        f"{lift.path} names {what}",
        code=Code.FILE_MISSING,
        why=[f"{lift.key}.{key}: there is nothing at {place}" for key, places in missing for place in places],
        hint=None if movable is None else f"if a file is elsewhere, name it: --file {movable}=PATH",
    )


def _named(lift: Lift, targets: Sequence[Platform]) -> Iterator[tuple[str, Sequence[Path]]]:
    """The key of each file, and the paths where it may be."""
    systems = {target.os for target in targets}
    for index, interpreter in enumerate(lift.interpreters):
        for key, value in interpreter.asked.items():
            if isinstance(value, Path):
                yield f"interpreters[{index}].{key}", [value]
    yield from ((key, file.places) for key, file in _files(lift) if file.source is None)
    payload = lift.payload
    if payload is not None:
        # A lock has what a build takes from the last two, which then need not be there.
        read = ("pex", "script") if lift.lock_path.exists() else ("pex", "script", "project", "lock")
        for key in read:
            if (path := getattr(payload, key)) is not None:
                yield f"payload.{key}", [path]
        yield from ((f"payload.sources[{index}]", [path]) for index, path in enumerate(payload.sources))
    if lift.libc.packages is not None and lift.libc.bundle != NEVER and "linux" in systems:
        yield "libc.packages", [lift.libc.packages]
    if lift.macos.bundle is not None and lift.macos.bundle.icon is not None and "macos" in systems:
        yield "macos.bundle.icon", [lift.macos.bundle.icon]
    if lift.windows.icon is not None and "windows" in systems:
        yield "windows.icon", [lift.windows.icon]


def _files(lift: Lift) -> Iterator[tuple[str, EmbeddedFile]]:
    return ((f"files[{index}].name", file) for index, file in enumerate(lift.files))
