from __future__ import annotations

import pytest

from czex.factories import files, wheel
from czscie.czex.info import PexInfo
from czscie.czex.layer_split import LayerSplit, projects_of_application

POINTS = "[console_scripts]\nmoo = moo.cli:main\n"
MOO = wheel("moo-1.0-py3-none-any.whl", {"moo/__init__.py": b"", "moo/cli.py": b""}, entry_points=POINTS)
COW = wheel("cow_herd-2.0-py3-none-any.whl", {"cow.py": b"", "cow_herd-2.0.data/scripts/milk": b""})
WHEELS = (MOO, COW)
SOURCES = files({"app.py": b""})


def test_with_sources_all_wheels_are_dependencies() -> None:
    assert LayerSplit().own(WHEELS, SOURCES, PexInfo(entry_point="moo.cli:main")) == set()


def test_wheels_that_are_named_are_the_applications() -> None:
    assert LayerSplit(frozenset({"cow-herd"})).own(WHEELS, SOURCES, PexInfo()) == {COW}


@pytest.mark.parametrize(
    ("info", "found"),
    [
        (PexInfo(entry_point="moo.cli:main"), MOO),
        (PexInfo(entry_point="cow"), COW),
        (PexInfo(script="milk"), COW),
        (PexInfo(script="moo"), MOO),
    ],
)
def test_without_sources_the_wheel_that_starts_is_the_applications(info: PexInfo, found: object) -> None:
    assert LayerSplit().own(WHEELS, (), info) == {found}


@pytest.mark.parametrize(
    ("needs", "found"),
    [
        ({"": {"moo", "grass"}, "moo": {"cow-herd"}}, {"moo", "grass"}),
        ({"": {"moo", "cow-herd", "grass"}, "moo": {"cow-herd"}, "cow-herd": {"grass"}}, {"moo"}),
        ({"": {"moo", "grass"}, "moo": {"cow-herd"}, "cow-herd": {"grass"}}, {"moo"}),
        ({"": {"moo", "cow-herd"}, "moo": {"cow-herd"}, "cow-herd": {"moo"}}, {"moo", "cow-herd"}),
        (
            {"": {"grass", "moo", "cow-herd"}, "grass": {"moo"}, "moo": {"cow-herd"}, "cow-herd": {"moo"}},
            {"grass"},
        ),
        ({}, set()),
    ],
)
def test_an_application_is_made_of_what_is_required_by_name_and_by_no_other(
    needs: dict[str, set[str]], found: set[str]
) -> None:
    assert projects_of_application(WHEELS, needs, PexInfo()) == found


def test_the_wheel_that_starts_is_of_the_application_though_another_requires_it() -> None:
    needs = {"": {"moo", "moo-plugin"}, "moo-plugin": {"moo"}}
    assert projects_of_application(WHEELS, needs, PexInfo(script="moo")) == {"moo", "moo-plugin"}
