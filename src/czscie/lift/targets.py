"""The platforms of a manifest."""

from __future__ import annotations

from dataclasses import replace

from czscie.errors import CzscieError
from czscie.lift.problem import one_of, quoted
from czscie.lift.table import SOMETHING, Table
from czscie.platforms import (
    Platform,
    current_platform,
    find_platform,
    platform_names,
    platform_spellings,
    similar_platforms,
)

_NAME = replace(SOMETHING, values=platform_spellings())
_PLATFORM = replace(
    _NAME, words='the name of a platform or a table such as { platform = "linux-x86_64", libc = "musl" }'
)
#: science's documentation writes glibc where science reads gnu.
_LIBCS = {"gnu": "gnu", "glibc": "gnu", "musl": "musl"}


def read_platforms(lift: Table) -> tuple[Platform, ...]:
    """`lift.platforms`, each once, in order; defaults to the platform czscie runs on."""
    specifications = lift.texts_or_tables("platforms", _PLATFORM)
    if "platforms" not in lift:
        return (current_platform(),)
    found: dict[Platform, None] = {}
    for index, specification in enumerate(specifications):
        if isinstance(specification, Table):
            platform = _read_table(specification)
        else:
            platform = _find(lift, specification, "platforms", index)
        if platform is not None:
            found[platform] = None
    return tuple(found)


def _read_table(table: Table) -> Platform | None:
    """`{ platform = …, libc = … }`: science's way to select musl."""
    name = table.text("platform", _NAME)
    libc = _LIBCS.get(table.optional_choice("libc", tuple(_LIBCS)) or "")
    table.finish()
    platform = _find(table, name, "platform")
    if platform is None or libc is None or libc == platform.libc:
        return platform
    musl = f"musl-{platform.name}"
    if libc == "musl" and musl in platform_names():
        return find_platform(musl)
    has = quoted(platform.libc) if platform.libc else "no libc"
    table.reject("libc", allowed=f"{has}, which is what {platform.name} has")
    return None


def _find(table: Table, name: str, *key: str | int) -> Platform | None:
    if not name:  # which is a problem of its own already
        return None
    try:
        return find_platform(name)
    except CzscieError:
        names = ("current", *platform_names())
        near = similar_platforms(name)
        table.reject(*key, allowed=one_of(names), meant=one_of(near) if near else None)
        return None
