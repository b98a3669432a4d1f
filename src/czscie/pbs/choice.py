"""The choice of an asset of a release by version and flavor, on one platform."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

from czscie.errors import Code, CzscieError
from czscie.pbs.asset_list import list_names
from czscie.pbs.assets import FREE_THREADED, INSTALL_ONLY, INSTALL_ONLY_STRIPPED, Asset, is_flavor
from czscie.pbs.releases import Release
from czscie.platforms import PLATFORMS, Platform

_VERSION = re.compile(r"(\d+(?:\.\d+){0,2}(?:(?:a|b|rc)\d+)?)(t|d|td|dt)?")
#: The best build first, as PBS itself chooses what becomes its install_only.
_OPTIMIZATIONS = ("pgo+lto", "pgo", "lto", "noopt")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A CPython to look for: a version or the beginning of one, and flavors, the best first."""

    version: str
    flavors: tuple[str, ...]
    platform: Platform

    @classmethod
    def parse(cls, version: str, flavor: str | None, platform: Platform) -> Wanted:
        """Read what a manifest says: `3.13`, `3.13.9`, `3.15.0rc1`; `t`, `d` and `td` after it as science has
        them.

        A flavor is one of an asset's, or `full` or `freethreaded-full` for the best such build there is.
        Raises CzscieError for anything else.
        """
        match = _VERSION.fullmatch(version)
        if match is None:
            raise CzscieError(
                f"{version!r} is not a version of CPython",
                code=Code.OPTION_INVALID,
                hint='write "3.13" or "3.13.9"',
            )
        flavors = _flavors(flavor or INSTALL_ONLY_STRIPPED, match[2] or "")
        if not all(map(is_flavor, flavors)):
            raise CzscieError(
                f"{flavor!r} is not a flavor of python-build-standalone",
                code=Code.OPTION_INVALID,
                why="flavors are install_only, install_only_stripped, freethreaded-install_only, "
                "freethreaded-install_only_stripped, full, and build options such as pgo+lto-full",
            )
        return cls(match[1], flavors, platform)

    @property
    def lists(self) -> tuple[str, ...]:
        """The names of the lists that can have it in a mirror that science wrote."""
        minor = ".".join(self.version.split(".")[:2])
        versions = dict.fromkeys((self.version, minor))
        return tuple(name for version in versions for name in list_names(version, self.flavors))

    def matches(self, asset: Asset) -> bool:
        """Whether `asset` has the wanted version; `3.13` matches any patch of it."""
        if self.version.count(".") == 2 or not self.version.replace(".", "").isdecimal():
            return asset.version == self.version
        return asset.version.startswith(f"{self.version}.")

    def choose(self, release: Release) -> tuple[Asset, str]:
        """The wanted asset and its SHA-256. The newest patch wins, a final one before any prerelease.

        Raises CzscieError that lists what the release has.
        """
        here = [asset for asset in release.digests if asset.triple in triples(self.platform)]
        of_version = [asset for asset in here if self.matches(asset)]
        for flavor in self.flavors:
            if of_flavor := [asset for asset in of_version if asset.flavor == flavor]:
                chosen = max(of_flavor, key=lambda asset: (not asset.order.is_prerelease, asset.order))
                return chosen, release.digests[chosen]
        raise self._missing(release, here, of_version)

    def _missing(self, release: Release, here: list[Asset], of_version: list[Asset]) -> CzscieError:
        what = f"{release} has no CPython {self.version} {self.flavors[0]} for {self.platform.name}"
        if not here:
            held = {asset.triple for asset in release.digests}
            names = [platform.name for platform in PLATFORMS if held.intersection(triples(platform))]
            return CzscieError(
                what,
                code=Code.INTERPRETER_NOT_RELEASED,
                why=f"it has builds for: {', '.join(names)}"
                if names
                else "it has builds for none of czscie's platforms",
                hint="choose another release or platform",
                option="choose another: --python VERSION+RELEASE, or --platform NAME",
            )
        if of_version:
            flavors = sorted({asset.flavor for asset in of_version})
            free_threaded = self.flavors[0].startswith(FREE_THREADED)
            like = [flavor for flavor in flavors if flavor.startswith(FREE_THREADED) == free_threaded]
            near = difflib.get_close_matches(self.flavors[0], like, n=1, cutoff=0)
            return CzscieError(
                what,
                code=Code.INTERPRETER_NOT_RELEASED,
                why=f"it has {self.version} as: {', '.join(flavors)}",
                hint=f'set flavor = "{near[0]}"' if near else "choose another release or version",
            )
        of_flavor = [asset for asset in here if asset.flavor in self.flavors] or here
        versions = sorted(
            {asset.version: asset for asset in of_flavor}.values(), key=lambda asset: asset.order
        )
        nearest = min(versions, key=self._distance)
        return CzscieError(
            what,
            code=Code.INTERPRETER_NOT_RELEASED,
            why=f"it has: {', '.join(asset.version for asset in versions)}",
            hint=f'set version = "{nearest.version}", or choose a release that has {self.version}',
            option=f"--python {nearest.version}",
        )

    def _distance(self, asset: Asset) -> tuple[int, ...]:
        wanted = [int(part) for part in re.split(r"\D+", self.version)]
        found = [int(part) for part in re.split(r"\D+", asset.version)]
        return tuple(abs(one - other) for one, other in zip(wanted, found, strict=False))


def triples(platform: Platform) -> tuple[str, ...]:
    """The triples whose CPython runs on any `platform`: the baseline, never x86_64_v2 and above.

    Releases up to 20240415 called Windows' shared builds by a longer name.
    """
    return (platform.triple, f"{platform.triple}-shared") if platform.os == "windows" else (platform.triple,)


def _flavors(flavor: str, suffix: str) -> tuple[str, ...]:
    free_threaded = flavor.startswith(FREE_THREADED) or "t" in suffix
    prefix = f"{FREE_THREADED}+" if free_threaded else ""
    best = tuple(f"{prefix}{options}-full" for options in _OPTIMIZATIONS)
    if flavor in ("full", f"{FREE_THREADED}-full"):
        return best
    if flavor in (INSTALL_ONLY, INSTALL_ONLY_STRIPPED) and "d" in suffix:
        return (f"{prefix}debug-full",)
    if flavor in (INSTALL_ONLY, INSTALL_ONLY_STRIPPED) and free_threaded:
        # Before 2026-03 free-threaded builds came as -full only.
        return (f"{FREE_THREADED}-{flavor}", *best)
    if free_threaded and flavor.endswith("-full") and not flavor.startswith(prefix):
        return (f"{prefix}{flavor}",)
    # Old releases, and mirrors that science wrote unless told otherwise, have no stripped one.
    return (flavor, INSTALL_ONLY) if flavor == INSTALL_ONLY_STRIPPED else (flavor,)
