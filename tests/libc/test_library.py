from __future__ import annotations

from collections.abc import Sequence

import pytest

from czscie.container.content import File
from czscie.libc.deb import DebianPackage
from czscie.libc.library import CLibrary, packages_of, read_library
from czscie.libc.packages import PackageTable, PinnedPackage
from czscie.platforms import Platform
from libc.factories import MUSL, X86_64, packages

TABLE = PackageTable(
    "Debian 13",
    "file:///m",
    tuple(
        PinnedPackage(
            name=name,
            version="2.41-12+deb13u4",
            architecture="amd64",
            source=name,
            path=f"pool/{name}.deb",
            size=1,
            sha256="0" * 64,
        )
        for name in packages()
    ),
)


def read(platform: Platform, wanted: Sequence[str] = ()) -> CLibrary:
    pinned = packages_of(TABLE, platform, wanted)
    made = packages()
    contents = {each.name: DebianPackage.read(made[each.name], each.name) for each in pinned}
    return read_library(pinned, contents, platform, wanted)


def paths(library: CLibrary) -> list[str]:
    return [item.path for item in library.items]


def test_the_loader_the_libraries_the_locale_and_their_licences_are_there() -> None:
    library = read(X86_64)
    assert paths(library) == [
        "lib/ld-linux-x86-64.so.2",
        "lib/libc.so.6",
        "lib/libdl.so.2",
        "lib/libgcc_s.so.1",
        "lib/libm.so.6",
        "lib/libpthread.so.0",
        "lib/libresolv.so.2",
        "lib/librt.so.1",
        "lib/libutil.so.1",
        "lib/locale/C.utf8/LC_CTYPE",
        "lib/locale/C.utf8/LC_MESSAGES/SYS_LC_MESSAGES",
        "share/doc/libc6/copyright",
        "share/doc/libgcc-s1/copyright",
    ]
    assert (library.loader, library.host_loader) == (
        "lib/ld-linux-x86-64.so.2",
        "/lib64/ld-linux-x86-64.so.2",
    )
    assert library.description == "glibc 2.41"
    (loader,) = [item for item in library.items if item.path == library.loader]
    assert isinstance(loader, File) and loader.executable
    assert [each.name for each in library.packages] == ["gcc-14-base", "libc-bin", "libc6", "libgcc-s1"]


@pytest.mark.parametrize("name", ["libstdc++.so.6", "libmvec.so.1"])
def test_a_library_that_something_is_linked_with_comes_along(name: str) -> None:
    library = read(X86_64, [name])
    assert f"lib/{name}" in paths(library) and name in library.names
    assert name not in read(X86_64).names


def test_musl_is_its_loader() -> None:
    library = read(MUSL)
    assert paths(library) == ["lib/ld-musl-x86_64.so.1", "share/doc/musl/copyright"]
    assert library.description == "musl 2.41"
    assert library.names == {"ld-musl-x86_64.so.1", "libc.so"}
