"""Versions as packaging has them: whatever this module says, packaging says too."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from packaging.specifiers import InvalidSpecifier, Specifier, SpecifierSet
from packaging.version import InvalidVersion
from packaging.version import Version as Packagings

from czex.bootstrap import strategies
from czscie.czex.bootstrap.versions import Version, accepts, is_specifier

VERSIONS = [
    "0",
    "1",
    "1.0",
    "1.0.0",
    "1.0.1",
    "1.1",
    "1.10",
    "1.2",
    "2",
    "2.7.18",
    "3.8.0a1",
    "3.8.0b2",
    "3.8.0rc1",
    "3.8.0",
    "3.8.0.post1",
    "3.8.0.post1.dev3",
    "3.8.0.dev1",
    "3.8.0a1.dev1",
    "3.8.0a1.post2",
    "3.8.1",
    "3.13.9",
    "3.14.0rc1",
    "3.14",
    "1!1.0",
    "1.0+local",
    "1.0+local.2",
    "1.0-1",
    "v1.0",
    "1.0c1",
    "1.0-alpha.2",
]


def test_they_are_ordered_as_packaging_orders_them() -> None:
    for one, other in itertools.product([text for text in VERSIONS if "+" not in text], repeat=2):
        assert (Version(one).key < Version(other).key) is (Packagings(one) < Packagings(other)), (one, other)
        assert (Version(one).key == Version(other).key) is (Packagings(one) == Packagings(other)), (
            one,
            other,
        )


@pytest.mark.parametrize("operator", ["==", "!=", "<=", ">=", "<", ">", "~=", "==*", "!=*"])
def test_specifiers_accept_what_packaging_accepts(operator: str) -> None:
    for version, wanted in itertools.product(VERSIONS, repeat=2):
        plain, star = operator[:2].rstrip("*"), operator.endswith("*")
        known = Packagings(wanted)
        if known.local and operator not in ("==", "!="):
            continue
        if star and (known.is_prerelease or known.is_postrelease or known.local):
            continue
        if plain == "~=" and len(known.release) < 2:
            continue
        suffix = ".*" if star else ""
        expected = SpecifierSet(f"{plain}{wanted}{suffix}").contains(version, prereleases=True)
        assert accepts([[plain, wanted + suffix]], version) is expected, f"{version} {plain} {wanted}{suffix}"


@given(strategies.texts)
@settings(max_examples=150, deadline=None)
def test_what_packaging_takes_for_a_version_is_one(text: str) -> None:
    try:
        Packagings(text)
    except InvalidVersion:
        with pytest.raises(ValueError, match="is not a version"):
            Version(text)
    else:
        Version(text)


@given(strategies.versions, strategies.versions)
@settings(max_examples=150, deadline=None)
def test_any_two_versions_are_ordered_as_packaging_orders_them(one: str, other: str) -> None:
    known, known_other = (Packagings(Packagings(text).public) for text in (one, other))
    assert (Version(one).key < Version(other).key) is (known < known_other)
    assert (Version(one).key == Version(other).key) is (known == known_other)


@given(strategies.specifiers, strategies.versions)
@settings(max_examples=150, deadline=None)
def test_any_specifier_accepts_what_packaging_accepts(specifier: tuple[str, str], version: str) -> None:
    try:
        known = Specifier("".join(specifier))
    except InvalidSpecifier:
        assert not is_specifier(*specifier)
    else:
        assert is_specifier(*specifier)
        assert accepts([list(specifier)], version) is known.contains(version, prereleases=True)


@pytest.mark.parametrize(
    ("version", "local"), [("1+1", "1+01"), ("1+a.7", "1+a-07"), ("1+A", "1+a"), ("1+0a", "1+0A")]
)
def test_local_parts_are_compared_as_numbers_where_they_are(version: str, local: str) -> None:
    assert accepts([["==", local]], version)
    assert Packagings(version) == Packagings(local)


def test_every_specifier_must_accept() -> None:
    assert accepts([[">=", "3.8"], ["<", "3.14"]], "3.13.9")
    assert not accepts([[">=", "3.8"], ["<", "3.13"]], "3.13.9")
    assert accepts([], "3.13.9")


def test_an_old_prefix_with_an_order_is_what_it_meant() -> None:
    assert accepts([[">=", "3.6.*"]], "3.6.0")


@pytest.mark.parametrize("text", ["", "x", "1.x", "1..2", "6.1.0-generic", "\u0663.1", "1.0po\u017ft1"])
def test_what_is_no_version_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="is not a version"):
        Version(text)


def test_what_is_no_operator_is_told() -> None:
    with pytest.raises(ValueError, match="is not an operator"):
        accepts([["in", "1"]], "1")
