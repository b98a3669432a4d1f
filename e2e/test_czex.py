"""CZEXes on Pythons of every kind: old ones, PyPy, and those of another architecture."""

from __future__ import annotations

import json
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from czscie.czex.inject import Compression, inject
from e2e import foreign
from e2e.cache import cached
from e2e.mirror import release
from e2e.mirror.apt import Apt
from e2e.pexes import Recipe
from scie.factories import launcher_of

GREETER = Recipe("greeter", ("six==1.17.0", "--entry-point", "greeter:main"), sources="greeter")

MANY_PLATFORMS = Recipe(
    "many-platforms",
    (
        *("six==1.17.0", "MarkupSafe==3.0.2", "--entry-point", "greeter:main"),
        *("--platform", "manylinux2014_aarch64-cp-311-cp311"),
        *("--platform", "manylinux2014_aarch64-cp-313-cp313"),
    ),
    sources="greeter",
)

#: Debian's own packages: the suite, and those that make an interpreter in a directory.
DEBIAN = {
    "python2.7": (
        "bullseye",
        ("libpython2.7-minimal", "libpython2.7-stdlib", "python2.7-minimal", "python2.7"),
    ),
    "python3.9": (
        "bullseye",
        (
            "libpython3.9-minimal",
            "libpython3.9-stdlib",
            "python3.9-minimal",
            "python3.9",
            "libssl1.1",
            "libffi7",
        ),
    ),
    "pypy3": ("bookworm", ("pypy3", "pypy3-lib", "libncursesw6", "libtinfo6", "libffi8", "libexpat1")),
}


@pytest.fixture(scope="session")
def make_czex(
    pexes: Callable[[Recipe], Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Recipe], Path]:
    def make(recipe: Recipe) -> Path:
        path = tmp_path_factory.mktemp("czex") / f"{recipe.name}.czex"
        inject(pexes(recipe), path, (), launcher_of, Compression(1))
        return path

    return make


def debian_python(name: str) -> Path:
    suite, packages = DEBIAN[name]

    def unpack(target: Path) -> None:
        target.mkdir(parents=True)
        apt = Apt(target / ".apt", suite, "amd64")
        for package in packages:
            apt.unpack(target, package)

    return cached(f"debian-{name}", [suite, *packages], unpack)


@pytest.mark.parametrize("name", DEBIAN)
def test_it_runs_on_pythons_of_debian(make_czex: Callable[[Recipe], Path], tmp_path: Path, name: str) -> None:
    root = debian_python(name)
    czex = make_czex(GREETER)
    environment = {
        "PATH": "/usr/bin:/bin",
        "CZSCIE_BASE": str(tmp_path / "base"),
        "LD_LIBRARY_PATH": str(root / "usr/lib/x86_64-linux-gnu"),
    }
    for _ in ("cold", "warm"):
        command: list[str | Path] = [root / "usr/bin" / name, czex, "a b"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 7, done.stderr
        assert json.loads(done.stdout) == {
            "arguments": ["a b"],
            "child": True,
            "compiled": None,
            "implementation": "PyPy" if name == "pypy3" else "CPython",
            "machine": "x86_64",
            "version": "2.7" if name == "python2.7" else "3.9",
        }
    assert len(list((tmp_path / "base/apps").iterdir())) == 1


@pytest.mark.parametrize(
    ("version", "machine"), [("3.11", "x86_64"), ("3.13", "x86_64"), ("3.11", "aarch64")]
)
def test_one_file_serves_interpreters_and_architectures(
    make_czex: Callable[[Recipe], Path], mirror_directory: Path, tmp_path: Path, version: str, machine: str
) -> None:
    prefix: list[str] = []
    environment = {"PATH": "/usr/bin:/bin", "CZSCIE_BASE": str(tmp_path / "base"), "HOME": str(tmp_path)}
    if machine == "aarch64":
        if reason := foreign.why_not():
            pytest.skip(reason)
        prefix = foreign.enter()
        environment["QEMU_LD_PREFIX"] = str(foreign.system())
    asset = next(
        asset
        for asset in release.read_assets(mirror_directory)
        if asset.triple.startswith(f"{machine}-") and asset.minor == version
    )
    with tarfile.open(mirror_directory / release.TAG / asset.name) as archive:
        archive.extractall(tmp_path)
    python = tmp_path / "python/bin" / f"python{version}"
    czex = make_czex(MANY_PLATFORMS)
    for _ in ("cold", "warm"):
        command = [*prefix, str(python), str(czex), "x"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == 7, done.stderr
        assert json.loads(done.stdout) == {
            "arguments": ["x"],
            "child": True,
            "compiled": f"_speedups.cpython-{version.replace('.', '')}-{machine}-linux-gnu.so",
            "implementation": "CPython",
            "machine": machine,
            "version": version,
        }
