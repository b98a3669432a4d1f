"""The wheel of a release builds for other platforms without a compiler and a network, and czscie as an
executable builds other executables, itself among them, where there is nothing else.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from czscie import __version__
from czscie.launchers.build import all_programs
from e2e import debian
from e2e.bare import BareRoot
from e2e.build import Builder, read_results
from e2e.image import Archive
from e2e.mirror.release import TAG
from e2e.run import start
from e2e.server import serve
from e2e.situation import Distribution, write_wheel
from e2e.wheelhouse import wheelhouse
from release.__main__ import CHECKOUT, describe_executables
from release.artifact import Artifact, Release
from release.distributions import Distributions, build_distributions, compile_programs
from release.executables import build_executables, build_image, copy_manifest
from release.installers import write_installers

NO_NETWORK = ("unshare", "--net")

EXECUTABLE = "czscie-linux-x86_64"
PLATFORM = ("--platform=linux-x86_64",)

MANIFEST = f"""\
[lift]
name = "hello"
platforms = ["linux-x86_64", "linux-aarch64"]
compression_level = 1

[[lift.interpreters]]
id = "cpython"
provider = "PythonBuildStandalone"
release = "{TAG}"
version = "3.11"

[lift.payload]
script = "hello.py"
"""

#: A program whose package pex finds in a directory of wheels.
COW = f"""\
[lift]
name = "cow"
platforms = ["current"]
compression_level = 1

[[lift.interpreters]]
id = "cpython"
provider = "PythonBuildStandalone"
release = "{TAG}"
version = "3.11"

[lift.payload]
requirements = ["cow"]
find_links = ["wheels"]
no_index = true
entry_point = "cow:moo"

[lift.libc]
bundle = "when-missing"
packages = "debian.json"
"""

FIND_PROGRAMS = """\
import importlib.util, sys
from pathlib import Path
from czscie.launchers.build import find_launcher
assert importlib.util.find_spec("ziglang") is None
print(*(name for name in sys.argv[1:] if find_launcher(name, Path("nowhere")) is None))
"""


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Distributions:
    return build_distributions(CHECKOUT, compile_programs(), tmp_path_factory.mktemp("release"))


@pytest.fixture(scope="module")
def wheels(interpreters: dict[str, Path]) -> Path:
    return wheelhouse(interpreters["3.11"])


@pytest.fixture(scope="module")
def environment(
    distributions: Distributions,
    wheels: Path,
    interpreters: dict[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A virtual environment with the wheel, and with no other packages than it requires."""
    if subprocess.run([*NO_NETWORK, "true"], capture_output=True).returncode != 0:
        pytest.skip("no network namespace can be made: root is needed")
    directory = tmp_path_factory.mktemp("environment")
    subprocess.run([interpreters["3.11"], "-m", "venv", "--without-pip", directory], check=True)
    pip: list[str | Path] = [sys.executable, "-m", "pip", "--python", directory / "bin/python", "install"]
    pip += ["--quiet", "--no-index", "--no-compile", "--find-links", wheels, distributions.wheel]
    subprocess.run([*NO_NETWORK, *pip], check=True)
    return directory


def test_the_wheel_has_all_launchers_and_fetchers(environment: Path) -> None:
    command = [str(environment / "bin/python"), "-c", FIND_PROGRAMS, *all_programs()]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "\n"), done.stderr


def test_the_wheel_builds_for_other_platforms(
    environment: Path, mirror_directory: Path, builder: Builder, tmp_path: Path
) -> None:
    (tmp_path / "lift.toml").write_text(MANIFEST)
    (tmp_path / "hello.py").write_text("print('hello, world')\n")
    done = subprocess.run(
        [*NO_NETWORK, environment / "bin/czscie", "build", "-o", "dist"],
        cwd=tmp_path,
        env={**os.environ, **builder.settings(), "CZSCIE_PBS_URL": mirror_directory.as_uri()},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "ompil" not in done.stderr, "nothing is compiled but the payload's modules"
    built = {result.path.name: tmp_path / result.path for result in read_results(done.stdout)}
    assert built.keys() == {"hello-linux-x86_64", "hello-linux-aarch64"}
    hello = start(built["hello-linux-x86_64"], base=tmp_path / "base")
    assert hello.stdout == b"hello, world\n", hello.stderr


@pytest.fixture(scope="module")
def variables(wheels: Path, builder: Builder) -> Iterator[None]:
    """This process has the environment of a release that takes packages and CPythons from this machine."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in builder.settings().items():
            patch.setenv(name, value)
        patch.setenv("PIP_NO_INDEX", "1")
        patch.setenv("PIP_FIND_LINKS", wheels.as_uri())
        yield


@pytest.fixture(scope="module")
def release(
    distributions: Distributions, variables: None, tmp_path_factory: pytest.TempPathFactory
) -> Release:
    """A release with the executable and the image for this platform, beside the distributions."""
    out = distributions.wheel.parent
    own = (CHECKOUT / "lift.toml").read_text()
    quick = own.replace("[lift]\n", "[lift]\ncompression_level = 1\n")
    manifest = tmp_path_factory.mktemp("manifest") / "lift.toml"
    manifest.write_text(f'{quick}packages = "debian.json"\n')
    shutil.copy(debian.table(), out / "debian.json")
    copy_manifest(manifest, out)
    release = Release.of(describe_executables(build_executables(out, PLATFORM)))
    release = release.with_more([Artifact.of(build_image(out, PLATFORM), "image")])
    release = release.with_more(write_installers(release, "", out))
    release.write(out)
    return release


@pytest.fixture(scope="module")
def executable(release: Release, distributions: Distributions) -> Path:
    """czscie for this platform. The other files of the release are in the same directory."""
    return distributions.wheel.with_name(release.executables()["linux-x86_64"].name)


@pytest.fixture(scope="module")
def root(executable: Path, tmp_path_factory: pytest.TempPathFactory) -> BareRoot:
    """A root directory with the executable, and with the devices that every container has."""
    if os.geteuid() != 0:
        pytest.skip("only root can make devices")
    root = BareRoot.empty(tmp_path_factory.mktemp("root") / "root")
    root.add_shared_memory()
    root.add_null_device()
    root.install(executable)
    return root


def run_czscie(root: BareRoot, *arguments: str) -> str:
    done = root.run(f"/{EXECUTABLE}", *arguments, environment={"HOME": "/home"})
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_release_lists_its_files(executable: Path) -> None:
    done = subprocess.run(["sha256sum", "--check", "SHA256SUMS"], cwd=executable.parent, capture_output=True)
    assert done.returncode == 0, done.stderr
    names = {f"{EXECUTABLE}", f"{EXECUTABLE}.cdx.json", "czscie-image.tar", "install.sh"}
    assert done.stdout.decode() == "".join(f"{name}: OK\n" for name in sorted(names | {"dist-manifest.json"}))
    manifest = json.loads(executable.with_name("dist-manifest.json").read_text())
    assert {each["name"] for each in manifest["artifacts"]} == names
    assert executable.name in {each["name"] for each in manifest["artifacts"] if each["kind"] == "executable"}
    bill = json.loads(executable.with_name(f"{EXECUTABLE}.cdx.json").read_text())
    assert {"pex", "msgspec", "czscie"} <= {each["name"] for each in bill["components"]}


def test_the_installer_installs_it(executable: Path, tmp_path: Path) -> None:
    with serve(executable.parent) as server:
        variables = {"HOME": str(tmp_path), "CZSCIE_DOWNLOAD_URL": server.url}
        command = ["sh", str(executable.with_name("install.sh"))]
        subprocess.run(command, env={**os.environ, **variables}, check=True, capture_output=True)
    done = start(tmp_path / ".local/bin/czscie", "--version", base=tmp_path / "base")
    assert done.stdout.decode() == f"czscie {__version__}\n", done.stderr


def test_the_image_starts_from_scratch(executable: Path, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can lay out an image")
    entry_point = Archive(executable.with_name("czscie-image.tar")).lay_out("amd64", tmp_path / "root")
    (tmp_path / "root/proc").mkdir()
    done = BareRoot(tmp_path / "root").run(entry_point, "--version")
    assert done.stdout == f"czscie {__version__}\n", done.stderr


def test_czscie_builds_itself_of_vendored_files_where_there_is_nothing_else(
    executable: Path, builder: Builder, root: BareRoot
) -> None:
    vendor = ("--platform=linux-x86_64", str(root.path / "vendor"))
    vendored = builder.run(*vendor, directory=executable.parent, command="vendor")
    assert vendored.returncode == 0, vendored.stderr
    for name in ("lift.toml", "lift.lock", "debian.json"):
        shutil.copy(executable.with_name(name), root.path)
    run_czscie(root, "build", "--offline", "--locked", "--vendor=vendor", "--platform=current", "-o", "again")
    again = root.path / "again" / EXECUTABLE
    assert again.read_bytes() == executable.read_bytes()
    assert root.run(f"/again/{EXECUTABLE}", "--version").stdout == run_czscie(root, "--version")


def test_czscie_resolves_packages_with_the_pex_and_the_pip_in_it(
    mirror_directory: Path, root: BareRoot
) -> None:
    cow = root.path / "cow"
    cow.mkdir()
    (cow / "lift.toml").write_text(COW)
    table = debian.table()
    shutil.copytree(table.parent / "pool", root.path / "debian/pool")
    (cow / "debian.json").write_text(table.read_text().replace(table.parent.as_uri(), "file:///debian"))
    (cow / "wheels").mkdir()
    (cow / "content").mkdir()
    (cow / "content/cow.py").write_text("def moo():\n    print('moo')\n")
    write_wheel(Distribution("cow"), cow / "content", cow / "wheels")
    (root.path / "mirror" / TAG).mkdir(parents=True)
    for path in (mirror_directory / TAG).glob("*3.11*x86_64*"):
        shutil.copy(path, root.path / "mirror" / TAG)
    shutil.copy(mirror_directory / TAG / "SHA256SUMS", root.path / "mirror" / TAG)
    settings = {"HOME": "/home", "CZSCIE_PBS_URL": "file:///mirror", "CZSCIE_PBS_DIGESTS": "none"}
    done = root.run(f"/{EXECUTABLE}", "build", "/cow/lift.toml", "-o", "/cow", environment=settings)
    assert done.returncode == 0, done.stderr
    assert root.run("/cow/cow").stdout == "moo\n"
