from __future__ import annotations

import pytest
from hypothesis import given, settings
from packaging.markers import Marker, UndefinedComparison, default_environment

from czex.bootstrap import strategies
from czscie.czex.bootstrap import markers
from czscie.czex.catalogue import marker_groups

MARKERS = """
python_version >= "3.8"
python_version < "3"
python_version in "2.7, 3.4"
python_full_version >= "3.8.0rc1"
sys_platform == "linux"
sys_platform != "win32" and python_version > "3.0"
os_name == "nt" or (sys_platform == "linux" and platform_machine == "x86_64")
os_name == "nt" or sys_platform == "darwin" or platform_python_implementation == "PyPy"
(os_name == "posix" or os_name == "nt") and (python_version < "3" or implementation_name == "cpython")
"linux" in sys_platform
"win" not in sys_platform
extra == "bell"
extra == "bell" or python_version < "2"
extra == "none" and python_version > "2"
implementation_version >= "3.8"
platform_system == "Linux"
""".strip().splitlines()


def test_this_pythons_values_are_those_of_packaging() -> None:
    assert markers.environment() == {
        name: value for name, value in default_environment().items() if name != "extra"
    }


@pytest.mark.parametrize("text", MARKERS)
@pytest.mark.parametrize("extra", ["", "bell"])
def test_a_marker_holds_when_packaging_says_so(text: str, extra: str) -> None:
    marker = Marker(text)
    expected = marker.evaluate({"extra": extra})
    groups = marker_groups(marker._markers)
    assert markers.holds(groups, [extra] if extra else [], markers.environment()) is expected


@given(strategies.markers, strategies.environments, strategies.extras)
@settings(max_examples=150, deadline=None)
def test_any_marker_holds_when_packaging_says_so(
    text: str, environment: dict[str, str], extras: list[str]
) -> None:
    marker = Marker(text)
    try:
        expected = any(marker.evaluate({**environment, "extra": extra}) for extra in extras or [""])
    except UndefinedComparison:
        return
    assert markers.holds(marker_groups(marker._markers), extras, environment) is expected


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('platform_release != "6.1"', "6.1.0-generic"),
        ('platform_release >= "6.1"', "6.1.0-generic"),
        ('platform_release == "6.1.0-generic"', "6.1.0-generic"),
        ('platform_machine >= "arm64"', "x86_64"),
        ('platform_machine >= "x86_64"', "x86_64"),
        ('platform_machine < "x86_64"', "arm64"),
        ('platform_version == "1.0"', "1"),
        ('python_version >= "3.6.*"', "3.8"),
        ('extra == "1.0"', "1"),
    ],
)
def test_texts_are_no_versions_and_have_no_order(text: str, value: str) -> None:
    marker = Marker(text)
    variables = {text.split()[0]: value}
    expected = marker.evaluate(variables)
    extras = [value] if "extra" in variables else []
    assert markers.holds(marker_groups(marker._markers), extras, variables) is expected


@pytest.mark.parametrize("operator", ["~=", "==="])
@pytest.mark.parametrize("name", ["os_name", "platform_machine", "extra"])
def test_texts_that_are_compared_as_versions_are_an_error(name: str, operator: str) -> None:
    marker = Marker(f'{name} {operator} "1.0"')
    with pytest.raises(UndefinedComparison):
        marker.evaluate({name: "1.0"})
    variables = {**markers.environment(), name: "1.0"}
    with pytest.raises(markers.Undefined, match="which are not versions"):
        markers.holds(marker_groups(marker._markers), ["1.0"], variables)
    about_python = Marker(f'python_version {operator} "3.8"')
    groups = marker_groups(about_python._markers)
    assert markers.holds(groups, [], {"python_version": "3.8"}) is True


def test_without_a_marker_everything_applies() -> None:
    assert markers.holds(None, [], {})
