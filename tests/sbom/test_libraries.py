from __future__ import annotations

import pyexpat
import sqlite3
import ssl
import struct
import sys
import zlib
from collections.abc import Mapping
from pathlib import Path

import pytest

from czscie.container.content import Data, File
from czscie.pbs.host import resolve_host
from czscie.platforms import current_platform
from czscie.sbom.component import Component
from czscie.sbom.interpreter import interpreter_components
from czscie.sbom.libraries import bundled_libraries

ELF = b"\x7fELF"
STDLIB = "lib/python3.13"
#: What a python-build-standalone's executable holds of its libraries, among much else.
STATIC = b"\0".join(
    (
        ELF,
        b"OpenSSL 3.5.4 30 Sep 2025",
        b"3.5.4",
        b"SQLite format 3",
        b"3.50.4",
        b"3.13.9",
        b" deflate 1.3.1 Copyright 1995-2024 Jean-loup Gailly and Mark Adler ",
        b" inflate 1.3.1 Copyright 1995-2024 Mark Adler ",
        b"_lzma.LZMACompressor",
        b"5.8.1",
        b"bzip2/libbzip2: internal error number %d.",
        b"1.0.8, 13-Jul-2019",
        b"expat_2.7.3",
        b"ffi_prep_cif failed",
        b"ncurses 6.5.20240427",
        b"/.editrc",
        b"__libmpdec_version__",
        b"4.0.0",
        b"",
    )
)


def libraries(files: Mapping[str, bytes]) -> dict[str, Component]:
    items = [File(path, Data(data), executable="bin/" in path) for path, data in files.items()]
    return {
        each.reference: each for each in bundled_libraries(items, lambda path: not path.startswith(STDLIB))
    }


def versions(files: Mapping[str, bytes]) -> dict[str, str | None]:
    return {reference: each.version for reference, each in libraries(files).items()}


def test_what_is_linked_into_the_executable_is_found_by_its_texts() -> None:
    assert versions({"bin/python3.13": STATIC}) == {
        "bzip2": "1.0.8",
        "expat": "2.7.3",
        "libedit": None,
        "libffi": None,
        "mpdecimal": "4.0.0",
        "ncurses": "6.5.20240427",
        "openssl": "3.5.4",
        "sqlite": "3.50.4",
        "xz": "5.8.1",
        "zlib": "1.3.1",
    }


def test_a_version_that_no_text_names_is_not_certain() -> None:
    found = libraries({"bin/python3.13": STATIC})
    assert found["openssl"].certain and not found["sqlite"].certain


def test_a_version_is_unknown_when_there_are_two_of_its_form() -> None:
    found = libraries({"bin/python3.13": STATIC + b"5.6.2\0"})
    assert (found["xz"].version, found["xz"].purl, found["xz"].cpe) == (None, "pkg:generic/xz", None)
    assert found["xz"].licences == ()  # 5.6 and what was before it are under different ones


def test_what_only_speaks_of_a_library_does_not_hold_it() -> None:
    assert versions({"bin/python3.13": ELF + b"\0needs OpenSSL 1.1.1 or newer; cannot inflate \0"}) == {}
    assert versions({"bin/pip": b"#!/bin/sh\nOpenSSL 3.5.4 30 Sep 2025\n"}) == {}


def test_files_of_one_library_are_one_component() -> None:
    found = libraries(
        {
            "lib/libcrypto.so.3": ELF + b"\0OpenSSL 3.0.18 30 Sep 2025\0",
            "lib/libssl.so.3": ELF,
            f"{STDLIB}/lib-dynload/_ctypes.cpython-313-x86_64-linux-gnu.so": ELF + b"ffi_prep_cif failed",
            "lib/libffi.so.8": ELF,
        }
    )
    assert found["openssl"].version == "3.0.18"
    assert found["openssl"].places == ("lib/libcrypto.so.3", "lib/libssl.so.3")
    assert found["libffi"].places == ("lib/libffi.so.8",)


def test_debugging_information_is_not_taken_for_a_library() -> None:
    assert versions({"lib/libmoo.so.7": ELF + b"\0\xfd7zXZ\0\0 5.2.4\0"}) == {"libmoo": None}


def test_a_library_that_holds_another_is_listed_besides() -> None:
    text = b"\x001.0.8, 13-Jul-2019\0libbzip2\0"
    assert versions({"lib/libfreetype.so.6": ELF + text}) == {"bzip2": "1.0.8", "libfreetype": None}


def test_two_versions_of_a_library_are_two_components() -> None:
    text = b"\0 inflate %b Copyright 1995-2024 Mark Adler \0"
    assert versions({"bin/python3.13": ELF + text % b"1.3.1", "lib/libtcl9.0.so": ELF + text % b"1.3"}) == {
        "tcl": None,
        "zlib@1.3": "1.3",
        "zlib@1.3.1": "1.3.1",
    }


def test_zlib_ng_is_not_taken_for_the_zlib_that_it_stands_for() -> None:
    data = b"MZ\0 inflate 1.3.1 Copyright 1995-2024 Mark Adler \0zlib-ng 2.2.4\0"
    assert versions({"python314.dll": data}) == {"zlib-ng": "2.2.4"}


def test_a_shared_library_that_nobody_knows_is_listed_by_its_file() -> None:
    found = libraries({"lib/libmoo.so.7": ELF, "lib/libpython3.13.so.1.0": ELF, f"{STDLIB}/moo.so": ELF})
    assert list(found) == ["libmoo"]
    assert (found["libmoo"].version, found["libmoo"].licences) == (None, ())


def test_windows_libraries_are_known_by_name_and_resources() -> None:
    resources = struct.pack("<4L", 0xFEEF04BD, 0x10000, 14 << 16 | 38, 33135 << 16)
    assert versions(
        {
            "vcruntime140.dll": b"MZ" + resources,
            "DLLs/libcrypto-3-x64.dll": b"MZ\0OpenSSL 3.0.18 30 Sep 2025\0",
            "DLLs/libffi-8.dll": b"MZ",
            "DLLs/sqlite3.dll": b"MZ\x003.50.4\0",
            "DLLs/_decimal.pyd": b"MZ\x002.5.1\0__libmpdec_version__",
            "DLLs/tcl86t.dll": b"MZ\x008.6.15\0",
            "DLLs/tk86t.dll": b"MZ\x008.6.15\0",
        }
    ) == {
        "libffi": None,
        "mpdecimal": "2.5.1",
        "openssl": "3.0.18",
        "sqlite": "3.50.4",
        "tcl": "8.6.15",
        "tk": "8.6.15",
        "vcruntime": "14.38.33135.0",
    }


@pytest.mark.skipif(sys.platform != "linux", reason="the provider Host is for Linux")
def test_the_versions_are_those_that_the_interpreter_itself_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CZSCIE_CACHE", str(tmp_path))
    distribution = resolve_host(current_platform()).load()
    components = interpreter_components(distribution)
    found = {each.name: each.version for each in components}
    assert found["openssl"] == ssl.OPENSSL_VERSION.split()[1]
    assert found["sqlite"] == sqlite3.sqlite_version
    assert found["zlib"] == zlib.ZLIB_RUNTIME_VERSION
    assert found["expat"] == pyexpat.EXPAT_VERSION.removeprefix("expat_")
