"""A project's requirements beside those in its lock."""

from __future__ import annotations

from czscie.lock.project import Project

#: As pyproject.toml has them, and as build backends write them into a wheel.
WRITTEN = ("Pig >= 1", "cow", 'calf<2,>1 ; extra == "herd"')
BUILT = ('calf>1,<2; extra == "herd"', "cow", "pig>=1")


def test_the_same_requirements_are_those_of_the_lock() -> None:
    assert Project({}, WRITTEN).requires_like(BUILT) == BUILT


def test_other_requirements_are_the_projects() -> None:
    assert Project({}, WRITTEN).requires_like(BUILT[1:]) == WRITTEN
    assert Project({}, WRITTEN).requires_like(None) == WRITTEN
    assert Project({}, ("not a requirement!",)).requires_like(BUILT) == ("not a requirement!",)


def test_requirements_that_only_a_build_tells_are_those_of_the_lock() -> None:
    assert Project({}, None).requires_like(BUILT) == BUILT
