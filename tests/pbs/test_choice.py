from __future__ import annotations

import pytest

from czscie.errors import CzscieError
from czscie.pbs.assets import Asset
from czscie.pbs.choice import Wanted
from czscie.pbs.releases import Release, parse_checksums
from czscie.platforms import PLATFORMS, find_platform
from pbs.real import REAL_ASSETS, checksums


def release(tag: str) -> Release:
    return Release(tag, "", parse_checksums(checksums(tag), ""), None, fresh=True)


def made_up(*assets: tuple[str, str, str]) -> Release:
    """A release of (version, triple, flavor)."""
    digests = {Asset(version, "20260101", triple, flavor): "0" * 64 for version, triple, flavor in assets}
    return Release("20260101", "", digests, None, fresh=True)


def choose(version: str, flavor: str | None, platform: str, of: Release) -> str:
    asset, digest = Wanted.parse(version, flavor, find_platform(platform)).choose(of)
    assert digest == of.digests[asset]
    return asset.name


@pytest.mark.parametrize(
    ("version", "flavor", "chosen"),
    [
        ("3.13", None, "3.13.17+20261021-x86_64-unknown-linux-gnu-install_only_stripped.tar.gz"),
        ("3.13.17", None, "3.13.17+20261021-x86_64-unknown-linux-gnu-install_only_stripped.tar.gz"),
        ("3.1", None, None),
        ("3.13", "full", "3.13.17+20261021-x86_64-unknown-linux-gnu-pgo+lto-full.tar.zst"),
        ("3.13", "pgo+lto-full", "3.13.17+20261021-x86_64-unknown-linux-gnu-pgo+lto-full.tar.zst"),
        (
            "3.13t",
            "install_only_stripped",
            "3.13.17+20261021-x86_64-unknown-linux-gnu-freethreaded-install_only_stripped.tar.gz",
        ),
        (
            "3.13",
            "freethreaded-install_only_stripped",
            "3.13.17+20261021-x86_64-unknown-linux-gnu-freethreaded-install_only_stripped.tar.gz",
        ),
        ("3.13t", "full", "3.13.17+20261021-x86_64-unknown-linux-gnu-freethreaded+pgo+lto-full.tar.zst"),
        (
            "3.13t",
            "freethreaded+pgo+lto-full",
            "3.13.17+20261021-x86_64-unknown-linux-gnu-freethreaded+pgo+lto-full.tar.zst",
        ),
    ],
)
def test_a_real_release_holds_what_is_wanted(version: str, flavor: str | None, chosen: str | None) -> None:
    if chosen is None:
        with pytest.raises(CzscieError):
            choose(version, flavor, "linux-x86_64", release("20261021"))
    else:
        assert choose(version, flavor, "linux-x86_64", release("20261021")) == f"cpython-{chosen}"


@pytest.mark.parametrize("platform", [platform.name for platform in PLATFORMS])
def test_every_platform_gets_its_own_triple(platform: str) -> None:
    triples = {real["triple"] for real in REAL_ASSETS}
    everything = made_up(*(("3.13.9", triple, "install_only_stripped") for triple in triples))
    chosen = Asset.parse(choose("3.13", None, platform, everything))
    assert chosen.triple == find_platform(platform).triple
    assert "_v" not in chosen.triple


def test_the_newest_patch_is_the_greatest_number() -> None:
    triple = find_platform("linux-x86_64").triple
    patches = made_up(*((f"3.13.{patch}", triple, "install_only_stripped") for patch in (2, 10, 9)))
    assert "3.13.10+" in choose("3.13", None, "linux-x86_64", patches)


def test_a_prerelease_is_taken_only_where_nothing_is_final() -> None:
    triple, flavor = find_platform("linux-x86_64").triple, "install_only_stripped"
    both = made_up(("3.15.0", triple, flavor), ("3.15.1rc1", triple, flavor), ("3.16.0a2", triple, flavor))
    assert "3.15.0+" in choose("3.15", None, "linux-x86_64", both)
    assert "3.15.1rc1+" in choose("3.15.1rc1", None, "linux-x86_64", both)
    assert "3.16.0a2+" in choose("3.16", None, "linux-x86_64", both)
    with pytest.raises(CzscieError):
        choose("3.15.1", None, "linux-x86_64", both)


def test_free_threaded_builds_from_before_they_were_stripped_are_found() -> None:
    old = made_up(("3.13.2", "x86_64-pc-windows-msvc", "freethreaded+pgo-full"))
    assert "freethreaded+pgo-full" in choose("3.13t", None, "windows-x86_64", old)


def test_a_release_from_before_they_were_stripped_has_what_is_wanted() -> None:
    old = made_up(("3.11.3", "x86_64-unknown-linux-gnu", "install_only"))
    assert choose("3.11", None, "linux-x86_64", old).endswith("-install_only.tar.gz")


def test_a_debug_build_is_asked_for_by_a_suffix() -> None:
    triple = find_platform("linux-x86_64").triple
    builds = made_up(("3.13.2", triple, "debug-full"), ("3.13.2", triple, "freethreaded+debug-full"))
    assert choose("3.13d", None, "linux-x86_64", builds).endswith("-gnu-debug-full.tar.zst")
    assert choose("3.13td", None, "linux-x86_64", builds).endswith("-freethreaded+debug-full.tar.zst")


def test_windows_of_old_releases_has_a_longer_triple() -> None:
    old = made_up(
        ("3.11.3", "x86_64-pc-windows-msvc-shared", "install_only"),
        ("3.11.3", "x86_64-pc-windows-msvc-static", "install_only"),
    )
    assert "-msvc-shared-" in choose("3.11", "install_only", "windows-x86_64", old)


def test_a_missing_version_is_answered_with_those_there_are() -> None:
    with pytest.raises(CzscieError) as caught:
        choose("3.13.9", None, "linux-x86_64", release("20261021"))
    assert str(caught.value) == (
        "error: release 20261021 of python-build-standalone has no CPython 3.13.9 install_only_stripped "
        "for linux-x86_64\n"
        "  it has: 3.11.17, 3.12.15, 3.13.17, 3.14.9, 3.15.1\n"
        'hint: set version = "3.13.17", or choose a release that has 3.13.9'
    )
    assert caught.value.option == "--python 3.13.17"


def test_a_missing_flavor_is_answered_with_those_there_are() -> None:
    with pytest.raises(CzscieError) as caught:
        choose("3.13", "install_only", "linux-x86_64", release("20261021"))
    assert str(caught.value) == (
        "error: release 20261021 of python-build-standalone has no CPython 3.13 install_only "
        "for linux-x86_64\n"
        "  it has 3.13 as: freethreaded+pgo+lto-full, freethreaded-install_only_stripped, "
        "install_only_stripped, pgo+lto-full\n"
        'hint: set flavor = "install_only_stripped"'
    )


def test_a_missing_platform_is_answered_with_those_there_are() -> None:
    triples = ("x86_64-unknown-linux-gnu", "aarch64-apple-darwin")
    two = made_up(*(("3.13.9", triple, "install_only") for triple in triples))
    with pytest.raises(CzscieError) as caught:
        choose("3.13", None, "linux-s390x", two)
    assert str(caught.value) == (
        "error: release 20260101 of python-build-standalone has no CPython 3.13 install_only_stripped "
        "for linux-s390x\n"
        "  it has builds for: linux-x86_64, macos-aarch64\n"
        "hint: choose another release or platform"
    )


def test_a_release_for_other_platforms_only_lists_none() -> None:
    with pytest.raises(CzscieError) as caught:
        choose("3.13", None, "linux-x86_64", made_up(("3.13.9", "i686-pc-windows-msvc", "install_only")))
    assert caught.value.why == ("it has builds for none of czscie's platforms",)


@pytest.mark.parametrize("version", ["latest", "3.13.x", "3.13.9.1", ">=3.12", ""])
def test_what_is_no_version_is_refused(version: str) -> None:
    with pytest.raises(CzscieError) as caught:
        Wanted.parse(version, None, find_platform("linux-x86_64"))
    assert str(caught.value) == (
        f'error: {version!r} is not a version of CPython\nhint: write "3.13" or "3.13.9"'
    )


def test_what_is_no_flavor_is_refused() -> None:
    with pytest.raises(CzscieError) as caught:
        Wanted.parse("3.13", "install-only", find_platform("linux-x86_64"))
    assert caught.value.what == "'install-only' is not a flavor of python-build-standalone"
