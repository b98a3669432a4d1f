"""integration/native/test_regular_expression.py compares this grammar with the launcher's."""

from __future__ import annotations

import pytest

from czscie.scie.regular_expression import ExpressionError, check_expression


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "PEX_.*",
        "^PYTHON(HOME|PATH)?$",
        "(?i)a{2,3}?",
        "[^]a-z\\d-]",
        r"\x41\.\bA\b",
        "(?P<n>[[:^alpha:]])",
        "a|",
        "()",
    ],
)
def test_what_the_launcher_supports_is_accepted(pattern: str) -> None:
    check_expression(pattern)


@pytest.mark.parametrize(
    ("pattern", "position"),
    [
        ("a)", 1),
        ("(a", 2),
        ("a(?=b)", 2),
        ("ab**", 3),
        ("*", 0),
        ("^*", 1),
        ("a{,2}", 1),
        ("a{3,2}", 1),
        ("[a", 2),
        ("[z-a]", 4),
        ("[a&&b]", 2),
        (r"\1", 1),
        (r"\xff", 1),
        ("é", 0),
        ("(?m)a", 1),
        ("(" * 60 + ")" * 60, 50),
        ("((a{99}){99}){99}", 12),
    ],
)
def test_everything_else_is_refused_with_its_position(pattern: str, position: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        check_expression(pattern)
    assert caught.value.position == position
