"""The bundled C library: loader, libraries and locale, from Debian's packages."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from czscie.container.content import File
from czscie.container.tree import Item
from czscie.errors import Code, CzscieError
from czscie.libc.deb import DebianPackage
from czscie.libc.packages import ARCHITECTURES, PackageTable, PinnedPackage, fetch_packages
from czscie.network.network import Network
from czscie.platforms import Platform

if TYPE_CHECKING:
    from czscie.console import Console

#: Where programs expect the loader (the psABIs; glibc's sysdeps).
_GLIBC_LOADERS = {
    "x86_64": "/lib64/ld-linux-x86-64.so.2",
    "aarch64": "/lib/ld-linux-aarch64.so.1",
    "armv7l": "/lib/ld-linux-armhf.so.3",
    "powerpc64": "/lib64/ld64.so.2",
    "riscv64": "/lib/ld-linux-riscv64-lp64d.so.1",
    "s390x": "/lib/ld64.so.1",
}
_MUSL_LOADERS = {"x86_64": "/lib/ld-musl-x86_64.so.1", "aarch64": "/lib/ld-musl-aarch64.so.1"}

#: What any CPython or wheel may ask for, some of it without a word: glibc loads libgcc_s to end a thread.
_ALWAYS = {
    "libc6": (
        *("libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0"),
        *("librt.so.1", "libutil.so.1", "libresolv.so.2"),
    ),
    "libgcc-s1": ("libgcc_s.so.1",),
}
#: Bundled when something is linked with it.
_WHEN_NEEDED = {
    "libmvec.so.1": "libc6",
    "libanl.so.1": "libc6",
    "libnsl.so.1": "libc6",
    "libBrokenLocale.so.1": "libc6",
    "libstdc++.so.6": "libstdc++6",
    "libatomic.so.1": "libatomic1",
    "libcrypt.so.1": "libcrypt1",  # by the module crypt, up to 3.12
}
#: Whose documentation holds the copyright of what.
_COPYRIGHTS = {"libc6": "libc6", "libgcc-s1": "gcc-14-base", "libcrypt1": "libcrypt1", "musl": "musl"}
_LOCALE = "usr/lib/locale/C.utf8/"

#: In the installation: the directory of the loader and the libraries, and of the locale.
LIBRARIES = "lib"
LOCALES = "lib/locale"
_DOCUMENTATION = "share/doc"


@dataclass(frozen=True, slots=True)
class CLibrary:
    """What is bundled. `items` are paths below its installation; `host_loader` is where a host with a C
    library has its loader, `loader` where this one is in the installation.

    `names` are the libraries that a program may be linked with. `packages` say where it comes from.
    """

    platform: Platform
    version: str
    host_loader: str
    items: tuple[Item, ...]
    names: frozenset[str]
    packages: tuple[PinnedPackage, ...]

    @property
    def loader(self) -> str:
        return f"{LIBRARIES}/{self.host_loader.rpartition('/')[2]}"

    @property
    def description(self) -> str:
        """`glibc 2.41`."""
        return f"{'musl' if self.platform.libc == 'musl' else 'glibc'} {self.version}"


def host_loader(platform: Platform) -> str:
    """Where `platform` has its dynamic loader. Raises CzscieError when it is not Linux."""
    loaders = _MUSL_LOADERS if platform.libc == "musl" else _GLIBC_LOADERS
    if platform.os != "linux" or platform.arch not in loaders:
        raise CzscieError(f"there is no C library to bundle for {platform.name}", code=Code.LIBC_UNAVAILABLE)
    return loaders[platform.arch]


def optional_libraries(platform: Platform) -> tuple[str, ...]:
    """The libraries that are bundled only on request; all others always are."""
    return () if platform.libc == "musl" else tuple(_WHEN_NEEDED)


def packages_of(
    table: PackageTable, platform: Platform, wanted: Collection[str]
) -> tuple[PinnedPackage, ...]:
    """The packages with what `platform` needs and with the optional libraries `wanted`, pinned by `table`.

    Raises CzscieError when the table has not all of them.
    """
    if platform.libc == "musl":
        names = {"musl"}
    else:
        names = {*_ALWAYS, "libc-bin", "gcc-14-base", *(_WHEN_NEEDED[name] for name in wanted)}
    return tuple(table.find(name, platform) for name in sorted(names))


def read_library(
    packages: tuple[PinnedPackage, ...],
    contents: dict[str, DebianPackage],
    platform: Platform,
    wanted: Collection[str],
) -> CLibrary:
    """The C library in `packages`, whose `contents` are by their names, with the optional libraries `wanted`.

    Raises CzscieError.
    """
    if platform.libc == "musl":
        return _musl(packages, contents, platform)
    directory = f"usr/lib/{ARCHITECTURES[platform.arch][1]}"
    loader = host_loader(platform)
    origins = {name: package for package, names in _ALWAYS.items() for name in names}
    for name in wanted:
        # Not every architecture has a libmvec.
        if f"{directory}/{name}" in contents[_WHEN_NEEDED[name]].items:
            origins[name] = _WHEN_NEEDED[name]
    items: list[Item] = [
        _library(contents["libc6"], f"{directory}/{loader.rpartition('/')[2]}", executable=True)
    ]
    items += [_library(contents[package], f"{directory}/{name}") for name, package in origins.items()]
    for path, item in contents["libc-bin"].items.items():
        if path.startswith(_LOCALE) and isinstance(item, File):
            items.append(File(f"{LOCALES}/C.utf8/{path.removeprefix(_LOCALE)}", item.content))
    items += _copyrights(contents)
    return CLibrary(
        platform=platform,
        version=_upstream(packages, "libc6"),
        host_loader=loader,
        items=tuple(sorted(items, key=lambda item: item.path)),
        names=frozenset({*origins, loader.rpartition("/")[2]}),
        packages=packages,
    )


def _musl(
    packages: tuple[PinnedPackage, ...], contents: dict[str, DebianPackage], platform: Platform
) -> CLibrary:
    """musl is one file: the loader is the library."""
    loader = host_loader(platform)
    name = loader.rpartition("/")[2]
    package = contents["musl"]
    items = [_library(package, f"usr/lib/{name}", executable=True), *_copyrights(contents)]
    return CLibrary(
        platform=platform,
        version=_upstream(packages, "musl"),
        host_loader=loader,
        items=tuple(items),
        names=frozenset({name, "libc.so"}),
        packages=packages,
    )


def _library(package: DebianPackage, path: str, *, executable: bool = False) -> File:
    """The library that programs know by the last component of `path`, a link to another name or not."""
    return File(f"{LIBRARIES}/{path.rpartition('/')[2]}", package.file(path).content, executable)


def _copyrights(contents: dict[str, DebianPackage]) -> list[File]:
    return [
        File(
            f"{_DOCUMENTATION}/{name}/copyright",
            contents[origin].file(f"usr/share/doc/{origin}/copyright").content,
        )
        for name, origin in _COPYRIGHTS.items()
        if name in contents
    ]


def _upstream(packages: tuple[PinnedPackage, ...], name: str) -> str:
    """The upstream version in Debian's: `2.41` of `2.41-12+deb13u4`."""
    version = next(package.version for package in packages if package.name == name)
    match = re.match(r"(?:\d+:)?([\d.]+)", version)
    return match[1] if match else version


def fetch_library(
    table: PackageTable,
    platform: Platform,
    wanted: Collection[str],
    network: Network,
    console: Console | None = None,
) -> CLibrary:
    """Fetches the C library for `platform` that `table` pins, with the optional libraries `wanted`.

    `network` defaults to the settings of the environment. Raises CzscieError.
    """
    packages = packages_of(table, platform, wanted)
    paths = fetch_packages(table, packages, network, console)
    contents = {name: DebianPackage.read(path.read_bytes(), path.name) for name, path in paths.items()}
    return read_library(packages, contents, platform, wanted)
