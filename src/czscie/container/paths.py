"""Checks of untrusted names before they become files: the one place that says which are refused.

Names in catalogues, plans, zips, tars, wheels, PEX-INFO, locks, vendor directories and images go through
here. A *path* is that of a member: relative, `/`-separated, below one directory. A *name* is one component,
of a file that czscie makes in a cache or in a directory that is carried to another system: it must be valid
everywhere.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from czscie.errors import Code, CzscieError
from czscie.platforms import Platform

#: Bytes of a path: macOS' PATH_MAX, the smallest of all.
LONGEST_PATH = 1024
#: Bytes of a component: NAME_MAX on Linux and macOS.
LONGEST_NAME = 255

_DRIVE = re.compile(r"[A-Za-z]:")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
#: Half characters, by which Python stands for bytes that are not UTF-8, and which JSON can spell.
_SURROGATE = re.compile(r"[\ud800-\udfff]")

# https://learn.microsoft.com/windows/win32/fileio/naming-a-file: `NUL.tar.gz` is the device too.
_WINDOWS_CHARACTERS = re.compile(r'[<>:"|?*]')
_WINDOWS_DEVICE = re.compile(r"(CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(COM|LPT)[0-9¹²³]) *(\..*)?", re.IGNORECASE)


def path_fault(path: str, *, windows: bool = False) -> str | None:
    """What is wrong with a member's path, as the end of a sentence; None when it stays in its directory.

    With `windows`, what Windows takes for something else than a file is wrong too: devices (`NUL`, `aux.py`),
    streams (`a:b`), characters that it reserves, and a dot or a space at the end of a component.
    """
    if not path:
        return "is empty"
    if path.startswith("/") or _DRIVE.match(path):
        return "is absolute"
    if "\\" in path:
        return "has a backslash"
    if _CONTROL.search(path):
        return "has a NUL" if "\0" in path else "has a control character"
    if _SURROGATE.search(path):
        return "is not UTF-8"
    components = path.split("/")
    if any(component in ("", ".", "..") for component in components):
        return "has an empty, '.' or '..' component"
    if len(path.encode()) > LONGEST_PATH or any(len(each.encode()) > LONGEST_NAME for each in components):
        return "is too long"
    if windows:
        return next((fault for each in components if (fault := _windows_fault(each))), None)
    return None


def name_fault(name: str) -> str | None:
    """The fault of a file name, worded as in `path_fault`. The name must be valid on every system."""
    if "/" in name:
        return "is not a plain name"
    return path_fault(name, windows=True)


def _windows_fault(component: str) -> str | None:
    if _WINDOWS_DEVICE.fullmatch(component):
        return "is a device name on Windows"
    if _WINDOWS_CHARACTERS.search(component):
        return "has a character that Windows reserves"
    if component.endswith((".", " ")):
        return "ends in a dot or a space, which Windows drops"
    return None


def checked_path(path: str, label: str, *, windows: bool = False) -> str:
    """`path`, if it stays in its directory. Raises CzscieError, which calls what holds it `label`."""
    if fault := path_fault(path, windows=windows):
        raise unsafe(path, fault, label)
    return path


def checked_name(name: str, label: str) -> str:
    """`name`, if it is the name of a file on any system. Raises CzscieError, which names `label`."""
    if fault := name_fault(name):
        raise unsafe(name, fault, label)
    return name


def unsafe(path: str, fault: str, label: str) -> CzscieError:
    return CzscieError(f"{label} contains an unsafe path: {path[:200]!r} {fault}", code=Code.ARCHIVE_UNSAFE)


def check_together(
    paths: Iterable[str], label: str, platform: Platform | None = None, directories: Iterable[str] = ()
) -> None:
    """Checks that files and links at `paths`, and `directories`, can stand in one tree on `platform`.

    No path is there twice, and none leads through another, which may be a link to anywhere. Where file
    systems ignore case by default (macOS, Windows), paths that differ in case or in Unicode normalisation
    alone are one: APFS takes NFC and NFD of a name for the same, NTFS does not, and both are treated as APFS
    does. On Linux such paths are different. Raises CzscieError, which names `label`.
    """
    folds = platform is not None and platform.os in ("macos", "windows")
    windows = platform is not None and platform.os == "windows"
    spelled: dict[str, str] = {}
    for path in paths:
        if windows:
            checked_path(path, label, windows=True)
        key = folded(path) if folds else path
        if key in spelled:
            raise _collision(path, spelled[key], label)
        spelled[key] = path
    made: dict[str, str] = {}
    for item in (*(f"{directory}/" for directory in directories), *spelled.values()):
        path = item
        while path := path.rpartition("/")[0]:
            key = folded(path) if folds else path
            if key in spelled:
                raise CzscieError(
                    f"{label} contains {spelled[key]!r} both as a file and as a directory",
                    code=Code.NAME_TAKEN,
                )
            if key not in made:
                made[key] = path
            elif made[key] != path:
                raise _collision(path, made[key], label)
            else:
                break  # what is above it was looked at


def folded(path: str) -> str:
    """A key that is equal for paths that are one file when case and normalisation do not count.

    Unicode's canonical caseless matching (The Unicode Standard, section 3.13, D145).
    """
    if path.isascii():
        return path.lower()
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", path).casefold())


def _collision(path: str, other: str, label: str) -> CzscieError:
    if path == other:
        return CzscieError(f"{label} contains {path!r} twice", code=Code.NAME_TAKEN)
    return CzscieError(
        f"{label} contains {other!r} and {path!r}, which are one file on case-insensitive file systems",
        code=Code.NAME_TAKEN,
        hint="remove or rename one of them",
    )
