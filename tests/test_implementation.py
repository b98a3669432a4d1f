from __future__ import annotations

import platform
import sys

import pytest
from packaging.markers import default_environment
from packaging.tags import sys_tags

from czscie.implementation import CPYTHON, Implementation

HERE = Implementation(CPYTHON, platform.python_version(), "t" in getattr(sys, "abiflags", ""))


@pytest.mark.parametrize("text", ["3.13.9", "3.14.0rc2t", "3.9.0t", "3.9.16-pypy7.3.11"])
def test_what_is_written_is_read_back(text: str) -> None:
    python = Implementation.parse(text)
    assert (str(python), python.free_threaded) == (text, text.endswith("t"))


def test_pypy_has_the_tags_that_packaging_finds_on_one() -> None:
    """Those that packaging 26 prints on PyPy 7.3.11 with Python 3.9 (`sys_tags`), for one platform."""
    python = Implementation.parse("3.9.16-pypy7.3.11")
    tags = list(map(str, python.tags(["linux_x86_64"])))
    assert tags[:4] == [
        "pp39-pypy39_pp73-linux_x86_64",
        "pp39-none-linux_x86_64",
        "py39-none-linux_x86_64",
        "py3-none-linux_x86_64",
    ]
    at = tags.index("pp3-none-any")
    assert tags[at : at + 3] == ["pp3-none-any", "py39-none-any", "py3-none-any"]
    assert not any(tag.startswith("cp") or "abi3" in tag for tag in tags)


def test_pypy_has_the_markers_that_packaging_finds_on_one() -> None:
    assert Implementation.parse("3.9.16-pypy7.3.11").markers == {
        "implementation_name": "pypy",
        "implementation_version": "7.3.11",
        "platform_python_implementation": "PyPy",
        "python_full_version": "3.9.16",
        "python_version": "3.9",
    }


def test_a_free_threaded_one_has_names_of_its_own() -> None:
    python = Implementation.parse("3.13.9t")
    assert (python.python_tag, python.abi_tag, python.unix_name) == ("cp313", "cp313t", "python3.13t")


def test_the_tags_of_this_python_are_those_that_packaging_finds() -> None:
    here = list(dict.fromkeys(sys_tags()))
    platforms = list(dict.fromkeys(tag.platform for tag in here if tag.platform != "any"))
    assert list(dict.fromkeys(HERE.tags(platforms))) == here


def test_its_markers_are_those_that_packaging_finds() -> None:
    found: dict[str, str] = {**default_environment()}  # type: ignore[dict-item]
    assert HERE.markers.items() <= found.items()
