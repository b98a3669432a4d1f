"""What the tests share: the mirror, its interpreters, the PEXes and the scies, each made once."""

from __future__ import annotations

import importlib
import os
import platform
import sys
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from e2e import mirror
from e2e.bare import BareRoot
from e2e.build import Builder, Scie
from e2e.cache import cached, sources
from e2e.mirror import release
from e2e.pexes import Recipe, make_pex
from e2e.server import MirrorServer, serve

PYTHONS = ("3.11", "3.13")

BuildScie = Callable[[Scie], Path]
MakeRoot = Callable[[], BareRoot]


@pytest.fixture(scope="session", autouse=True)
def _host() -> None:
    if sys.platform != "linux" or platform.machine() != "x86_64":
        pytest.skip(f"these tests run Linux x86_64 executables; this is {sys.platform} {platform.machine()}")


@pytest.fixture(scope="session")
def mirror_directory() -> Path:
    """The mirror, kept between runs as long as what makes it stays the same."""
    makers = sources(Path(mirror.__file__).parent, "*.py")
    makers += [Path(str(importlib.import_module(name).__file__)).read_bytes() for name in release.USES]
    return cached("mirror", makers, release.write_mirror)


@pytest.fixture(scope="session")
def mirror_server(mirror_directory: Path) -> Iterator[MirrorServer]:
    with serve(mirror_directory) as server:
        yield server


@pytest.fixture(scope="session")
def interpreters(mirror_directory: Path) -> dict[str, Path]:
    """The mirror's CPythons for this host, unpacked: `3.13` to the path of `bin/python3.13`."""
    checksums = (mirror_directory / release.TAG / "SHA256SUMS").read_text()
    native = [asset for asset in release.read_assets(mirror_directory) if asset.triple.startswith("x86_64-")]

    def unpack(target: Path) -> None:
        for asset in native:
            with tarfile.open(mirror_directory / release.TAG / asset.name) as archive:
                archive.extractall(target / asset.minor)

    root = cached("interpreters", [checksums], unpack)
    return {asset.minor: root / asset.minor / "python/bin" / f"python{asset.minor}" for asset in native}


@pytest.fixture(scope="session")
def pexes(interpreters: dict[str, Path]) -> Callable[[Recipe], Path]:
    """A function from a recipe to its PEX, which every one of the recipe's interpreters can run."""

    def make(recipe: Recipe) -> Path:
        return make_pex(recipe, [path for minor, path in interpreters.items() if minor in recipe.pythons])

    return make


@pytest.fixture(scope="session")
def builder(mirror_server: MirrorServer, tmp_path_factory: pytest.TempPathFactory) -> Builder:
    """Builds with a cache of this session's own, so that none comes out of an older czscie's."""
    session = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        session = session.parent
    return Builder(mirror_server.url, session / "czscie-cache")


@pytest.fixture(scope="session")
def build_scie(
    builder: Builder, pexes: Callable[[Recipe], Path], tmp_path_factory: pytest.TempPathFactory
) -> BuildScie:
    """A function from a scie to its executable, built the first time it is asked for."""
    built: dict[Scie, Path] = {}

    def build(scie: Scie) -> Path:
        if scie not in built:
            directory = tmp_path_factory.mktemp(f"{scie.name}-{scie.python}-") / "build"
            built[scie] = builder.build(scie, pexes(scie.recipe), directory)
        return built[scie]

    return build


@pytest.fixture
def make_root(tmp_path: Path) -> MakeRoot:
    """A function to a new bare root for programs of this host."""
    return lambda: BareRoot.create(tmp_path / "root", platform.machine())


@pytest.fixture(scope="session")
def shared_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base directory for tests which do not care whether somebody has installed into it before."""
    return tmp_path_factory.mktemp("base")
