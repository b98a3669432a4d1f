"""The Pythons at hand, 2.7 and newer, choose as packaging does."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from packaging import tags
from packaging.markers import Marker, UndefinedComparison
from packaging.specifiers import InvalidSpecifier, Specifier
from packaging.version import InvalidVersion, Version

import czscie.czex
from czex.bootstrap import strategies
from czscie.czex.catalogue import marker_groups

_CZEX = Path(czscie.czex.__file__).parent


class HostPython:
    """A Python of this host, which answers (verdicts.py)."""

    def __init__(self, path: Path) -> None:
        self._process = subprocess.Popen(
            [path, "-B", Path(__file__).with_name("verdicts.py"), _CZEX],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def ask(self, question: str, *arguments: object) -> Any:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps([question, arguments]).encode() + b"\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def end(self) -> None:
        self._process.communicate()


def paths() -> dict[str, Path]:
    """By version, what runs the tests and what pyenv built."""
    root = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
    found = {path.parents[1].name: path for path in root.glob("versions/*/bin/python")}
    return {platform.python_version(): Path(sys.executable), **found}


@pytest.fixture(scope="module", params=sorted(paths()))
def python(request: pytest.FixtureRequest) -> Iterator[HostPython]:
    python = HostPython(paths()[request.param])
    yield python
    python.end()


@given(strategies.texts)
@settings(max_examples=50, deadline=None)
def test_what_packaging_takes_for_a_version_is_one(python: HostPython, text: str) -> None:
    try:
        expected = bool(Version(text))
    except InvalidVersion:
        expected = False
    assert python.ask("is version", text) is expected


@given(strategies.versions, strategies.versions)
@settings(max_examples=50, deadline=None)
def test_versions_are_ordered_as_packaging_orders_them(python: HostPython, one: str, other: str) -> None:
    expected = Version(Version(one).public) < Version(Version(other).public)
    assert python.ask("is less", one, other) is expected


@given(strategies.specifiers, strategies.versions)
@settings(max_examples=50, deadline=None)
def test_specifiers_accept_what_packaging_accepts(
    python: HostPython, specifier: tuple[str, str], version: str
) -> None:
    try:
        expected = Specifier("".join(specifier)).contains(version, prereleases=True)
    except InvalidSpecifier:
        expected = False
    assert python.ask("accepts", *specifier, version) is expected


@given(strategies.markers, strategies.environments, strategies.extras)
@settings(max_examples=50, deadline=None)
def test_markers_hold_when_packaging_says_so(
    python: HostPython, text: str, environment: dict[str, str], extras: list[str]
) -> None:
    marker = Marker(text)
    try:
        expected = any(marker.evaluate({**environment, "extra": extra}) for extra in extras or [""])
    except UndefinedComparison:
        return
    assert python.ask("holds", marker_groups(marker._markers), extras, environment) is expected


def test_tags_are_those_of_packaging_in_its_order(python: HostPython) -> None:
    """packaging itself runs on new Pythons only, and is told what it would ask of an old one."""
    environment = python.ask("environment")
    if environment["platform_python_implementation"] != "CPython":
        pytest.skip("packaging names the ABI of CPython only")
    major, minor = (int(part) for part in environment["python_version"].split("."))
    flags = python.ask("flags")
    if flags is None:  # Python 2: what everybody compiles
        flags = "mu" if python.ask("wide") else "m"
    interpreter = f"cp{major}{minor}"
    expected = [
        *tags.cpython_tags((major, minor), abis=[interpreter + flags]),
        *tags.compatible_tags((major, minor), interpreter),
    ]
    assert [tuple(tag) for tag in python.ask("tags")] == [
        (tag.interpreter, tag.abi, tag.platform) for tag in expected
    ]
