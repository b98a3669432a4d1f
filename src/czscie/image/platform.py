"""Platforms of images, in Go's names (GOOS, GOARCH)."""

from __future__ import annotations

import msgspec

from czscie.platforms import Platform

_ARCHITECTURES = {
    "x86_64": "amd64",
    "aarch64": "arm64",
    "armv7l": "arm",
    "powerpc64": "ppc64le",
    "riscv64": "riscv64",
    "s390x": "s390x",
}
_VARIANTS = {"armv7l": "v7"}


class ImagePlatform(msgspec.Struct, frozen=True, omit_defaults=True):
    """`platform` of a descriptor: the platform that an image runs on. Other keys are ignored."""

    architecture: str
    os: str
    variant: str | None = None

    @classmethod
    def of(cls, platform: Platform) -> ImagePlatform:
        return cls(_ARCHITECTURES[platform.arch], "linux", _VARIANTS.get(platform.arch))

    @property
    def name(self) -> str:
        """In the spelling of engines: `linux/arm/v7`."""
        return "/".join(filter(None, (self.os, self.architecture, self.variant)))

    def serves(self, wanted: ImagePlatform) -> bool:
        """Whether what is for this platform runs on `wanted`: one that names no variant is for all."""
        same = (self.os, self.architecture) == (wanted.os, wanted.architecture)
        return same and (self.variant is None or wanted.variant is None or self.variant == wanted.variant)
