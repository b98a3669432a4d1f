"""Executables for musl start where there is only musl, and with their own where there is nothing at all."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from czscie.elf import Elf
from e2e import debian
from e2e.bare import BareRoot
from e2e.build import Builder, Scie, read_results
from e2e.mirror.release import TAG
from e2e.musl import LOADER, MINOR, musl_archive, musl_loader, musl_mirror
from e2e.pexes import COWSAY, PROJECTS, Recipe
from e2e.server import serve

PLATFORM = "musl-linux-x86_64"
USER = 12345

#: A host with musl, and one with nothing: what the root has, and `lift.libc`.
HOSTS = {"musl": None, "empty": "when-missing"}

MakeHost = Callable[[str], BareRoot]


@pytest.fixture(scope="module")
def musl_builder(builder: Builder) -> Iterator[Builder]:
    with serve(musl_mirror()) as server:
        yield Builder(server.url, builder.cache)


@pytest.fixture(scope="module")
def cowsay(
    musl_builder: Builder, pexes: Callable[[Recipe], Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Path]:
    """A function from a host to the executable for it."""
    directory = tmp_path_factory.mktemp("cowsay")

    def build(host: str) -> Path:
        if not (built := directory / host / "dist/cowsay").exists():
            scie = Scie(COWSAY, MINOR, PLATFORM, libc=HOSTS[host])
            assert musl_builder.build(scie, pexes(COWSAY), directory / host) == built
        return built

    return build


@pytest.fixture(scope="module")
def islander(musl_builder: Builder, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The same of a script, whose wheel czscie resolves for musl."""
    directory = tmp_path_factory.mktemp("islander")

    def build(host: str) -> Path:
        if not (built := directory / host / "dist/islander").exists():
            (directory / host).mkdir()
            (directory / host / "lift.toml").write_text(_manifest(HOSTS[host]))
            done = musl_builder.run("lift.toml", "-o", "dist", directory=directory / host)
            assert done.returncode == 0, done.stderr
            assert [directory / host / each.path for each in read_results(done.stdout)] == [built]
        return built

    return build


def _manifest(libc: str | None) -> str:
    bundle = f'[lift.libc]\nbundle = "{libc}"\npackages = "{debian.table()}"\n' if libc else ""
    return f"""\
[lift]
name = "islander"
platforms = ["{PLATFORM}"]

[[lift.interpreters]]
id = "cpython"
provider = "PythonBuildStandalone"
release = "{TAG}"
version = "{MINOR}"

[lift.payload]
script = "{PROJECTS}/islander/islander.py"

{bundle}"""


@pytest.fixture
def host(tmp_path: Path) -> MakeHost:
    """A function to a new root: empty but for /dev, or with musl too."""

    def make(name: str) -> BareRoot:
        root = BareRoot.empty(tmp_path / "root")
        root.add_shared_memory()
        root.add_null_device()
        if name == "musl":
            loader = root.path / LOADER.relative_to("/")
            loader.parent.mkdir()
            shutil.copy(musl_loader(), loader)
            loader.chmod(0o755)
        return root

    return make


@pytest.mark.parametrize("name", HOSTS)
@pytest.mark.parametrize("proc", [True, False], ids=["proc", "no-proc"])
@pytest.mark.parametrize("user", [0, USER])
def test_a_pure_application_starts_cold_and_warm(
    cowsay: Callable[[str], Path], host: MakeHost, name: str, proc: bool, user: int
) -> None:
    if user and os.geteuid() != 0:
        pytest.skip("only root becomes another user")
    root = host(name)
    program = root.install(cowsay(name))
    before = root.entries()
    for start in ("cold", "warm"):
        done = root.run(program, "-t", "moo", proc=proc, user=user, environment={"CZSCIE_BASE": "/tmp/base"})
        assert done.returncode == 0, f"{start}: {done.stderr}"
        assert "| moo |" in done.stdout
    assert root.entries() == before


@pytest.mark.parametrize("name", HOSTS)
@pytest.mark.parametrize("proc", [True, False], ids=["proc", "no-proc"])
def test_a_musllinux_wheel_and_every_kind_of_pool_work(
    islander: Callable[[str], Path], host: MakeHost, name: str, proc: bool
) -> None:
    root = host(name)
    program = root.install(islander(name))
    for start in ("cold", "warm"):
        done = root.run(program, proc=proc)
        assert done.returncode == 0, f"{start}: {done.stderr}"
        told = json.loads(done.stdout)
        assert told.pop("executable") == told.pop("child")
        assert told == {
            "validated": 42,
            "extension": "_pydantic_core.cpython-313-x86_64-linux-musl.so",
            "abi": "cpython-313-x86_64-linux-musl",
            "pools": [[1, 4, 9]] * 3,
            "environment": True,
            "threads": 8,
            "zlib": "moo",
            "addresses": ["127.0.0.1"],
        }


def test_the_wheel_that_is_locked_is_for_musl(islander: Callable[[str], Path]) -> None:
    lock = (islander("musl").parent.parent / "lift.lock").read_text()
    assert "musllinux" in lock
    assert "manylinux" not in lock


def test_what_it_asks_of_its_host_is_told(
    cowsay: Callable[[str], Path], musl_builder: Builder, tmp_path: Path
) -> None:
    for name, needed in (("musl", "needs linux-x86_64, musl, "), ("empty", "musl or no C library, ")):
        done = musl_builder.run(cowsay(name), directory=tmp_path, command="inspect")
        assert needed in done.stdout, done.stdout


def test_a_host_without_musl_is_told_so(cowsay: Callable[[str], Path], host: MakeHost) -> None:
    root = host("empty")
    done = root.run(root.install(cowsay("musl")), "-t", "moo")
    assert done.returncode != 0
    assert "its dynamic loader is missing, so this host lacks the C library that it needs" in done.stderr
    assert "hint: " in done.stderr


def test_what_is_patched_is_verified_and_removed(cowsay: Callable[[str], Path], host: MakeHost) -> None:
    root = host("empty")
    program = root.install(cowsay("empty"))
    assert root.run(program, "-t", "moo").returncode == 0
    verified = root.run(program, environment={"SCIE": "verify"})
    assert verified.stdout.endswith("no problems found\n"), verified.stdout
    doctor = root.run(program, environment={"SCIE": "doctor"})
    assert "musl" in doctor.stdout, doctor.stdout
    assert root.run(program, environment={"SCIE": "uninstall"}).returncode == 0
    (base,) = [*root.path.glob("tmp/czscie-*"), *root.path.glob("var/cache/czscie")]
    assert [path for path in base.glob("*/*") if path.parent.name != "locks"] == []


def test_its_modules_are_packed_by_the_cpython_of_this_machine(
    cowsay: Callable[[str], Path], musl_builder: Builder, tmp_path: Path
) -> None:
    done = musl_builder.run(cowsay("musl"), "--json", directory=tmp_path, command="inspect")
    interpreter = json.loads(done.stdout)["parts"][0]
    assert interpreter["kind"] == "interpreter"
    assert interpreter["files"] < 200


def test_the_cpython_is_laid_out_as_python_build_standalone_does(tmp_path: Path) -> None:
    shutil.unpack_archive(musl_archive(), tmp_path, filter="data")
    python = tmp_path / f"python/bin/python{MINOR}"
    elf = Elf.parse(python.read_bytes(), str(python))
    assert (elf.interpreter, elf.needed) == (str(LOADER), ("libc.so",))
    assert (tmp_path / f"python/lib/python{MINOR}/_sysconfigdata__linux_x86_64-linux-musl.py").exists()
    assert list(tmp_path.rglob("*.pyc")) == []
