"""Decides whether a module reads the files of packages, its own above all. When in doubt it does.

Sources are parsed in the interpreter that will load them (scan_modules.py), so that the result does not
depend on the Python that runs czscie. Most have no sign in their text and are not parsed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import msgspec

#: A module that reads its files has one of these in its text.
_SIGNS = re.compile(
    rb"__file__|__path__|__cached__|co_filename|getfile|getsourcefile|getabsfile|\.origin\b"
    rb"|submodule_search_locations|\bresource_|\.module_path\b|get_filename|spec_from_file_location"
    rb"|getframeinfo|getouterframes|getinnerframes|\bstack\b|\.py[\"']"
)
#: Beside `files`, which gives paths of resources, these may look at files as well.
_OF_THE_DISK = re.compile(rb"\b(?:copy(?:tree|file|2)?|listdir|scandir|f?walk)\b")
_RESOURCES = re.compile(rb"\bfiles\b")
#: An `origin` counts only beside a module's spec: others belong to addresses, times and pictures.
_SPECS = re.compile(rb"(?<![A-Za-z])spec(?![A-Za-z])|ModuleSpec")


class Signs(msgspec.Struct, frozen=True):
    """What in a module is used to look at files, such as `__file__`, and what caches beside the module: numba
    what it compiles, ply its tables. "" for nothing.
    """

    looks: str = ""
    caches: str = ""


@dataclass(frozen=True, slots=True)
class Suspect:
    """The module at `path`, whose text has signs that it `looks` at files, or of what `caches` beside it.

    Its lines `harmless`, stripped of white space, do not count, nor do the names `ignored`.
    """

    path: str
    source: bytes
    harmless: tuple[str, ...]
    ignored: tuple[str, ...]
    looks: bool
    caches: str

    def signs(self, looks: str, caches: bool) -> Signs:
        """The signs that a parser found and that count."""
        return Signs(looks if self.looks else "", self.caches if caches else "")


#: Finds the signs of each of the modules.
Scan = Callable[[Sequence[Suspect]], Sequence[Signs]]


def suspect(path: str, source: bytes, harmless: Collection[str] = ()) -> Suspect | None:
    """The module, unless nothing in its text is a sign."""
    looks = _SIGNS.search(source) is not None or (
        _OF_THE_DISK.search(source) is not None and _RESOURCES.search(source) is not None
    )
    caches = "ply" if b"yacc" in source else "numba" if b"numba" in source and b"cache" in source else ""
    if not (looks or caches):
        return None
    ignored = () if _SPECS.search(source) else ("origin",)
    return Suspect(path, source, tuple(harmless), ignored, looks, caches)


def directories_of_pth(text: bytes) -> list[str]:
    """The directories that a `.pth` file adds to `sys.path`, as it says them (site.addpackage)."""
    lines = (line.strip() for line in text.decode("utf-8", "replace").splitlines())
    return [line for line in lines if line and not line.startswith(("#", "import ", "import\t"))]
