"""Adds a C library to the parts of an executable: its own part, and a variant of each other part."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import msgspec

from czscie.build_cache import key_of, knowledge, product
from czscie.console import Console
from czscie.container.manifest import LIBC, OwnLibc
from czscie.container.packer import write_items
from czscie.container.part import PartFile
from czscie.libc.library import LOCALES, fetch_library, host_loader, optional_libraries, packages_of
from czscie.libc.packages import PackageTable, PinnedPackage
from czscie.libc.scan import Demand, scan
from czscie.libc.variant import InstalledLibc, variant
from czscie.lift.libc import ALWAYS, NEVER, Libc
from czscie.network.network import Network
from czscie.platforms import Platform

KIND = "libc"

#: What a host with glibc may lack all the same.
_OF_COMPILERS = frozenset({"libgcc_s.so.1", "libstdc++.so.6", "libatomic.so.1"})


class PackedLibc(msgspec.Struct, frozen=True):
    """The cached metadata of a packed C library. `loader` is the loader's path in the installation."""

    digest: str
    unpacked: int
    description: str
    loader: str
    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class BundledLibc:
    """`parts` are the parts with their variants. `packages` of `table` are the source of `part`."""

    part: PartFile
    parts: tuple[PartFile, ...]
    manifest: OwnLibc
    table: PackageTable
    packages: tuple[PinnedPackage, ...]


def check_libc(settings: Libc, platforms: Sequence[Platform]) -> None:
    """Raises CzscieError when `lift.libc` wants a C library and there is none for a platform."""
    if settings.bundle == NEVER:
        return
    table = PackageTable.of(settings)
    for platform in platforms:
        if platform.os == "linux":
            host_loader(platform)
            wanted = [name for name in optional_libraries(platform) if name in settings.libraries]
            packages_of(table, platform, wanted)


def bundle(
    settings: Libc,
    platform: Platform,
    parts: Sequence[PartFile],
    level: int,
    network: Network,
    console: Console,
) -> BundledLibc:
    """The C library for `parts` as `lift.libc` says. `level` is zstd's. Raises CzscieError."""
    loader = host_loader(platform)
    demands = {
        part.name: knowledge(key_of("demand", part.digest, loader), Demand, partial(_scan, part, loader))
        for part in parts
    }
    libraries = frozenset(settings.libraries).union(*(demand.libraries for demand in demands.values()))
    early = frozenset[str]().union(*(demand.early for demand in demands.values()))
    table = PackageTable.of(settings)
    wanted = [name for name in optional_libraries(platform) if name in libraries]
    packages = packages_of(table, platform, wanted)
    part, library = _pack(_Choice(table, packages, platform, wanted), level, network, console)

    _tell_missing(libraries - library.names - {"ld.so", "libc.so"}, demands.values(), console)

    installed = InstalledLibc(part.digest, library.loader, early & library.names)
    varied: list[PartFile] = []
    plans: dict[str, str] = {}
    renamed: dict[str, str] = {}
    # The variants of others name those of interpreters.
    for each in sorted(parts, key=lambda part: part.kind != "interpreter"):
        programs = demands[each.name].programs
        found = variant(each.path, each.kind, programs, installed, renamed)
        if found is None:
            continue
        plans[each.name] = found.plan.digest()
        if each.kind == "interpreter":
            renamed[each.digest] = plans[each.name]
        varied.append(replace(each, entries=(*each.entries, *found.entries)))
    by_name = {each.name: each for each in varied}
    return BundledLibc(
        part,
        tuple(by_name.get(each.name, each) for each in parts),
        OwnLibc(
            loader=loader,
            plans=plans,
            libraries=tuple(sorted(libraries & library.names & _OF_COMPILERS)),
            always=settings.bundle == ALWAYS,
            env={} if platform.libc == "musl" else {"LOCPATH": f"{{{LIBC}}}/{LOCALES}"},
        ),
        table,
        packages,
    )


def _scan(part: PartFile, loader: str) -> Demand:
    part.check()
    return scan(part.path, loader)


def _tell_missing(libraries: Collection[str], demands: Iterable[Demand], console: Console) -> None:
    """Warns about libraries: a host without a C library has no other library either."""
    provided = frozenset[str]().union(*(demand.provided for demand in demands))
    missing = sorted(name for name in set(libraries) - provided if not name.startswith("libpython"))
    if missing:
        console.warn(f"not bundled, and missing on hosts without a C library: {', '.join(missing)}")


@dataclass(frozen=True, slots=True)
class _Choice:
    """A C library for `platform` in `packages` of `table`, with the optional libraries `wanted`."""

    table: PackageTable
    packages: tuple[PinnedPackage, ...]
    platform: Platform
    wanted: Collection[str]

    def key(self, level: int) -> str:
        """What it follows from when it is packed with zstd's `level`."""
        pins = (package.sha256 for package in self.packages)
        return key_of(KIND, self.platform.name, str(level), self.table.release, *self.wanted, *pins)


def _pack(choice: _Choice, level: int, network: Network, console: Console) -> tuple[PartFile, PackedLibc]:
    """The C library, fetched and packed."""

    def make(path: Path) -> PackedLibc:
        library = fetch_library(choice.table, choice.platform, choice.wanted, network, console)
        description = f"{library.description} of {choice.table.release}"
        with console.phase(f"Packing {description}", f"Packed {description}"):
            plan = write_items(library.items, path, level)
        return PackedLibc(plan.digest(), plan.unpacked(), description, library.loader, library.names)

    made = product(choice.key(level), ".zip", PackedLibc, make)
    known = made.known
    part = PartFile(
        made.path, LIBC, KIND, known.digest, known.unpacked, known.description, sha256=made.sha256
    )
    return part, known
