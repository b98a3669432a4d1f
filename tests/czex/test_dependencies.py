from __future__ import annotations

import pytest
from packaging.requirements import Requirement

from czex.factories import CPYTHON_313
from czscie.czex.dependencies import DependencyChanges
from czscie.czex.info import PexInfo
from czscie.czex.target import Target
from czscie.errors import CzscieError
from czscie.platforms import find_platform

TARGET = Target(find_platform("linux-x86_64"), CPYTHON_313.implementation)


def changes(**info: tuple[str, ...]) -> DependencyChanges:
    return DependencyChanges.of(PexInfo(**info), "a.pex")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("excluded", "requirement", "is_excluded"),
    [
        ("cow", "cow", True),
        ("Cow", "cow>=7", True),
        ("cow", "calf", False),
        ("cow<2", "cow<1.5", True),
        ("cow<2", "cow==1.4", True),
        ("cow<2", "cow~=1.4", True),
        ("cow<2", "cow>=1,<2", True),
        ("cow<2", "cow", False),
        ("cow<2", "cow>=1", False),
        ("cow<2", "cow>=3", False),
        ("cow<2", "cow<=2", False),
        ("cow!=1.5", "cow==1.5", False),
        ("cow!=1.5", "cow==1.6", True),
    ],
)
def test_an_exclusion_covers_requirements_that_accept_nothing_else(
    excluded: str, requirement: str, is_excluded: bool
) -> None:
    assert changes(excluded=(excluded,)).excludes(Requirement(requirement)) == is_excluded


def test_an_override_takes_the_place_of_a_requirement() -> None:
    found = changes(overridden=("cow==2", "old-cow=new_cow>1"))
    assert str(found.replace(Requirement("Cow<1"), TARGET, "a.pex")) == "cow==2"
    assert str(found.replace(Requirement("old.cow"), TARGET, "a.pex")) == "new_cow>1"
    assert str(found.replace(Requirement("calf"), TARGET, "a.pex")) == "calf"


def test_an_override_applies_where_its_marker_holds() -> None:
    found = changes(overridden=("cow==1; sys_platform == 'win32'", "cow==2; sys_platform == 'linux'"))
    assert found.replace(Requirement("cow"), TARGET, "a.pex").specifier == Requirement("cow==2").specifier


def test_two_overrides_that_apply_are_an_error() -> None:
    with pytest.raises(CzscieError) as error:
        changes(overridden=("cow==1", "cow==2")).replace(Requirement("cow"), TARGET, "a.pex")
    assert error.value.what.startswith("a.pex overrides cow in more than one way for linux-x86_64")
    assert error.value.why == ("cow==1", "cow==2")


def test_what_is_no_requirement_is_an_error() -> None:
    with pytest.raises(CzscieError, match=r"PEX-INFO of a.pex has an invalid requirement: \?"):
        changes(excluded=("?",))
