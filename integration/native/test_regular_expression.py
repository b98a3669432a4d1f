"""The launcher's regular expressions match what Python's do, and czscie refuses those that it refuses."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from czscie.scie.regular_expression import ExpressionError, check_expression
from integration.native.zig_program import compile_program

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="runs a program of this name")

#: Verdicts on pairs of a pattern and a text.
Judge = Callable[[Sequence[tuple[bytes, bytes]]], list[str]]
#: A pattern as the launcher and as Python spells it.
Pattern = tuple[str, str]

SETTINGS = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
TEXTS = st.lists(st.text("aAbBz_09- .\n", max_size=12).map(str.encode), min_size=1, max_size=8)


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Judge:
    program = compile_program("expressions", "regular_expression", tmp_path_factory.mktemp("expressions"))

    def judge(pairs: Sequence[tuple[bytes, bytes]]) -> list[str]:
        lines = "".join(f"{pattern.hex()},{text.hex()}\n" for pattern, text in pairs)
        done = subprocess.run([program], input=lines, capture_output=True, text=True, timeout=120, check=True)
        return done.stdout.split()

    return judge


def same(text: str) -> Pattern:
    return text, text


def _classes() -> st.SearchStrategy[Pattern]:
    members = st.sampled_from(
        [
            same("a"),
            same("A-Z"),
            same("a-b"),
            same("_"),
            same(r"\d"),
            same(r"\W"),
            same(r"\."),
            ("[:alpha:]", "a-zA-Z"),
        ]
    )
    several = st.lists(members, min_size=1, max_size=4)
    return st.tuples(st.sampled_from(["", "^"]), several).map(
        lambda each: (
            f"[{each[0]}{''.join(ours for ours, _ in each[1])}]",
            f"[{each[0]}{''.join(theirs for _, theirs in each[1])}]",
        )
    )


LEAVES = (
    st.sampled_from(
        [
            *map(
                same, ["a", "b", "A", "z", "_", "0", "-", " ", ".", r"\d", r"\w", r"\s", r"\D", r"\W", r"\S"]
            ),
            *map(same, [r"\.", r"\x41", r"\n", r"\-"]),
        ]
    )
    | _classes()
)
#: In Python, `$` matches before a line feed at the end, too, and `\B` never in an empty text (before 3.14).
ASSERTIONS = st.sampled_from(
    [same("^"), ("$", r"\Z"), same(r"\A"), (r"\z", r"\Z"), same(r"\b"), (r"\B", r"(?!\b)")]
)
QUANTIFIERS = st.sampled_from(["*", "+", "?", "{2}", "{1,}", "{0,2}", "{1,3}", "*?", "+?", "??", "{0,2}?"])


def _grown(inner: st.SearchStrategy[Pattern]) -> st.SearchStrategy[Pattern]:
    def both(function: Callable[[list[str]], str]) -> Callable[[list[Pattern]], Pattern]:
        return lambda parts: (
            function([ours for ours, _ in parts]),
            function([theirs for _, theirs in parts]),
        )

    lists = st.lists(inner, min_size=1, max_size=4)
    opened = st.sampled_from(["(", "(?:", "(?i:", "(?s:", "(?-i:"])
    grouped = st.tuples(opened, inner).map(
        lambda each: (f"{each[0]}{each[1][0]})", f"{each[0]}{each[1][1]})")
    )
    repeated = st.tuples(inner, QUANTIFIERS).map(
        lambda each: (f"(?:{each[0][0]}){each[1]}", f"(?:{each[0][1]}){each[1]}")
    )
    return (
        lists.map(both("".join))
        | st.lists(inner, min_size=2, max_size=3).map(both("|".join))
        | grouped
        | repeated
    )


PATTERNS = st.recursive(LEAVES | ASSERTIONS, _grown, max_leaves=12)


@SETTINGS
@given(patterns=st.lists(PATTERNS, min_size=1, max_size=20), texts=TEXTS)
def test_they_match_what_pythons_match(judge: Judge, patterns: list[Pattern], texts: list[bytes]) -> None:
    pairs = [(ours.encode(), text) for ours, _ in patterns for text in texts]
    expected = [
        "yes" if re.search(theirs.encode(), text) else "no" for _, theirs in patterns for text in texts
    ]
    found = judge(pairs)
    assert list(zip(pairs, found, strict=True)) == list(zip(pairs, expected, strict=True))
    for ours, _ in patterns:
        check_expression(ours)


def _is_supported(pattern: str) -> bool:
    try:
        check_expression(pattern)
    except ExpressionError:
        return False
    return True


@SETTINGS
@given(
    patterns=st.lists(
        st.text(r"ab(|)*+?{},0129[]^-\dwxBz$.:=!P<>i&~sé")
        | st.lists(
            st.sampled_from(
                [
                    "(?i",
                    "(?",
                    "(?P<a>",
                    "{2}",
                    "{2,1}",
                    "[",
                    "[^",
                    "]",
                    "[:alpha:]",
                    r"\x41",
                    ")",
                    "a",
                    "(",
                    "|",
                    "-",
                    "*",
                    r"\d",
                    r"\b",
                    ":",
                ]
            )
        ).map("".join),
        min_size=1,
        max_size=60,
    )
)
def test_czscie_refuses_what_the_launcher_refuses(judge: Judge, patterns: list[str]) -> None:
    found = judge([(pattern.encode(), b"") for pattern in patterns])
    assert [(pattern, verdict != "invalid") for pattern, verdict in zip(patterns, found, strict=True)] == [
        (pattern, _is_supported(pattern)) for pattern in patterns
    ]


def test_time_grows_with_the_text_and_not_with_its_powers(judge: Judge) -> None:
    assert judge([(b"^(a*)*(a|aa)+(a?){60}$", b"a" * 5000 + b"b")]) == ["no"]


def test_names_are_bytes(judge: Judge, tmp_path: Path) -> None:
    assert judge([(b"^.$", b"\xff"), (b"[^a]", b"\xc3\xa9"), (rb"\w", b"\xff")]) == ["yes", "yes", "no"]
