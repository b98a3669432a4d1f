from __future__ import annotations

import unicodedata

import pytest

from czscie.container.paths import check_together, checked_name, checked_path, name_fault, path_fault
from czscie.errors import CzscieError
from czscie.platforms import find_platform

LINUX, MACOS, WINDOWS = map(find_platform, ("linux-x86_64", "macos-aarch64", "windows-x86_64"))

UNSAFE = [
    ("", "is empty"),
    ("/etc/passwd", "is absolute"),
    ("//host/share", "is absolute"),
    ("C:x", "is absolute"),
    ("c:/x", "is absolute"),
    ("a\\b", "has a backslash"),
    ("..\\b", "has a backslash"),
    ("\\\\?\\C:\\x", "has a backslash"),
    ("a\0b", "has a NUL"),
    ("a\nb", "has a control character"),
    ("a\x7fb", "has a control character"),
    ("a\x85b", "has a control character"),
    ("a\udcffb", "is not UTF-8"),
    ("a\ud800b", "is not UTF-8"),
    (".", "has an empty, '.' or '..' component"),
    ("..", "has an empty, '.' or '..' component"),
    ("a/../b", "has an empty, '.' or '..' component"),
    ("a/..", "has an empty, '.' or '..' component"),
    ("a/./b", "has an empty, '.' or '..' component"),
    ("a//b", "has an empty, '.' or '..' component"),
    ("a/", "has an empty, '.' or '..' component"),
    ("x" * 256, "is too long"),
    ("ä" * 128, "is too long"),
    ("x/" * 600 + "x", "is too long"),
]

WINDOWS_OWN = [
    ("NUL", "is a device name on Windows"),
    ("nul.txt", "is a device name on Windows"),
    ("NUL .tar.gz", "is a device name on Windows"),
    ("con", "is a device name on Windows"),
    ("aux.py", "is a device name on Windows"),
    ("PRN.", "is a device name on Windows"),
    ("COM1", "is a device name on Windows"),
    ("com0.log", "is a device name on Windows"),
    ("LPT9", "is a device name on Windows"),
    ("lpt².x", "is a device name on Windows"),
    ("CONIN$", "is a device name on Windows"),
    ("conout$", "is a device name on Windows"),
    ("name:stream", "has a character that Windows reserves"),
    ("what?", "has a character that Windows reserves"),
    ("a*", "has a character that Windows reserves"),
    ('"a"', "has a character that Windows reserves"),
    ("dot.", "ends in a dot or a space, which Windows drops"),
    ("space ", "ends in a dot or a space, which Windows drops"),
]

SAFE = [
    "a",
    "a/b.py",
    ".hidden",
    "..a",
    "a..b/...c",
    "a b/(c).tmpl",
    "ä/日本",
    "x" * 255,
    "console.py",
    "com10",
]


@pytest.mark.parametrize(("path", "fault"), UNSAFE)
def test_what_leaves_its_directory_is_no_path_and_no_name(path: str, fault: str) -> None:
    assert path_fault(path) == fault
    assert path_fault(path, windows=True) == fault
    assert name_fault(path) in (fault, "is not a plain name")
    with pytest.raises(CzscieError, match=r"a\.zip contains an unsafe path: "):
        checked_path(path, "a.zip")
    with pytest.raises(CzscieError, match=r"a\.zip contains an unsafe path: "):
        checked_name(path, "a.zip")


@pytest.mark.parametrize(("name", "fault"), WINDOWS_OWN)
def test_what_windows_reserves_is_a_path_elsewhere_and_never_a_name(name: str, fault: str) -> None:
    for path in (name, f"a/{name}", f"{name}/a"):
        assert path_fault(path) is None
        assert path_fault(path, windows=True) == fault
    assert name_fault(name) == fault


@pytest.mark.parametrize("path", SAFE)
def test_a_safe_path_is_itself(path: str) -> None:
    assert checked_path(path, "a.zip", windows=True) == path
    assert path_fault(f"dir/{path}", windows=True) is None


@pytest.mark.parametrize(
    "paths",
    [["a", "a"], ["a", "a/b"], ["a/b/c", "a"], ["a/b", "x", "a/b/c/d"]],
    ids=lambda paths: "+".join(paths),
)
def test_a_path_that_is_there_twice_or_leads_through_another_is_refused(paths: list[str]) -> None:
    for platform in (None, LINUX, MACOS, WINDOWS):
        for order in (paths, paths[::-1]):
            with pytest.raises(
                CzscieError, match=r"it contains .* (twice|both as a file and as a directory)"
            ):
                check_together(order, "it", platform)


NFC = "caf\N{LATIN SMALL LETTER E WITH ACUTE}"
COLLISIONS = [
    ("README", "readme"),
    ("a/B", "a/b"),
    ("A/x", "a/y"),
    ("STRASSE", "straße"),
    (NFC, unicodedata.normalize("NFD", NFC)),
    (NFC.upper(), unicodedata.normalize("NFD", NFC)),
]


@pytest.mark.parametrize(("one", "other"), COLLISIONS)
def test_what_is_one_file_where_case_does_not_count_is_refused_there(one: str, other: str) -> None:
    check_together([one, other], "it")
    check_together([one, other], "it", LINUX)
    for platform in (MACOS, WINDOWS):
        with pytest.raises(CzscieError, match="which are one file on case-insensitive file systems"):
            check_together([one, other], "it", platform)


def test_a_file_may_not_be_a_directory_in_another_case() -> None:
    check_together(["Lib", "lib/x"], "it", LINUX)
    with pytest.raises(CzscieError, match="it contains 'Lib' both as a file and as a directory"):
        check_together(["Lib", "lib/x"], "it", MACOS)


def test_directories_count_as_what_lies_in_them() -> None:
    check_together(["a/x"], "it", WINDOWS, ["a", "b/c"])
    with pytest.raises(CzscieError, match="it contains 'b' both as a file and as a directory"):
        check_together(["b"], "it", None, ["b/c"])
    with pytest.raises(CzscieError, match="which are one file on case-insensitive file systems"):
        check_together(["a/x"], "it", MACOS, ["A"])


def test_devices_are_refused_where_the_target_is_windows() -> None:
    check_together(["pkg/aux.py"], "it", LINUX)
    with pytest.raises(CzscieError, match=r"'pkg/aux\.py' is a device name on Windows"):
        check_together(["pkg/aux.py"], "it", WINDOWS)
