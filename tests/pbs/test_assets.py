from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from czscie.errors import CzscieError
from czscie.pbs.assets import TRIPLES, Asset
from pbs.real import REAL_ASSETS, RealAsset


@pytest.mark.parametrize("real", REAL_ASSETS, ids=lambda real: real["filename"])
def test_every_real_name_is_read_and_written_back(real: RealAsset) -> None:
    asset = Asset.parse(real["filename"])
    assert (asset.version, asset.release) == (real["version"], real["release"])
    assert (asset.triple, asset.flavor) == (real["triple"], real["flavor"])
    assert asset.name == real["filename"]
    assert real["url"].endswith(f"/{asset.url_name}")
    assert Asset.parse(asset.url_name) == asset


NUMBERS = st.integers(0, 99)
VERSIONS = st.builds("3.{}.{}{}".format, NUMBERS, NUMBERS, st.sampled_from(["", "a1", "b12", "rc3"]))
OPTIONS = st.builds(
    "{}{}{}-full".format,
    st.sampled_from(["", "freethreaded+"]),
    st.sampled_from(["debug", "noopt", "lto", "pgo", "pgo+lto"]),
    st.sampled_from(["", "+static"]),
)
INSTALLABLE = st.builds(
    "{}{}".format,
    st.sampled_from(["", "freethreaded-"]),
    st.sampled_from(["install_only", "install_only_stripped"]),
)


@settings(max_examples=200, deadline=None)
@given(
    st.builds(
        Asset,
        version=VERSIONS,
        release=st.text("0123456789", min_size=8, max_size=8),
        triple=st.sampled_from(TRIPLES),
        flavor=INSTALLABLE | OPTIONS,
    )
)
def test_every_name_that_is_written_is_read_as_what_it_was(asset: Asset) -> None:
    assert Asset.parse(asset.name) == asset
    assert Asset.parse(asset.url_name) == asset


def test_the_sample_covers_every_triple_that_is_still_made() -> None:
    gone = {
        "i686-unknown-linux-gnu",
        *(triple for triple in TRIPLES if triple.endswith(("-shared", "-static"))),
    }
    assert {real["triple"] for real in REAL_ASSETS} == set(TRIPLES) - gone


@pytest.mark.parametrize(
    ("name", "triple", "flavor"),
    [
        (
            "cpython-3.11.3+20230507-x86_64-pc-windows-msvc-shared-install_only.tar.gz",
            "x86_64-pc-windows-msvc-shared",
            "install_only",
        ),
        (
            "cpython-3.11.3+20230507-i686-pc-windows-msvc-static-noopt-full.tar.zst",
            "i686-pc-windows-msvc-static",
            "noopt-full",
        ),
        (
            "cpython-3.13.2+20250311-x86_64_v2-unknown-linux-musl-lto+static-full.tar.zst",
            "x86_64_v2-unknown-linux-musl",
            "lto+static-full",
        ),
        (
            "cpython-3.14.4+20260414-armv7-unknown-linux-gnueabihf-freethreaded+debug-full.tar.zst",
            "armv7-unknown-linux-gnueabihf",
            "freethreaded+debug-full",
        ),
    ],
)
def test_the_longest_triple_counts(name: str, triple: str, flavor: str) -> None:
    asset = Asset.parse(name)
    assert (asset.triple, asset.flavor, asset.name) == (triple, flavor, name)


@pytest.mark.parametrize(
    "name",
    [
        "SHA256SUMS",
        "cpython-3.9.6-x86_64-unknown-linux-gnu-pgo+lto-20210724T1424.tar.zst",
        "cpython-3.13.9+20251014-sparc64-unknown-linux-gnu-install_only.tar.gz",
        "cpython-3.13.9+20251014-x86_64-unknown-linux-gnu-install_only_squeezed.tar.gz",
        "cpython-3.13.9+2025-x86_64-unknown-linux-gnu-install_only.tar.gz",
        "cpython-3.13.9+20251014-x86_64-unknown-linux-gnu-install_only.tar.gz.sha256",
        "../cpython-3.13.9+20251014-x86_64-unknown-linux-gnu-install_only.tar.gz",
        "cpython-3.13.9+20251014-x86_64-unknown-linux-gnu-install_only.tar.gz\n",
    ],
)
def test_any_other_name_is_refused(name: str) -> None:
    with pytest.raises(CzscieError) as caught:
        Asset.parse(name)
    assert str(caught.value) == f"error: {name!r} is not the name of a python-build-standalone asset"


def test_a_flavor_in_the_wrong_format_is_refused() -> None:
    name = "cpython-3.13.9+20251014-x86_64-unknown-linux-gnu-install_only.tar.zst"
    with pytest.raises(CzscieError) as caught:
        Asset.parse(name)
    assert caught.value.why == ("install_only comes as .tar.gz",)


def test_versions_are_in_the_order_of_releases() -> None:
    versions = ["3.9.25", "3.13.0a1", "3.13.0b4", "3.13.0rc1", "3.13.0", "3.13.2", "3.13.10"]
    assets = [Asset(version, "20251014", TRIPLES[0], "install_only") for version in reversed(versions)]
    assert [asset.version for asset in sorted(assets, key=lambda asset: asset.order)] == versions
