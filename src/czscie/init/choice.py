"""The CPython and the platforms of a first manifest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from packaging.version import Version

from czscie.errors import Code, CzscieError
from czscie.init.source import ProgramSource
from czscie.pbs.assets import INSTALL_ONLY, INSTALL_ONLY_STRIPPED
from czscie.pbs.choice import triples
from czscie.pbs.releases import Release
from czscie.platforms import PLATFORMS, Platform, current_platform


@dataclass(frozen=True, slots=True)
class PythonRequest:
    """What a user asks of a first manifest.

    `version` is the beginning of CPython's version or a whole one, `release` the date of
    python-build-standalone's; each is None for the newest. `platforms` are those to name, empty for this one.
    """

    version: str | None = None
    release: str | None = None
    platforms: tuple[Platform, ...] = ()

    @classmethod
    def parse(cls, text: str | None, platforms: Sequence[Platform] = ()) -> PythonRequest:
        """What `3.13`, `3.13.9` or `3.13.9+20260101` says, as python-build-standalone names its archives."""
        version, _, release = (text or "").partition("+")
        return cls(version or None, release or None, tuple(dict.fromkeys(platforms)))


@dataclass(frozen=True, slots=True)
class PythonChoice:
    """`version` is CPython's whole one, `release` the date of python-build-standalone's. `others` are more
    platforms that there is such a CPython for and on which the subject is known to run.
    """

    version: str
    release: str
    platforms: tuple[Platform, ...]
    others: tuple[Platform, ...]


def versions_of(release: Release) -> Mapping[str, frozenset[Platform]]:
    """The final CPythons of a release in a default flavor, newest first, and the platforms of each."""
    found: dict[str, set[Platform]] = {}
    by_triple = {triple: platform for platform in PLATFORMS for triple in triples(platform)}
    for asset in release.digests:
        if asset.flavor in (INSTALL_ONLY_STRIPPED, INSTALL_ONLY) and asset.triple in by_triple:
            found.setdefault(asset.version, set()).add(by_triple[asset.triple])
    final = [version for version in found if not Version(version).is_prerelease]
    return {version: frozenset(found[version]) for version in sorted(final, key=Version, reverse=True)}


def choose(
    subject: ProgramSource,
    versions: Mapping[str, frozenset[Platform]],
    release: str,
    wanted: Sequence[Platform] = (),
) -> PythonChoice:
    """The newest of `versions` that the subject runs with on all `wanted` platforms.

    By default these are the platform czscie runs on or, if the subject does not run there, those where it
    does. Raises CzscieError that says why no version fits.
    """
    first = tuple(wanted) or (current_platform(),)
    runs = {version: _runs_on(subject, version, platforms) for version, platforms in versions.items()}
    for version, platforms in runs.items():
        if set(first) <= set(platforms):
            return PythonChoice(
                version, release, first, tuple(each for each in platforms if each not in first)
            )
    for version, platforms in runs.items():
        if platforms and not wanted:
            return PythonChoice(version, release, platforms, ())
    raise _impossible(subject, versions, release, first)


def _runs_on(subject: ProgramSource, version: str, platforms: frozenset[Platform]) -> tuple[Platform, ...]:
    """In the usual order of platforms."""
    return tuple(each for each in PLATFORMS if each in platforms and not subject.obstacles(each, version))


def _impossible(
    subject: ProgramSource,
    versions: Mapping[str, frozenset[Platform]],
    release: str,
    wanted: tuple[Platform, ...],
) -> CzscieError:
    names = ", ".join(platform.name for platform in wanted)
    why = [f"release {release} of python-build-standalone has: {', '.join(versions) or 'none'}"]
    if subject.asks:
        why.append(f"it declares: {subject.asks}")
    if versions:
        newest, platforms = next(iter(versions.items()))
        why += [
            line
            for platform in wanted
            for line in (
                subject.obstacles(platform, newest)
                if platform in platforms
                else (f"there is no CPython {newest} for {platform.name}",)
            )
            if line != subject.asks
        ]
    return CzscieError(
        f"{subject.path} does not run with any CPython for {names}",
        code=Code.PYTHON_REFUSED,
        why=why,
        hint="name another version, release or platform: --python X.Y.Z+YYYYMMDD --platform NAME",
    )
