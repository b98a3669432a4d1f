from __future__ import annotations

import pytest

from czex.factories import CPYTHON_311, CPYTHON_313, CPYTHON_313T, WINDOWS_313, pex, wheel
from czscie.czex.pex import Pex
from czscie.czex.resolve import WheelSelection, resolve
from czscie.errors import CzscieError
from czscie.pbs.distribution import Layout
from czscie.platforms import find_platform

PURE = "1.0-py3-none-any.whl"


def on_linux(made: Pex, layout: Layout = CPYTHON_313) -> WheelSelection:
    return resolve(made, find_platform("linux-x86_64"), layout.implementation)


def names(resolution: WheelSelection) -> list[str]:
    return [found.filename for found in resolution.wheels]


def reasons(resolution: WheelSelection) -> dict[str, str]:
    return {left.wheel.filename: left.reason for left in resolution.left_out}


def test_requirements_are_followed_to_the_end_in_the_order_of_their_finding() -> None:
    made = pex(
        wheel(f"a-{PURE}", requires=["c", "b"]),
        wheel(f"b-{PURE}", requires=["a"]),
        wheel(f"c-{PURE}", requires=["D_D"]),
        wheel(f"d_d-{PURE}"),
        wheel(f"e-{PURE}"),
        requirements=["a"],
    )
    resolution = on_linux(made)
    assert names(resolution) == [f"a-{PURE}", f"c-{PURE}", f"d_d-{PURE}", f"b-{PURE}"]
    assert reasons(resolution) == {f"e-{PURE}": "nothing requires it"}


def test_of_several_wheels_the_one_with_the_most_specific_tags_is_taken() -> None:
    filenames = [
        "a-2.0-py3-none-any.whl",
        "a-1.0-cp39-abi3-manylinux_2_17_x86_64.whl",
        "a-1.0-cp313-cp313-manylinux2014_x86_64.whl",
        "a-1.0-cp313-cp313-macosx_11_0_arm64.whl",
        "a-1.0-cp312-cp312-manylinux2014_x86_64.whl",
    ]
    resolution = on_linux(pex(*map(wheel, filenames), requirements=["a"]))
    assert names(resolution) == ["a-1.0-cp313-cp313-manylinux2014_x86_64.whl"]
    taken = "a-1.0-cp313-cp313-manylinux2014_x86_64.whl is used instead"
    assert reasons(resolution) == {
        "a-2.0-py3-none-any.whl": taken,
        "a-1.0-cp39-abi3-manylinux_2_17_x86_64.whl": taken,
        "a-1.0-cp313-cp313-macosx_11_0_arm64.whl": (
            "cp313-cp313-macosx_11_0_arm64 does not run on linux-x86_64 with CPython 3.13.9"
        ),
        "a-1.0-cp312-cp312-manylinux2014_x86_64.whl": (
            "cp312-cp312-manylinux2014_x86_64 does not run on linux-x86_64 with CPython 3.13.9"
        ),
    }


def test_then_the_newest_version_and_the_latest_build() -> None:
    filenames = ["a-1.9-py3-none-any.whl", "a-1.10-1-py3-none-any.whl", "a-1.10-2-py3-none-any.whl"]
    made = pex(*map(wheel, filenames), requirements=["a"])
    assert names(on_linux(made)) == ["a-1.10-2-py3-none-any.whl"]
    backwards = pex(*map(wheel, reversed(filenames)), requirements=["a"])
    assert names(on_linux(backwards)) == ["a-1.10-2-py3-none-any.whl"]


def test_a_version_that_is_asked_for_is_taken_though_a_newer_one_is_there() -> None:
    filenames = ["a-1.0-py3-none-any.whl", "a-2.0-py3-none-any.whl", "a-3.0rc1-py3-none-any.whl"]
    assert names(on_linux(pex(*map(wheel, filenames), requirements=["a<2"]))) == [filenames[0]]
    assert names(on_linux(pex(*map(wheel, filenames), requirements=["a>1"]))) == [filenames[2]]


def test_a_version_of_before_pep_440_meets_what_names_it_and_what_names_none() -> None:
    legacy = wheel("a-2004d_x-py3-none-any.whl")
    assert names(on_linux(pex(legacy, requirements=["a"]))) == [legacy.filename]
    assert names(on_linux(pex(legacy, requirements=[f"a==={legacy.version}"]))) == [legacy.filename]
    with pytest.raises(CzscieError):
        on_linux(pex(legacy, requirements=["a>=1"]))


def test_the_wheels_of_another_python_version_are_left_out() -> None:
    made = pex(
        wheel("a-1.0-py3-none-any.whl"),
        wheel("a-2.0-py3-none-any.whl", requires_python=">=3.12"),
        requirements=["a"],
    )
    assert names(on_linux(made)) == ["a-2.0-py3-none-any.whl"]
    older = on_linux(made, CPYTHON_311)
    assert names(older) == ["a-1.0-py3-none-any.whl"]
    assert reasons(older) == {"a-2.0-py3-none-any.whl": "it needs Python >=3.12"}


def test_a_free_threaded_python_gets_its_own_wheels() -> None:
    filenames = [f"a-1.0-cp313-{abi}-manylinux2014_x86_64.whl" for abi in ("cp313", "cp313t", "abi3")]
    made = pex(*map(wheel, filenames), requirements=["a"])
    assert names(on_linux(made, CPYTHON_313T)) == [filenames[1]]
    assert names(on_linux(made)) == [filenames[0]]


def test_wheels_that_ask_for_a_newer_glibc_than_allowed_are_left_out() -> None:
    filenames = [f"a-1.0-cp313-cp313-manylinux_2_{minor}_x86_64.whl" for minor in (17, 34)]
    made = pex(*map(wheel, filenames), requirements=["a"])
    linux = find_platform("linux-x86_64")
    assert names(resolve(made, linux, CPYTHON_313.implementation)) == [filenames[1]]
    assert names(resolve(made, linux, CPYTHON_313.implementation, (2, 28))) == [filenames[0]]


def test_markers_decide_for_the_target() -> None:
    made = pex(
        wheel(f"a-{PURE}", requires=["b; sys_platform == 'win32'", "c; python_version < '3.12'"]),
        wheel(f"b-{PURE}"),
        wheel(f"c-{PURE}"),
        requirements=["a", "missing; python_version < '3'"],
    )
    assert names(on_linux(made)) == [f"a-{PURE}"]
    assert names(on_linux(made, CPYTHON_311)) == [f"a-{PURE}", f"c-{PURE}"]
    windows = resolve(made, find_platform("windows-x86_64"), WINDOWS_313.implementation)
    assert names(windows) == [f"a-{PURE}", f"b-{PURE}"]


def test_of_a_project_required_in_several_ways_every_extra_is_followed() -> None:
    made = pex(
        wheel("a-1.0-py3-none-any.whl", requires=["x; extra == 'x-1'", "y; extra == 'y'", "z; extra == 'z'"]),
        wheel(f"b-{PURE}", requires=["a[Z]"]),
        *(wheel(f"{name}-{PURE}") for name in "xyz"),
        requirements=["a[X_1]; python_version > '3'", "a[y]==1.0", "b"],
    )
    assert names(on_linux(made)) == [f"{name}-{PURE}" for name in ("a", "x", "y", "b", "z")]


def test_a_requirement_of_the_pex_itself_is_stronger_than_that_of_a_wheel() -> None:
    made = pex(
        wheel(f"a-{PURE}", requires=["b"]),
        wheel("b-1.0-py3-none-any.whl"),
        wheel("b-2.0-py3-none-any.whl"),
        requirements=["a", "b<2"],
    )
    assert names(on_linux(made)) == [f"a-{PURE}", "b-1.0-py3-none-any.whl"]


def test_exclusions_and_overrides_of_the_pex_hold() -> None:
    made = pex(
        wheel(f"a-{PURE}", requires=["b", "c", "d==9"]),
        wheel(f"d-{PURE}"),
        wheel(f"e-{PURE}"),
        requirements=["a", "f"],
        excluded=["b", "f"],
        overridden=["c=e", "d"],
    )
    assert names(on_linux(made)) == [f"a-{PURE}", f"e-{PURE}", f"d-{PURE}"]


def test_what_is_missing_is_named_with_who_requires_it_and_what_is_there() -> None:
    made = pex(
        wheel(f"a-{PURE}", requires=["b>=2", "c"]),
        wheel("b-1.0-py3-none-any.whl"),
        wheel("b-2.0-cp313-cp313-win_amd64.whl"),
        requirements=["a", "absent==1"],
    )
    with pytest.raises(CzscieError) as error:
        on_linux(made)
    assert str(error.value).splitlines() == [
        "error: test.pex lacks what linux-x86_64 with CPython 3.13.9 needs",
        "  absent==1; the PEX contains no wheel of that project",
        "  b>=2, required by a 1.0; the PEX contains only:",
        "    b-1.0-py3-none-any.whl: does not meet the requirement",
        "    b-2.0-cp313-cp313-win_amd64.whl: cp313-cp313-win_amd64 does not run on linux-x86_64 with "
        "CPython 3.13.9",
        "  c, required by a 1.0; the PEX contains no wheel of that project",
        "hint: build the PEX for this target too (pex --platform linux-x86_64-cp-3.13.9-cp313 …), or give "
        "[lift.payload] requirements in place of pex",
    ]


def test_a_pex_that_may_run_incomplete_is_resolved_and_says_what_is_missing() -> None:
    made = pex(
        wheel(f"a-{PURE}", requires=["b", "c"]), wheel(f"c-{PURE}"), requirements=["a"], ignore_errors=True
    )
    resolution = on_linux(made)
    assert names(resolution) == [f"a-{PURE}", f"c-{PURE}"]
    assert [(item.requirement, item.required_by) for item in resolution.missing] == [("b", "a 1.0")]


def test_an_interpreter_that_the_pex_does_not_allow_is_an_error() -> None:
    made = pex(interpreter_constraints=["CPython==3.11.*", "PyPy"])
    assert on_linux(made, CPYTHON_311).wheels == ()
    with pytest.raises(CzscieError) as error:
        on_linux(made)
    assert str(error.value).splitlines() == [
        "error: test.pex does not run with CPython 3.13.9",
        "  its interpreter constraints are: CPython==3.11.* or PyPy",
        "hint: choose another version in [[lift.interpreters]]",
    ]


def test_metadata_that_cannot_be_understood_matters_only_where_it_is_needed() -> None:
    broken = wheel(f"b-{PURE}", requires=["?"])
    assert names(on_linux(pex(wheel(f"a-{PURE}"), broken, requirements=["a"]))) == [f"a-{PURE}"]
    with pytest.raises(CzscieError, match=f"b-{PURE} has an invalid requirement"):
        on_linux(pex(broken, requirements=["b"]))
