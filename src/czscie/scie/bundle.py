"""An application bundle for macOS: the executable in a directory that the Finder starts, signed ad hoc.

    Name.app/Contents/Info.plist
    Name.app/Contents/PkgInfo
    Name.app/Contents/MacOS/name
    Name.app/Contents/Resources/icon.icns
    Name.app/Contents/_CodeSignature/CodeResources

The last one seals the icon, and the executable's signature seals that and Info.plist.

Sources: Apple's "Bundle Programming Guide" and "Information Property List"; the rules by which a bundle is
sealed are those that codesign writes (Apple's TN2206, "Code Signing Resources").
"""

from __future__ import annotations

import hashlib
import plistlib
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from czscie import mach_o
from czscie.disk import writing
from czscie.errors import Code, CzscieError
from czscie.filesystem import open_regular, write_atomically
from czscie.leftovers import directory_beside
from czscie.lift.macos import Bundle
from czscie.scie.inspect import Contents
from czscie.signature import payload_end

_CHUNK = 1 << 20
_ICON = "icon.icns"
_ICNS_MAGIC, _ICNS_HEADER = b"icns", 8

#: What codesign seals by its two versions of rules; the second has been in use since OS X 10.9.5.
_RULES: Mapping[str, object] = {
    "^Resources/": True,
    r"^Resources/.*\.lproj/": {"optional": True, "weight": 1000.0},
    r"^Resources/.*\.lproj/locversion.plist$": {"omit": True, "weight": 1100.0},
    r"^Resources/Base\.lproj/": {"weight": 1010.0},
    "^version.plist$": True,
}
_RULES_2: Mapping[str, object] = {
    r".*\.dSYM($|/)": {"weight": 11.0},
    r"^(.*/)?\.DS_Store$": {"omit": True, "weight": 2000.0},
    "^(Frameworks|SharedFrameworks|PlugIns|Plug-ins|XPCServices|Helpers|MacOS|Library/"
    "(Automator|Spotlight|LoginItems))/": {"nested": True, "weight": 10.0},
    "^.*": True,
    r"^Info\.plist$": {"omit": True, "weight": 20.0},
    "^PkgInfo$": {"omit": True, "weight": 20.0},
    "^Resources/": {"weight": 20.0},
    r"^Resources/.*\.lproj/": {"optional": True, "weight": 1000.0},
    r"^Resources/.*\.lproj/locversion.plist$": {"omit": True, "weight": 1100.0},
    r"^Resources/Base\.lproj/": {"weight": 1010.0},
    "^[^/]+$": {"nested": True, "weight": 10.0},
    r"^embedded\.provisionprofile$": {"weight": 20.0},
    r"^version\.plist$": {"weight": 20.0},
}


def check_bundle(bundle: Bundle | None) -> None:
    """Raises CzscieError for an invalid icon, before anything is built."""
    if bundle is not None:
        _read_icon(bundle)


def write_bundle(path: Path, contents: Contents, bundle: Bundle, oldest: str) -> Path:
    """Writes the bundle `path`, of the executable that `contents` are of, and returns its own executable.

    `oldest` is the oldest macOS that it starts on (`11.0`). A bundle that is there is replaced: for an
    instant there is none, and never one that is not whole. Raises CzscieError when something else is there,
    the icon is none, or it cannot be written.
    """
    _check_replaceable(path)
    name = contents.manifest.scie.lift.name
    inside = Path("Contents/MacOS", name)
    try:
        with writing(path, contents.size), directory_beside(path) as work:
            made = work / path.name
            _fill(made, inside, contents, bundle, oldest)
            if path.exists():
                path.rename(work / "replaced")
            made.rename(path)
    except OSError as error:
        raise CzscieError(
            f"cannot write {path}",
            code=Code.OUTPUT_UNWRITABLE,
            why=error.strerror or str(error),
            hint="name another directory: czscie build -o DIR",
        ) from error
    return path / inside


def _fill(made: Path, inside: Path, contents: Contents, bundle: Bundle, oldest: str) -> None:
    icon = _read_icon(bundle)
    info = plistlib.dumps(_information(bundle, inside.name, oldest, has_icon=icon is not None))
    resources = {} if icon is None else {f"Resources/{_ICON}": icon}
    seal = mach_o.Seal(info, _code_resources(resources))
    files = {
        "Info.plist": info,
        "PkgInfo": b"APPL????",
        "_CodeSignature/CodeResources": seal.resources,
        **resources,
    }
    for name, content in files.items():
        file = made / "Contents" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    _write_executable(made / inside, contents, bundle.identifier, seal)


def _information(bundle: Bundle, executable: str, oldest: str, *, has_icon: bool) -> dict[str, object]:
    found: dict[str, object] = {
        "CFBundleDevelopmentRegion": "en",
        "CFBundleDisplayName": bundle.name,
        "CFBundleExecutable": executable,
        "CFBundleIdentifier": bundle.identifier,
        "CFBundleInfoDictionaryVersion": "6.0",
        "CFBundleName": bundle.name,
        "CFBundlePackageType": "APPL",
        "LSMinimumSystemVersion": oldest,
        "NSHighResolutionCapable": bundle.high_resolution,
        **bundle.usage,
    }
    if has_icon:
        found["CFBundleIconFile"] = _ICON
    if bundle.version is not None:
        found |= {"CFBundleShortVersionString": bundle.version, "CFBundleVersion": bundle.version}
    if bundle.category is not None:
        found["LSApplicationCategoryType"] = bundle.category
    return found


def _code_resources(files: Mapping[str, bytes]) -> bytes:
    """The seal of `files`, by their paths in Contents: SHA-1 for the old rules, SHA-256 for those in use."""
    old = {path: hashlib.sha1(data, usedforsecurity=False).digest() for path, data in files.items()}
    new = {path: {"hash2": hashlib.sha256(data).digest()} for path, data in files.items()}
    return plistlib.dumps({"files": old, "files2": new, "rules": _RULES, "rules2": _RULES_2})


def _write_executable(path: Path, contents: Contents, identifier: str, seal: mach_o.Seal) -> None:
    """The executable that `contents` are of, signed anew as the bundle's."""

    def write(stream: BinaryIO) -> None:
        with contents.path.open("rb") as file:
            left = payload_end(file, contents.size)
            head = mach_o.bare_head_of(file, contents.manifest.scie.jump.size)
            stream.write(head)
            file.seek(len(head))
            left -= len(head)
            while left > 0 and (chunk := file.read(min(left, _CHUNK))):
                stream.write(chunk)
                left -= len(chunk)
        mach_o.sign(stream, identifier, seal)

    write_atomically(path, write, contents.size)
    path.chmod(stat.S_IMODE(contents.path.stat().st_mode))


def _read_icon(bundle: Bundle) -> bytes | None:
    if bundle.icon is None:
        return None
    try:
        with open_regular(bundle.icon) as file:
            data = file.read()
    except OSError as error:
        raise CzscieError(
            f"cannot read the icon {bundle.icon}",
            code=Code.FILE_UNREADABLE,
            why=error.strerror or str(error),
            hint="lift.macos.bundle.icon names it",
        ) from error
    if data[:4] != _ICNS_MAGIC or int.from_bytes(data[4:_ICNS_HEADER], "big") != len(data):
        raise CzscieError(
            f"{bundle.icon} is not a macOS icon",
            code=Code.ICON_INVALID,
            why="it is not in Apple's .icns format, or it is truncated",
            hint="convert images with iconutil, or with icnsutil from PyPI",
        )
    return data


def _check_replaceable(path: Path) -> None:
    """A bundle only replaces a bundle: anything else may be the user's."""
    if path.is_symlink() or (path.exists() and not (path / "Contents/Info.plist").is_file()):
        raise CzscieError(
            f"cannot write {path}",
            code=Code.OUTPUT_EXISTS,
            why="it exists and is not an application bundle",
            hint="remove it, or name another directory: czscie build -o DIR",
        )
