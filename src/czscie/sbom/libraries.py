"""The libraries in a CPython or a wheel, and their versions as far as its files contain them.

python-build-standalone links nearly all of them into the executable, Windows and other CPythons have them as
files; wheels do either. Most contain a text with the library's name and version; some contain only the
version, which counts if it is the only text of its form; the rest are listed without one. Nothing is derived
from a release's name.
"""

from __future__ import annotations

import re
import struct
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from czscie.container.content import File
from czscie.container.tree import Item
from czscie.sbom.component import Component

#: ELF; Mach-O of 64 bits and of several processors; PE.
_BINARIES = (b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"MZ")
#: A name may end with a version, as in `libdb-5.3.so`, and with auditwheel's digests, `libz-0af1e5f3.so.1`.
_SHARED = re.compile(r"(?P<stem>.+?)(-[0-9a-f]{8}|-[0-9][^/]*)*\.(so|dylib|dll)(\.[0-9.]+)?")
_OF_PYTHON = re.compile(r"(lib)?(python3|pypy).*")

#: VS_FIXEDFILEINFO of a PE file: signature, structure's version, file version as two numbers of 32 bits.
_FIXED_FILE_INFO = struct.Struct("<4L")
_FIXED_FILE_INFO_SIGNATURE = b"\xbd\x04\xef\xfe"


@dataclass(frozen=True, slots=True)
class _Library:
    """How a library is recognised.

    `file` matches the names of its own files, without suffix. `mark` is in every file that it is linked into
    (of `by_use`: in what calls it). `told` is a text with its version, `bare` a whole text that is nothing
    but the version. `licences` go by how the version begins.
    """

    name: str
    licences: tuple[tuple[str, str], ...]
    file: str
    mark: bytes | None = None
    told: bytes | None = None
    bare: bytes | None = None
    cpe: str | None = None
    by_use: bool = False

    def is_own_file(self, stem: str) -> bool:
        return re.fullmatch(self.file, stem) is not None

    def version(self, data: bytes) -> tuple[str | None, bool]:
        """The version of the library in `data`, and whether a text names it. Two of them are none."""
        for pattern, certain in ((self.told, True), (self.bare and rb"\0(%b)(?=\0)" % self.bare, False)):
            found = {match[1] for match in re.finditer(pattern, data)} if pattern else set()
            if len(found) == 1:
                return found.pop().decode(), certain
        return None, False

    def licence(self, version: str | None) -> tuple[str, ...]:
        if version is None:
            return (self.licences[-1][1],) if len(self.licences) == 1 else ()
        return next(((name,) for start, name in self.licences if version.startswith(start)), ())


_PUBLIC = "public domain"
_LIBRARIES = (
    _Library(
        "openssl",
        (("0.", "OpenSSL"), ("1.", "OpenSSL"), ("", "Apache-2.0")),
        r"lib(crypto|ssl)",
        mark=b"OpenSSL ",
        told=rb"OpenSSL (\d+\.\d+\.\d+[a-z]?(?:-[a-z]+\d+)?) +\d{1,2} [A-Z][a-z]{2} \d{4}",
        cpe="openssl:openssl",
    ),
    _Library(
        "sqlite",
        (("", "blessing"),),
        r"(lib)?sqlite3?[0-9.]*",
        mark=b"SQLite format 3\0",
        bare=rb"3\.[3-9]\d\.\d+(?:\.\d+)?",
        cpe="sqlite:sqlite",
    ),
    _Library(
        "zlib-ng",
        (("", "Zlib"),),
        r"libz-ng",
        mark=b"zlib-ng ",
        told=rb"zlib-ng (\d+\.\d+\.\d+)",
    ),
    _Library(
        "zlib",
        (("", "Zlib"),),
        r"(libz|zlib1)",
        mark=b"flate ",
        told=rb"flate (\d+(?:\.\d+)+[\w.-]*) Copyright",
        cpe="zlib:zlib",
    ),
    _Library(
        "xz",
        (("5.0", _PUBLIC), ("5.2", _PUBLIC), ("5.4", _PUBLIC), ("", "0BSD")),
        r"liblzma",
        # Not the magic of its files: debugging information in others' binaries is one.
        mark=b"_lzma.LZMACompressor",
        bare=rb"5\.\d+\.\d+(?:alpha|beta)?",
        by_use=True,
        cpe="tukaani:xz",
    ),
    _Library(
        "bzip2",
        (("", "bzip2-1.0.6"),),
        r"libbz2",
        mark=b"libbzip2",
        told=rb"(\d+\.\d+\.\d+), \d{1,2}-[A-Z][a-z]{2}-\d{4}",
        cpe="bzip:bzip2",
    ),
    _Library(
        "zstd",
        (("", "BSD-3-Clause"),),
        r"libzstd",
        mark=b"Frame requires too much memory for decoding",
        bare=rb"1\.[45]\.\d+",
        cpe="facebook:zstandard",
    ),
    _Library(
        "libffi",
        (("", "MIT"),),
        r"libffi",
        mark=b"ffi_prep_cif failed",
        by_use=True,
        cpe="libffi_project:libffi",
    ),
    _Library(
        "expat",
        (("", "MIT"),),
        r"libexpat",
        mark=b"expat_",
        told=rb"expat_(\d+\.\d+\.\d+)",
        cpe="libexpat_project:libexpat",
    ),
    _Library(
        "mpdecimal",
        (("", "BSD-2-Clause"),),
        r"libmpdec|_decimal\..*|_decimal",
        mark=b"__libmpdec_version__",
        bare=rb"(?:2\.[45]|4\.\d)\.\d+",
        by_use=True,
        cpe="bytereef:mpdecimal",
    ),
    _Library(
        "ncurses",
        (("", "X11"),),
        r"lib(ncurses|tinfo|panel|form|menu)w?",
        mark=b"ncurses ",
        told=rb"ncurses (\d+\.\d+\.\d{8})",
        cpe="gnu:ncurses",
    ),
    _Library("libedit", (("", "BSD-3-Clause"),), r"libedit", mark=b"/.editrc"),
    _Library("readline", (("", "GPL-3.0-or-later"),), r"libreadline", bare=rb"\d\.\d", cpe="gnu:readline"),
    _Library("libuuid", (("", "BSD-3-Clause"),), r"libuuid", mark=b"libuuid/clock.txt"),
    _Library(
        "berkeley-db",
        (("", "Sleepycat"),),
        r"libdb",
        mark=b"Berkeley DB ",
        told=rb"Berkeley DB (\d+\.\d+\.\d+)",
        cpe="oracle:berkeley_db",
    ),
    _Library(
        "gdbm",
        (("", "GPL-3.0-or-later"),),
        r"libgdbm(_compat)?",
        mark=b"GDBM version ",
        told=rb"GDBM version (\d+\.\d+(?:\.\d+)?)",
        cpe="gnu:gdbm",
    ),
    _Library("tcl", (("", "TCL"),), r"(lib)?tcl\d+(\.\d+)?t?", bare=rb"[89]\.\d\.\d+", cpe="tcl_tk:tcl_tk"),
    _Library("tk", (("", "TCL"),), r"(lib)?(tcl9)?tk\d+(\.\d+)?t?", bare=rb"[89]\.\d\.\d+"),
    _Library("libx11", (("", "MIT"),), r"libX11", mark=b"Xlib: sequence lost", cpe="x.org:libx11"),
    _Library("vcruntime", (("", "Microsoft Visual C++ Runtime"),), r"vcruntime\d+(_\d)?|msvcp\d+"),
)


@dataclass(frozen=True, slots=True)
class _Finding:
    library: str
    path: str
    version: str | None
    certain: bool
    own: bool


def bundled_libraries(items: Iterable[Item], holds_libraries: Callable[[str], bool]) -> tuple[Component, ...]:
    """The libraries in the tree `items`, by name.

    An unknown shared library is listed by the name of its file, if `holds_libraries` says of its
    path that what is there is a library and no extension module.
    """
    findings = [finding for item in items for finding in _findings(item, holds_libraries)]
    by_library: dict[str, list[_Finding]] = defaultdict(list)
    for finding in findings:
        by_library[finding.library].append(finding)
    known = {library.name: library for library in _LIBRARIES}
    return tuple(
        component
        for name, found in sorted(by_library.items())
        for component in _components(known.get(name), name, found)
    )


def _findings(item: Item, holds_libraries: Callable[[str], bool]) -> Iterator[_Finding]:
    if not isinstance(item, File):
        return
    name = item.path.rpartition("/")[2]
    shared = _SHARED.fullmatch(name)
    if not (shared or item.executable or name.endswith((".pyd", ".exe"))):
        return
    data = item.content.read()
    if not data.startswith(_BINARIES):
        return
    stem = shared["stem"] if shared else name.rpartition(".")[0]
    found = [
        _Finding(library.name, item.path, *_version(library, data), library.is_own_file(stem))
        for library in _LIBRARIES
        if library.is_own_file(stem) or (library.mark is not None and library.mark in data)
    ]
    # A mark may be in what only speaks of the library: a text with the version has to be there, too.
    told = {library.name for library in _LIBRARIES if library.told is not None}
    found = [each for each in found if each.own or each.version or each.library not in told]
    # zlib-ng tells the version of the zlib that it takes the place of.
    if any(each.library == "zlib-ng" for each in found):
        found = [each for each in found if each.library != "zlib"]
    yield from found
    is_known = any(each.own for each in found) or _OF_PYTHON.fullmatch(stem)
    if shared and not is_known and holds_libraries(item.path):
        yield _Finding(stem, item.path, None, False, own=True)


def _version(library: _Library, data: bytes) -> tuple[str | None, bool]:
    if library.name == "vcruntime":
        return _file_version(data), True
    return library.version(data)


def _file_version(data: bytes) -> str | None:
    """The file version of a PE file's resources (VS_FIXEDFILEINFO)."""
    start = data.find(_FIXED_FILE_INFO_SIGNATURE)
    if start < 0 or start + _FIXED_FILE_INFO.size > len(data):
        return None
    _, _, high, low = _FIXED_FILE_INFO.unpack_from(data, start)
    return ".".join(str(part) for number in (high, low) for part in (number >> 16, number & 0xFFFF))


def _components(library: _Library | None, name: str, found: list[_Finding]) -> Iterator[Component]:
    """One for each version. Files without a version have the only one that others have."""
    if any(each.own for each in found):
        found = [each for each in found if each.own or not (library and library.by_use)]
    versions = sorted({each.version for each in found if each.version is not None})
    places: dict[str | None, list[_Finding]] = {version: [] for version in versions}
    for each in found:
        version = versions[0] if each.version is None and len(versions) == 1 else each.version
        places.setdefault(version, []).append(each)
    for version, members in places.items():
        cpe = library.cpe if library else None
        yield Component(
            reference=name if len(places) == 1 else f"{name}@{version or 'unknown'}",
            name=name,
            version=version,
            certain=any(member.certain for member in members),
            purl=f"pkg:generic/{name.lower()}" + (f"@{version}" if version else ""),
            cpe=f"cpe:2.3:a:{cpe}:{version}:*:*:*:*:*:*:*" if cpe and version else None,
            licences=library.licence(version) if library else (),
            places=tuple(sorted(member.path for member in members)),
        )
