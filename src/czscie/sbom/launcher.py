"""The launcher in a bill of materials: itself, and the code compiled into it."""

from __future__ import annotations

from czscie import __version__
from czscie.launchers import libzstd
from czscie.launchers.build import ZIG_VERSION, source_digest
from czscie.sbom.component import SOURCE, Component


def launcher_components(sha256: str) -> tuple[Component, ...]:
    """The launcher with the digest `sha256`, then its parts."""
    parts = (
        Component(
            reference="libzstd",
            name="zstd",
            version=libzstd.VERSION,
            description="The decoder of libzstd",
            purl=f"pkg:generic/zstd@{libzstd.VERSION}",
            cpe=f"cpe:2.3:a:facebook:zstandard:{libzstd.VERSION}:*:*:*:*:*:*:*",
            licences=("BSD-3-Clause",),
            properties={"czscie:source": libzstd.REQUIREMENT, SOURCE: libzstd.SHA256},
        ),
        Component(
            reference="zig",
            name="zig",
            version=ZIG_VERSION,
            description="Zig's standard library and compiler_rt",
            purl=f"pkg:generic/zig@{ZIG_VERSION}",
            licences=("MIT",),
        ),
    )
    launcher = Component(
        reference="launcher",
        name="czscie-launcher",
        kind="application",
        version=__version__,
        description="Installs the parts and starts the application",
        purl=f"pkg:generic/czscie-launcher@{__version__}",
        licences=("Apache-2.0",),
        sha256=sha256,
        needs=tuple(part.reference for part in parts),
        properties={SOURCE: source_digest()},
    )
    return (launcher, *parts)
