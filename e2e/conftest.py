"""What the tests share: the mirror, its interpreters, the PEXes and the scies, each made once."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from czscie.cache import cache_directory
from e2e import interpreters as interpreters_of
from e2e.bare import BareRoot
from e2e.build import Builder, Scie
from e2e.pexes import Recipe, make_pex
from e2e.server import MirrorServer, serve
from e2e.situation import Case, cases
from e2e.ways import Way, Ways
from e2e.wine import cpython
from e2e.wine import wine as wine_of
from e2e.wine.application import build
from e2e.wine.wine import Wine

PYTHONS = ("3.11", "3.13")

#: Situations have tests of their own, which only what is started runs.
collect_ignore = ["situations"]

BuildScie = Callable[[Scie], Path]
MakeRoot = Callable[[], BareRoot]


@pytest.fixture(scope="session", autouse=True)
def _host() -> None:
    if sys.platform != "linux" or platform.machine() != "x86_64":
        pytest.skip(f"these tests run Linux x86_64 executables; this is {sys.platform} {platform.machine()}")


@pytest.fixture(scope="session")
def mirror_directory() -> Path:
    """The mirror, kept between runs."""
    return interpreters_of.mirror_directory()


@pytest.fixture(scope="session")
def mirror_server(mirror_directory: Path) -> Iterator[MirrorServer]:
    with serve(mirror_directory) as server:
        yield server


@pytest.fixture(scope="session")
def interpreters(mirror_directory: Path) -> dict[str, Path]:
    """The mirror's CPythons for this host, unpacked: `3.13` to the path of `bin/python3.13`."""
    return interpreters_of.unpack_interpreters(mirror_directory)


@pytest.fixture(scope="session")
def pexes(interpreters: dict[str, Path]) -> Callable[[Recipe], Path]:
    """A function from a recipe to its PEX, which every one of the recipe's interpreters can run."""

    def make(recipe: Recipe) -> Path:
        return make_pex(recipe, [path for minor, path in interpreters.items() if minor in recipe.pythons])

    return make


@pytest.fixture(scope="session")
def builder(mirror_server: MirrorServer, tmp_path_factory: pytest.TempPathFactory) -> Builder:
    """Builds with a cache of this session's own, so that none comes out of an older czscie's.

    Launchers are the user's, which are named by their source: they take long to compile.
    """
    session = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        session = session.parent
    cache = session / "czscie-cache"
    cache.mkdir(exist_ok=True)
    with suppress(FileExistsError):  # another process of this session made it
        (cache / "launchers").symlink_to(cache_directory("launchers"))
    return Builder(mirror_server.url, cache)


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


@pytest.fixture(scope="session")
def way_of(interpreters: dict[str, Path], builder: Builder) -> Iterator[Callable[[Case], Way]]:
    """A function from a case to where it runs, made for the whole set the first time."""
    with tempfile.TemporaryDirectory(prefix="czscie-ways-") as directory:
        Path(directory).chmod(0o755)  # for situations that stop being root
        yield Ways(interpreters, builder, Path(directory)).of


@pytest.fixture
def run_case(
    way_of: Callable[[Case], Way], tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[Callable[[Case], str]]:
    """A function from a case to all that it prints; with `--record` it becomes what is expected."""
    record = pytestconfig.getoption("--record")
    # A socket's path has at most 107 bytes (unix(7)); `tmp_path` spends most of them on the test's name.
    scratch = tmp_path_factory.mktemp("s")

    def run(case: Case) -> str:
        if case.situation.description.root and os.geteuid() != 0:
            pytest.skip("this situation starts as root")
        printed = way_of(case).run(case, scratch)
        if case.way == "venv" and record:
            case.record(printed)
        return printed

    yield run
    shutil.rmtree(scratch, ignore_errors=True)


@pytest.fixture(scope="session")
def wine() -> Iterator[Wine]:
    if reason := wine_of.why_not():
        pytest.skip(reason)
    with wine_of.running() as wine:
        yield wine


@pytest.fixture(scope="session")
def windows_mirror(wine: Wine, mirror_directory: Path) -> Path:
    """The mirror with a CPython for Windows, kept between runs."""
    return cpython.mirror_with_windows(mirror_directory)


@pytest.fixture(scope="session")
def windows_builder(windows_mirror: Path, builder: Builder) -> Builder:
    return Builder(windows_mirror.as_uri(), builder.cache)


@pytest.fixture(scope="session")
def windows_cowsay(windows_builder: Builder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    payload = 'requirements = ["cowsay==6.1"]\nentry_point = "cowsay"'
    return build(windows_builder, "cowsay", payload, tmp_path_factory.mktemp("cowsay"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--record", action="store_true", help="expect of situations what they print in a virtual environment"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes a `case` gets those of its module's `SET`."""
    if "case" in metafunc.fixturenames:
        parameters = [
            pytest.param(
                case,
                id=str(case),
                marks=[pytest.mark.xfail(strict=True, reason=why)] if (why := case.why_it_fails) else [],
            )
            for case in cases(metafunc.module.SET)
        ]
        metafunc.parametrize("case", parameters)
