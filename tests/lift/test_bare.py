from __future__ import annotations

from czscie.lift.bare import Bare
from czscie.platforms import find_platform

LINUX, WINDOWS = find_platform("linux-x86_64"), find_platform("windows-x86_64")


def test_nothing_is_added_that_nobody_asked_for() -> None:
    assert Bare().projects(LINUX) == ()
    assert Bare(certificates=True).projects(LINUX) == ("certifi",)
    assert Bare(certificates=True, tzdata=True).projects(LINUX) == ("certifi", "tzdata")


def test_windows_has_certificates_and_no_time_zones() -> None:
    assert Bare(certificates=True, tzdata=True).projects(WINDOWS) == ("tzdata",)
