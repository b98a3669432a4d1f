"""Sites, servers that reload and workers of queues do the same in an executable."""

from __future__ import annotations

from collections.abc import Callable

from e2e.situation import Case

SET = "web"


def test_it_prints_what_it_prints_in_a_plain_virtual_environment(
    run_case: Callable[[Case], str], case: Case
) -> None:
    assert run_case(case) == case.expected
