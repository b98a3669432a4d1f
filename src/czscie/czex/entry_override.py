"""The entry point of the manifest, which replaces the PEX's own."""

from __future__ import annotations

import dataclasses
import difflib
import sys
from collections.abc import Iterator, Sequence

from czscie.container.content import File
from czscie.czex.info import PexInfo
from czscie.errors import Code, CzscieError
from czscie.wheel.entry_points import EntryPoint
from czscie.wheel.wheel import Wheel, is_script_path


def with_entry_point(
    info: PexInfo, wheels: Sequence[Wheel], text: str, sources: Sequence[File] = ()
) -> PexInfo:
    """`info` with the entry point `text`: a script of one of `wheels`, `module` or `module:function`.

    A script comes before a module of the same name. `sources` are the PEX's own files. Raises CzscieError,
    with the nearest names, when there is neither.
    """
    for wheel in wheels:
        if point := wheel.entry_points.get(text):
            return dataclasses.replace(info, entry_point=str(point), script=None)
    if any(text in _script_files(wheel) for wheel in wheels):
        return dataclasses.replace(info, entry_point=None, script=text)
    try:
        point = EntryPoint.parse(text)
    except ValueError:
        raise _not_found(text, wheels, sources) from None
    top = point.module.partition(".")[0]
    if top not in sys.stdlib_module_names and top not in modules_of(wheels, sources):
        raise _not_found(text, wheels, sources)
    return dataclasses.replace(info, entry_point=str(point), script=None)


def scripts_of(wheels: Sequence[Wheel]) -> dict[str, str]:
    """The scripts of `wheels` by name, each with its entry point (`module:function`), or "" for a file.

    Of several with one name, it is the one that is installed.
    """
    found: dict[str, str] = {}
    for wheel in wheels:
        points = {**wheel.entry_points.gui, **wheel.entry_points.console}
        own = {**{name: str(point) for name, point in points.items()}, **_script_files(wheel)}
        found = {**own, **found}
    return dict(sorted(found.items()))


def _script_files(wheel: Wheel) -> dict[str, str]:
    """The scripts that are files of the wheel, by name, without an entry point."""
    paths = (member.path for member in wheel.members if is_script_path(member.path))
    return {path.rpartition("/")[2]: "" for path in paths}


def modules_of(wheels: Sequence[Wheel], sources: Sequence[File]) -> set[str]:
    """The names at the top of site-packages that an import could mean."""
    return {name for name in _top_names(wheels, sources) if name.isidentifier()}


def _top_names(wheels: Sequence[Wheel], sources: Sequence[File]) -> Iterator[str]:
    paths = [*(file.path for file in sources), *(m.path for wheel in wheels for m in wheel.members)]
    for path in paths:
        top, _, rest = path.partition("/")
        if top.endswith(".data"):
            scheme, _, rest = rest.partition("/")
            top = rest.partition("/")[0] if scheme in ("purelib", "platlib") else ""
        # `pkg`, `module.py` and `module.cpython-313-x86_64-linux-gnu.so` alike.
        yield top.partition(".")[0]


def _not_found(text: str, wheels: Sequence[Wheel], sources: Sequence[File]) -> CzscieError:
    scripts = {*scripts_of(wheels)}
    name = text.partition(":")[0]
    near = difflib.get_close_matches(name, sorted(scripts | modules_of(wheels, sources)), n=3)
    return CzscieError(
        f"the payload has no entry point {text!r}: neither a script nor a module of that name",
        code=Code.ENTRY_POINT_MISSING,
        why=f"its scripts are: {', '.join(sorted(scripts))}" if scripts else "it has no scripts",
        hint=f"did you mean {' or '.join(repr(match) for match in near)}?" if near else None,
    )
