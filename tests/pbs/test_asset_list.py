from __future__ import annotations

import json
from typing import Any

import pytest

from czscie.documents import DocumentError
from czscie.pbs.asset_list import AssetList, can_be_a_file, list_names
from czscie.pbs.assets import Asset

TAG = "20260101"
ASSET = Asset("3.13.9", TAG, "x86_64-unknown-linux-gnu", "install_only")
#: What `science download provider PythonBuildStandalone` writes (science 0.18).
WRITTEN: dict[str, Any] = {
    "assets": [
        {
            "digest": {"fingerprint": "ab" * 32, "size": 7},
            "file_type": "tar.gz",
            "name": ASSET.name,
            "rel_path": f"download/{TAG}/{ASSET.name}",
            "target_triple": ASSET.triple,
            "version": "3.13.9",
        }
    ],
    "base_url": "https://github.com/astral-sh/python-build-standalone/releases",
    "release": TAG,
}


def asset_list(**changes: Any) -> bytes:
    """A list as science writes it, with `changes` to its only asset."""
    [asset] = WRITTEN["assets"]
    return json.dumps({**WRITTEN, "assets": [asset | changes]}).encode()


def test_a_list_of_science_is_read_and_written() -> None:
    found = AssetList.parse(asset_list())
    assert (found.release, found.digests) == (TAG, {ASSET: "ab" * 32})
    assert AssetList.of(TAG).with_asset(ASSET, "ab" * 32, 7) == found
    assert json.loads(found.rendered()) == WRITTEN


def test_an_asset_takes_the_place_of_the_one_with_its_name() -> None:
    other = Asset("3.13.9", TAG, "aarch64-unknown-linux-gnu", "install_only")
    found = AssetList.of(TAG).with_asset(ASSET, "ab" * 32, 7).with_asset(other, "cd" * 32, 8)
    assert found.with_asset(ASSET, "ef" * 32, 9).digests == {ASSET: "ef" * 32, other: "cd" * 32}


@pytest.mark.parametrize("name", ["../cpython", "cpython-4.0", ASSET.name.replace(TAG, "20250101")])
def test_what_is_no_asset_of_the_release_is_passed_over(name: str) -> None:
    assert AssetList.parse(asset_list(name=name)).digests == {}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"<html>", "malformed"),
        (b"{}", "missing required field"),
        (json.dumps(WRITTEN | {"release": "latest"}).encode(), r"matching regex .* `\$.release`"),
        (asset_list(digest={"fingerprint": "AB" * 32, "size": 7}), r"matching regex .* `\$.assets"),
        (asset_list(digest={"fingerprint": "ab" * 32 + "\n", "size": 7}), r"matching regex .* `\$.assets"),
        (json.dumps(WRITTEN | {"assets": WRITTEN["assets"] * 2}).encode(), "it has a name twice"),
    ],
)
def test_what_is_no_such_list_is_refused(content: bytes, why: str) -> None:
    with pytest.raises(DocumentError, match=why):
        AssetList.parse(content)


@pytest.mark.parametrize(
    ("flavor", "names"),
    [
        ("install_only", ["distributions-3.13-install_only.json"]),
        ("debug-full", [r"distributions-3.13-debug\-full.json"]),
        (
            "freethreaded+pgo+lto-full",
            [
                r"distributions-3.13-freethreaded\+pgo\+lto\-full.json",
                r"distributions-3.13-freethreaded(?:\+(?:pgo|lto)){1,2}-full.json",
            ],
        ),
    ],
)
def test_the_name_of_a_list_has_the_expression_that_science_selects_by(flavor: str, names: list[str]) -> None:
    assert list(list_names("3.13", [flavor])) == names


def test_windows_has_no_files_of_most_flavors() -> None:
    [plain, debug] = list_names("3.13", ["install_only", "debug-full"])
    assert can_be_a_file(plain, "nt") and not can_be_a_file(debug, "nt") and can_be_a_file(debug, "posix")
