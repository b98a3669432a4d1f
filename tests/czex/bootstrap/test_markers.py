from __future__ import annotations

import pytest
from packaging.markers import Marker, default_environment

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


def test_without_a_marker_everything_applies() -> None:
    assert markers.holds(None, [], {})
