from __future__ import annotations

import pytest
from packaging.requirements import Requirement

from czex.factories import CPYTHON_311, CPYTHON_313, CPYTHON_313T, WINDOWS_313
from czscie.czex.target import Target
from czscie.errors import CzscieError
from czscie.pbs.distribution import Layout
from czscie.platforms import find_platform

LINUX = find_platform("linux-x86_64")


def tags(platform: str, layout: Layout = CPYTHON_313, **options: tuple[int, int]) -> list[str]:
    return [str(tag) for tag in Target(find_platform(platform), layout.implementation, **options).tags]


def test_the_most_specific_tags_come_first() -> None:
    found = tags("linux-x86_64", glibc=(2, 28))
    assert found[0] == "cp313-cp313-manylinux_2_28_x86_64"
    order = [
        "cp313-cp313-manylinux2014_x86_64",
        "cp313-abi3-manylinux_2_28_x86_64",
        "cp313-none-manylinux_2_28_x86_64",
        "cp39-abi3-manylinux_2_17_x86_64",
        "py313-none-manylinux_2_28_x86_64",
        "py3-none-any",
    ]
    assert [found.index(tag) for tag in order] == sorted(found.index(tag) for tag in order)
    assert "cp313-cp313-manylinux_2_29_x86_64" not in found
    assert len(found) == len(set(found))


def test_every_platform_has_tags_of_its_own() -> None:
    assert "cp313-cp313-musllinux_1_2_aarch64" in tags("musl-linux-aarch64")
    assert "cp313-cp313-manylinux_2_17_aarch64" not in tags("musl-linux-aarch64")
    assert "cp313-cp313-macosx_11_0_arm64" in tags("macos-aarch64")
    assert "cp313-cp313-macosx_10_13_universal2" in tags("macos-x86_64")
    assert "cp313-cp313-win_amd64" in tags("windows-x86_64", WINDOWS_313)
    assert "cp311-cp311-manylinux_2_17_x86_64" in tags("linux-x86_64", CPYTHON_311)


def test_a_free_threaded_cpython_takes_no_wheels_of_the_other_abi() -> None:
    found = tags("linux-x86_64", CPYTHON_313T)
    assert "cp313-cp313t-manylinux_2_17_x86_64" in found
    assert "cp313-cp313-manylinux_2_17_x86_64" not in found
    assert not any("abi3-" in tag for tag in found)
    assert "py3-none-any" in found


def test_markers_are_those_of_the_target_not_of_the_host() -> None:
    windows = Target(find_platform("windows-aarch64"), WINDOWS_313.implementation)
    requirement = Requirement("x; sys_platform == 'win32' and platform_machine == 'ARM64'")
    assert windows.applies(requirement, frozenset(), "x")
    assert not Target(LINUX, CPYTHON_313.implementation).applies(requirement, frozenset(), "x")
    exact = Requirement("x; python_full_version == '3.13.9'")
    assert windows.applies(exact, frozenset(), "x")


def test_a_marker_holds_for_any_of_the_extras() -> None:
    target = Target(LINUX, CPYTHON_313.implementation)
    requirement = Requirement("x; extra == 'b'")
    assert target.applies(requirement, frozenset({"a", "b"}), "x")
    assert not target.applies(requirement, frozenset({"a"}), "x")
    assert not target.applies(requirement, frozenset(), "x")


@pytest.mark.parametrize(
    ("constraint", "satisfied"),
    [
        ("CPython>=3.9,<3.14", True),
        ("CPython==3.13.*", True),
        (">=3.14", False),
        ("==3.13.9", True),
        ("CPython", True),
        ("PyPy>=3", False),
        ("CPython+t", False),
        ("CPython-t==3.13.*", True),
        ("CPython[gil]>=3.8", True),
        ("CPython[free-threaded]>=3.8", False),
    ],
)
def test_interpreter_constraints_are_those_of_pex(constraint: str, satisfied: bool) -> None:
    assert Target(LINUX, CPYTHON_313.implementation).satisfies(constraint) == satisfied


def test_a_free_threaded_cpython_satisfies_constraints_that_ask_for_one() -> None:
    target = Target(LINUX, CPYTHON_313T.implementation)
    assert target.satisfies("CPython+t>=3.13")
    assert target.satisfies("CPython>=3.13")
    assert not target.satisfies("CPython-t>=3.13")


def test_a_constraint_that_is_none_is_an_error() -> None:
    with pytest.raises(CzscieError, match="an invalid interpreter constraint: Jython>=2"):
        Target(LINUX, CPYTHON_313.implementation).satisfies("Jython>=2")


def test_a_target_says_what_it_is() -> None:
    assert str(Target(LINUX, CPYTHON_313.implementation)) == "linux-x86_64 with CPython 3.13.9"
    limited = Target(LINUX, CPYTHON_313T.implementation, (2, 28))
    assert str(limited) == "linux-x86_64 (glibc 2.28) with CPython 3.13.9 free-threaded"
    assert str(Target(find_platform("macos-aarch64"), CPYTHON_313.implementation, (2, 28))).startswith(
        "macos-aarch64 with"
    )
