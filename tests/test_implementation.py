from __future__ import annotations

import platform
import sys

import pytest
from packaging.markers import default_environment
from packaging.tags import sys_tags

from czscie.implementation import CPYTHON, Implementation

HERE = Implementation(CPYTHON, platform.python_version(), "t" in getattr(sys, "abiflags", ""))


@pytest.mark.parametrize("text", ["3.13.9", "3.14.0rc2t", "3.9.0t"])
def test_what_is_written_is_read_back(text: str) -> None:
    python = Implementation.parse(text)
    assert (str(python), python.free_threaded) == (text, text.endswith("t"))


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
