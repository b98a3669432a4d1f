"""The releases of PyPy and their archives, from its own indexes.

`versions.json` beside the archives lists them, with the version of Python that each release has. It has no
digests: these are lines `<sha256>  <name>` of the page `checksums.html`. Mirrors that science wrote have a
list in place of both (czscie.pbs.pypy_list).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec
from packaging.version import Version

from czscie.documents import DocumentError, decode_json
from czscie.errors import Code, CzscieError
from czscie.implementation import PYPY, Implementation
from czscie.network.client import Client
from czscie.network.read import read_small
from czscie.network.retry import Failure, Unreachable
from czscie.network.url import without_secrets
from czscie.pbs.mirror import named_mirrors
from czscie.pbs.pypy_list import PyPyList, list_name
from czscie.platforms import PLATFORMS, Platform
from czscie.progress import Progress

OFFICIAL = "https://downloads.python.org/pypy"
#: Where PyPy publishes the digests of its archives: not beside them.
OFFICIAL_CHECKSUMS = "https://pypy.org/checksums.html"
#: The variables that name mirrors: ours and uv's.
VARIABLES = ("CZSCIE_PYPY_URL", "UV_PYPY_INSTALL_MIRROR")

_LARGEST_INDEX = 4 << 20
_CHECKSUM = re.compile(r"(?<![0-9a-f])([0-9a-f]{64})[ \t]+\*?(pypy[\w.+-]+)")
_ARCHIVE = re.compile(r"(pypy\d+\.\d+-v[^-/\\]+-([\w-]+))\.(tar\.bz2|tar\.gz|zip)")
_STABLE = re.compile(r"\d+\.\d+\.\d+")

#: What archives for each platform are called, the best first.
_TARGETS: Mapping[str, tuple[str, ...]] = {
    "linux-x86_64": ("linux64",),
    "linux-aarch64": ("aarch64-portable", "aarch64"),
    "linux-s390x": ("s390x",),
    "macos-x86_64": ("macos_x86_64", "osx64"),
    "macos-aarch64": ("macos_arm64",),
    "windows-x86_64": ("win64",),
}


class FileEntry(msgspec.Struct, frozen=True):
    """An archive in `versions.json`."""

    filename: str


class ReleaseEntry(msgspec.Struct, frozen=True):
    """A release with one version of Python in `versions.json`."""

    pypy_version: str
    python_version: str
    stable: bool
    files: tuple[FileEntry, ...]


@dataclass(frozen=True, slots=True)
class PyPyArchive:
    """An archive of a release."""

    name: str
    python: Implementation

    @property
    def release(self) -> str:
        """`v7.3.20`."""
        return f"v{self.python.own_version}"

    @property
    def root(self) -> str:
        """The directory that everything in it is in. Those of `-portable` archives lack that word."""
        match = _ARCHIVE.fullmatch(self.name)
        if match is None:
            raise CzscieError(
                f"{self.name[:200]!r} is not the name of an archive of PyPy", code=Code.RELEASES_UNREADABLE
            )
        return match[1].removesuffix("-portable")

    def __str__(self) -> str:
        return f"pypy {self.python.version} {self.release} {self.root.split('-', 2)[2]}"


class PyPyReleases:
    """The releases that the mirrors have; `base_urls` are those of the manifest. Each index is read once."""

    def __init__(
        self, base_urls: Sequence[str], environ: Mapping[str, str], client: Client, progress: Progress
    ) -> None:
        named = [url for url, _ in named_mirrors(base_urls, environ, VARIABLES)]
        self.mirrors = tuple(named or [OFFICIAL])
        self._client = client
        self._progress = progress
        #: Of the archives in a list that science wrote, by their names.
        self._digests: dict[str, str] = {}

    def find(self, version: str, release: str | None, platform: Platform) -> PyPyArchive:
        """The archive for `platform` of `release`, by default the newest, with the Python `version`.

        Raises CzscieError that says what there is instead.
        """
        everything = self._read_releases(version, release)
        of_version = [each for each in everything if _has_python(each, version)]
        found = [each for each in of_version if _is_wanted(each, release)]
        if not found:
            raise _no_release(everything, of_version, version, release)
        newest = max(found, key=lambda each: Version(each.pypy_version))
        archive = next(_archives(newest, platform), None)
        if archive is None:
            names = [each.name for each in PLATFORMS if any(_archives(newest, each))]
            raise CzscieError(
                f"PyPy v{newest.pypy_version} has no Python {version} for {platform.name}",
                code=Code.INTERPRETER_NOT_RELEASED,
                why=f"it has builds for: {', '.join(names)}"
                if names
                else "it has builds for none of czscie's platforms",
                hint='use provider = "PythonBuildStandalone", or leave out that platform',
            )
        return archive

    def sha256(self, archive: PyPyArchive) -> str:
        """The digest of `archive` that the project publishes, or a mirror that has a page of its own.

        Raises CzscieError when there is none, or more than one.
        """
        if archive.name in self._digests:
            return self._digests[archive.name]
        pages = [f"{base}/checksums.html" for base in self.mirrors if base != OFFICIAL]
        for page in (*pages, OFFICIAL_CHECKSUMS):
            text = self._read(page)
            if text is None:
                continue
            digests = {
                match[1]
                for match in _CHECKSUM.finditer(text.decode(errors="replace"))
                if match[2] == archive.name
            }
            if len(digests) == 1:
                return digests.pop()
            raise CzscieError(
                f"{without_secrets(page)} has {'several digests' if digests else 'no digest'} "
                f"of {archive.name}",
                code=Code.RELEASES_UNREADABLE,
                hint="name another release of PyPy",
            )
        raise CzscieError(
            f"there is nothing at {OFFICIAL_CHECKSUMS}, so nothing can be verified",
            code=Code.RELEASES_UNREADABLE,
        )

    def _read_releases(self, version: str, release: str | None) -> list[ReleaseEntry]:
        failed: list[Unreachable] = []
        why: list[str] = []
        for base in self.mirrors:
            url = f"{base}/versions.json"
            try:
                if (raw := self._read(url)) is not None:
                    return decode_json(raw, list[ReleaseEntry])
                why.append(f"there is nothing at {without_secrets(url)}")
                url = f"{base}/{list_name(version, release)}"
                if (raw := self._read(url)) is not None:
                    listed = PyPyList.parse(raw)
                    self._digests = listed.digests
                    return _releases_of(listed)
                why.append(f"there is nothing at {without_secrets(url)}")
            except DocumentError as error:
                raise CzscieError(
                    f"{without_secrets(url)} is not a list of releases of PyPy",
                    code=Code.RELEASES_UNREADABLE,
                    why=str(error),
                ) from error
            except Unreachable as error:
                failed.append(error)
                why += error.why
        if len(failed) == len(self.mirrors) == 1:
            raise failed[0]
        raise CzscieError(
            "no mirror of PyPy lists its releases",
            code=Code.RELEASES_UNREADABLE,
            why=why,
            hint=f"a mirror needs the file versions.json of {OFFICIAL} beside the archives",
        )

    def _read(self, url: str) -> bytes | None:
        failure = Failure(
            "cannot read an index of PyPy", "try again later, or set CZSCIE_PYPY_URL to a mirror"
        )
        return read_small(self._client, url, failure, _LARGEST_INDEX, self._progress)


def _releases_of(listed: PyPyList) -> list[ReleaseEntry]:
    files: dict[tuple[str, str], list[FileEntry]] = {}
    for each in listed.assets:
        files.setdefault((each.release, each.version), []).append(FileEntry(each.name))
    return [
        ReleaseEntry(release.removeprefix("v"), version, True, tuple(here))
        for (release, version), here in files.items()
    ]


def _has_python(release: ReleaseEntry, version: str) -> bool:
    return f"{release.python_version}.".startswith(f"{version}.")


def _is_wanted(each: ReleaseEntry, release: str | None) -> bool:
    if release is not None:
        return f"v{each.pypy_version}" == release
    return each.stable and _STABLE.fullmatch(each.pypy_version) is not None


def _archives(release: ReleaseEntry, platform: Platform) -> Iterator[PyPyArchive]:
    """Its archives for `platform`, the best first."""
    by_target = {
        match[2]: file.filename for file in release.files if (match := _ARCHIVE.fullmatch(file.filename))
    }
    for target in _TARGETS.get(platform.name, ()):
        if target in by_target:
            python = Implementation(PYPY, release.python_version, own_version=release.pypy_version)
            yield PyPyArchive(by_target[target], python)


def _no_release(
    everything: Sequence[ReleaseEntry], of_version: Sequence[ReleaseEntry], version: str, release: str | None
) -> CzscieError:
    if release is None:
        stable = (each.python_version for each in everything if _is_wanted(each, None))
        minors = {".".join(each.split(".")[:2]) for each in stable}
        return CzscieError(
            f"there is no release of PyPy with Python {version}",
            code=Code.INTERPRETER_NOT_RELEASED,
            why=f"there are releases with: {', '.join(sorted(minors, key=Version))}"
            if minors
            else "no stable release is listed",
        )
    releases = [f"v{each.pypy_version}" for each in of_version if _is_wanted(each, None)]
    return CzscieError(
        f"there is no PyPy {release} with Python {version}",
        code=Code.INTERPRETER_NOT_RELEASED,
        why=f"releases with it are: {', '.join(releases) or 'none'}",
        hint="leave out release for the newest" if releases else None,
    )
