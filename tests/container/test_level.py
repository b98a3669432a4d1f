"""How hard parts are compressed."""

from __future__ import annotations

import zstandard

from czscie.container.level import DEFAULT_LEVEL, RELEASE_LEVEL, xz_preset


def test_a_release_is_compressed_harder() -> None:
    data = b"".join(b"%d squared is %d\n" % (number, number**2) for number in range(1 << 15))
    default, release = (
        zstandard.ZstdCompressor(level=level).compress(data) for level in (DEFAULT_LEVEL, RELEASE_LEVEL)
    )
    assert len(release) < len(default)
    assert xz_preset(RELEASE_LEVEL) > xz_preset(DEFAULT_LEVEL)
