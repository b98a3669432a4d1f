from __future__ import annotations

import pytest

from czscie.image.platform import ImagePlatform
from czscie.platforms import PLATFORMS


def test_every_linux_platform_has_a_name() -> None:
    names = {ImagePlatform.of(platform).name for platform in PLATFORMS if platform.os == "linux"}
    assert names == {
        *("linux/amd64", "linux/arm64", "linux/arm/v7", "linux/ppc64le", "linux/riscv64", "linux/s390x")
    }


@pytest.mark.parametrize(
    ("variant", "wanted", "serves"), [(None, "v7", True), ("v8", None, True), ("v6", "v7", False)]
)
def test_an_image_that_names_no_variant_is_for_all(
    variant: str | None, wanted: str | None, serves: bool
) -> None:
    assert ImagePlatform("arm", "linux", variant).serves(ImagePlatform("arm", "linux", wanted)) is serves
    assert not ImagePlatform("arm", "linux").serves(ImagePlatform("amd64", "linux"))
