"""Every real asset that we know the published digest of is found by what a manifest says of it."""

from __future__ import annotations

import pytest

from czscie.network.network import Network
from czscie.pbs.mirror import OFFICIAL, Mirror
from czscie.pbs.releases import _keep, _kept
from czscie.pbs.standalone import StandaloneOrigin
from czscie.platforms import PLATFORMS, Platform
from pbs.real import REAL_ASSETS, RealAsset, checksums

_BY_TRIPLE = {platform.triple: platform for platform in PLATFORMS}


def platform_of(triple: str) -> Platform:
    """The platform of `triple`, made up for those that nothing is built for."""
    if triple in _BY_TRIPLE:
        return _BY_TRIPLE[triple]
    arch, _, rest = triple.partition("-")
    system = next(name for name in ("linux", "windows") if name in rest)
    return Platform(system, arch, "musl" if rest.endswith("musl") else "gnu", triple, arch)


@pytest.fixture
def provider(cache: None) -> StandaloneOrigin:
    """The project's own place, as far as the cache has its lists: nobody is asked."""
    for tag in {real["release"] for real in REAL_ASSETS}:
        kept = _kept(Mirror(OFFICIAL, ""), tag)
        assert kept is not None
        _keep(kept, f"/{tag}", checksums(tag))
    return StandaloneOrigin(network=Network(offline=True, environ={}))


def test_every_real_asset_is_found_by_version_release_flavor_and_platform(
    provider: StandaloneOrigin,
) -> None:
    def found(real: RealAsset) -> tuple[str, str]:
        platform = platform_of(real["triple"])
        source = provider.resolve(platform, real["version"], real["release"], real["flavor"])
        assert source.urls[0] == source.url
        return source.url, source.digest

    assert len(REAL_ASSETS) == 456
    assert [found(real) for real in REAL_ASSETS] == [(real["url"], real["sha256"]) for real in REAL_ASSETS]
    assert len({real["triple"] for real in REAL_ASSETS}) == 20
