"""Wheels as PEXes hold them by default: installed already, below a directory of their own.

pex has spread wheels in three ways (`pex/pep_427.py`, `pex/pep_376.py` and their history):

- before 2.1.55, with no `.layout.json`: what `pip install --target` leaves, scripts in `bin` and everything
  else in one tree;
- up to 2.60.1: scripts, headers and data in a stash, `.prefix`, as they would lie in a virtual environment;
- since then (`.layout.json` has `sys_path_entries`): the same, with `.prefix/{data,purelib,platlib}`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from czscie.container.content import File
from czscie.documents import parse_json
from czscie.errors import Code, CzscieError

_LAYOUT = ".layout.json"
_SCRIPTS = ("bin", "Scripts")
_HEADERS = re.compile(r"include/site/python[^/]*/[^/]+/(?P<path>.+)", re.IGNORECASE)


def wheel_paths(files: Sequence[File], dist_info: str, label: str) -> list[tuple[str, File]]:
    """The paths in its wheel of the `files` of a spread one, without pex's own files.

    `dist_info` is the name of the wheel's metadata directory. Raises CzscieError, which calls the wheel
    `label`, when its `.layout.json` is invalid.
    """
    data = f"{dist_info.removesuffix('.dist-info')}.data"
    layout = _read_layout(files, label)
    if layout is None:
        return [(_unspread_target(file.path, data), file) for file in files]
    stash = layout.get("stash_dir", ".prefix") + "/"
    sorted_data = "sys_path_entries" in layout
    paths = []
    for file in files:
        if file.path == _LAYOUT or file.path.partition("/")[0].endswith(".pex-info"):
            continue
        if file.path.startswith(stash):
            paths.append((f"{data}/{_unstash(file.path[len(stash) :], sorted_data)}", file))
        else:
            paths.append((file.path, file))
    return paths


def _read_layout(files: Sequence[File], label: str) -> dict[str, str] | None:
    for file in files:
        if file.path == _LAYOUT:
            try:
                layout = parse_json(file.content.read())
            except ValueError as error:
                raise CzscieError(
                    f"the {_LAYOUT} of {label} is not JSON", code=Code.PEX_INVALID, why=str(error)
                ) from error
            if not isinstance(layout, dict) or not isinstance(layout.get("stash_dir", ""), str):
                raise CzscieError(
                    f"the {_LAYOUT} of {label} is not one that pex writes", code=Code.PEX_INVALID
                )
            return layout
    return None


def _unspread_target(path: str, data: str) -> str:
    directory, _, rest = path.partition("/")
    return f"{data}/scripts/{rest}" if directory in _SCRIPTS and rest else path


def _unstash(path: str, sorted_data: bool) -> str:
    """The path below a wheel's `.data` of the file `path` of the stash."""
    directory, _, rest = path.partition("/")
    if directory in _SCRIPTS and rest:
        return f"scripts/{rest}"
    if match := _HEADERS.fullmatch(path):
        return f"headers/{match['path']}"
    if sorted_data and directory in ("data", "purelib", "platlib"):
        return path
    return f"data/{path}"
