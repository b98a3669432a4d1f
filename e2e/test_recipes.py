"""The recipes of docs/how-to and the page of docs/start do what they say: their own blocks are run."""

from __future__ import annotations

import base64
import contextlib
import functools
import http.server
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from building import server
from czscie.launchers.build import DIGEST_SUFFIX
from e2e import debian, foreign
from e2e.build import Builder
from e2e.cache import cached
from e2e.podman import lacking, podman
from e2e.recipes import PAGES, Command, Emulation, Kitchen, NewFile, RecipeFailed, names, read_steps
from e2e.wine.wine import PROGRAM, Wine, windows_path
from network.server import MirrorServer, QuietServer
from pe_image import certificate, icon
from scie.factories import launcher_of

__all__ = ("server",)

#: What recipes require, pinned, and the back end that builds their projects.
WHEELS = (
    *("cowsay==6.1", "distlib==0.4.0", "django==5.2.1", "pygments==2.19.2", "schedule==1.2.2"),
    *("setuptools==80.9.0", "starlette==1.10.0", "uvicorn==0.54.0", "waitress==3.0.2", "whitenoise==6.9.0"),
)
AARCH64_WHEELS = ("markupsafe==3.0.3",)

#: How a manifest begins, and what a page about sizes has.
LIFT, SIZE = "[lift]\n", "stat --format %s"

ICNS = b"icns" + (8 + 16).to_bytes(4, "big") + b"ic07" + (16).to_bytes(4, "big") + b"8 bytes!"


def _download(directory: Path) -> None:
    """Writes wheels into `directory`, each below its project's name. Raises CalledProcessError."""
    pip = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--only-binary=:all:",
        "--dest",
        str(directory),
    ]
    subprocess.run([*pip, "--python-version=3.13", *WHEELS], check=True)
    tags = ["--python-version=3.11", "--platform=manylinux_2_17_aarch64", "--platform=manylinux2014_aarch64"]
    subprocess.run([*pip, *tags, *AARCH64_WHEELS], check=True)
    for wheel in list(directory.glob("*.whl")):
        project = directory / wheel.name.partition("-")[0].lower().replace("_", "-")
        project.mkdir(exist_ok=True)
        wheel.rename(project / wheel.name)


class Index(http.server.SimpleHTTPRequestHandler):
    """A package index at /simple, and at /team/simple for one farmer."""

    def do_GET(self) -> None:
        private = self.path.startswith("/team/")
        if private and self.headers["Authorization"] != f"Basic {base64.b64encode(b'farmer:moo').decode()}":
            self.send_response(401)
            self.send_header("WWW-Authenticate", "Basic")
            self.end_headers()
            return
        self.path = self.path.removeprefix("/team").removeprefix("/simple")
        super().do_GET()

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


@pytest.fixture(scope="session")
def index() -> Iterator[str]:
    """The address of an index of the wheels, without its scheme."""
    wheels = cached("recipe-wheels", [*WHEELS, *AARCH64_WHEELS], _download)
    handler = functools.partial(Index, directory=str(wheels))
    with QuietServer(("127.0.0.1", 0), handler) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{serving.server_port}"
        serving.shutdown()


@pytest.fixture(scope="session")
def pantry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a reader brings along: icons, and a certificate with its key."""
    directory = tmp_path_factory.mktemp("pantry")
    (directory / "cow.ico").write_bytes(icon())
    (directory / "cow.icns").write_bytes(ICNS)
    signer = certificate(tmp_path_factory.mktemp("certificate"))
    for name in ("cert.pem", "key.pem"):
        shutil.copy(signer, directory / name)
    return directory


@pytest.fixture(scope="session")
def kitchen(
    builder: Builder,
    mirror_directory: Path,
    index: str,
    pantry: Path,
    shared_base: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Kitchen:
    home = tmp_path_factory.mktemp("home")
    environment = {
        **builder.settings(),
        "CZSCIE_PBS_URL": mirror_directory.as_uri(),
        "CZSCIE_BASE": str(shared_base),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), "/usr/bin", "/bin"]),
        "HOME": str(home),
        "PEX_ROOT": str(home / ".pex"),
        "PIP_INDEX_URL": f"http://{index}/simple",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "LC_ALL": "C.UTF-8",
    }
    replaced = {
        "https://pypi.example.com": f"http://{index}",
        "machine pypi.example.com": f"machine {index.partition(':')[0]}",
        # Time is all that this changes, but for the recipe about sizes.
        LIFT: f"{LIFT}compression_level = 1\n",
    }
    return Kitchen(environment, replaced, pantry)


@pytest.fixture
def equipped(kitchen: Kitchen, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kitchen]:
    """The kitchen with what the page that a test names needs; skips where this machine lacks it."""
    page = (PAGES / f"{request.node.callspec.params['name']}.md").read_text(encoding="utf-8")
    environment, replaced = dict(kitchen.environment), dict(kitchen.replaced)
    emulations: dict[str, Emulation] = {}
    for platform in set(re.findall("(?:linux|macos|windows)-(?:x86_64|aarch64)", page)):
        _bring_launcher(platform, Path(environment["CZSCIE_CACHE"]))
    with contextlib.ExitStack() as stack:
        if SIZE in page:
            del replaced[LIFT]
        if "windows-x86_64" in page:
            wine: Wine = request.getfixturevalue("wine")
            mirror: Path = request.getfixturevalue("windows_mirror")
            environment["CZSCIE_PBS_URL"] = mirror.as_uri()
            emulations["Windows"] = functools.partial(_on_windows, wine, tmp_path / "base")
        if 'macos-aarch64"]\n' in page:
            fakes: MirrorServer = request.getfixturevalue("server")
            environment["CZSCIE_PBS_URL"] = fakes.url
        if 'title="on aarch64"' in page:
            if reason := foreign.why_not():
                pytest.skip(reason)
            emulations["aarch64"] = _on_aarch64
        if "[lift.libc]" in page:
            replaced["[lift.libc]\n"] = f'[lift.libc]\npackages = "{debian.table()}"\n'
        if "\n$ docker run" in page and "not run" not in page:
            if (lack := lacking()) is not None:
                pytest.skip(lack)
            engine = stack.enter_context(podman())
            programs = tmp_path / "programs"
            programs.mkdir()
            engine.write_program(programs / "docker")
            environment["PATH"] = f"{programs}{os.pathsep}{environment['PATH']}"
        yield replace(kitchen, environment=environment, replaced=replaced, emulations=emulations)


def _bring_launcher(platform: str, cache: Path) -> None:
    """Puts the launcher that all tests share into `cache`: the index lacks the source of libzstd."""
    launcher = launcher_of(platform)
    directory = cache / "launchers"
    directory.mkdir(parents=True, exist_ok=True)
    for path in (launcher, launcher.with_name(launcher.name + DIGEST_SUFFIX)):
        if path.exists() and not (directory / path.name).exists():
            shutil.copy2(path, directory)


def _on_windows(wine: Wine, base: Path, command: str) -> str:
    r"""`dist\moo.exe -t moo` by wine, whose standard handles are pipes."""
    program, *arguments = command.replace("\\", "/").split()
    variables = {**wine.environment(), "CZSCIE_BASE": windows_path(base)}
    words = ["env", "--ignore-environment", *(f"{name}={value}" for name, value in variables.items())]
    return (
        f'true | {shlex.join([*words, str(PROGRAM)])} "$PWD/{program}" {shlex.join(arguments)} | tr -d "\\r"'
    )


def _on_aarch64(command: str) -> str:
    return shlex.join(["env", f"QEMU_LD_PREFIX={foreign.system()}", *foreign.enter(), "sh", "-c", command])


@pytest.mark.parametrize("name", ["start/index", *(f"how-to/{name}" for name in names())])
def test_a_recipe_does_what_it_says(name: str, equipped: Kitchen, tmp_path: Path) -> None:
    page = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    assert equipped.run(page, tmp_path / "recipe")


def test_files_and_commands_are_read_from_a_page() -> None:
    page = """\
```toml title="lift.toml"
[lift]
```
```console
$ one \\
    more
…
a…z
$ two
```
```console title="not run"
$ three
```
```bat title="on Windows"
> four
```
```json
{}
```
"""
    assert list(read_steps(page)) == [
        NewFile("lift.toml", "[lift]\n"),
        Command("one more", "…\na…z\n"),
        Command("two", None),
        Command("four", None, "Windows"),
    ]


@pytest.mark.parametrize(
    ("shown", "printed", "fits"),
    [
        ("a…z\n", "abcz\n", True),
        ("a…z\n", "ab\n", False),
        ("…\nz\n", "x\ny\nz\n", True),
        ("a\n", "a\nb\n", False),
        ("a\n…\n", "a\n", True),
        ("a\nb\n", "a\n", False),
    ],
)
def test_what_is_shown_is_compared_with_what_is_printed(shown: str, printed: str, fits: bool) -> None:
    assert Command("", shown).prints(printed) == fits


@pytest.mark.parametrize(
    ("commands", "why"),
    [("$ true\n$ exit 3\n$ true\n", r"\$ exit 3\nended with 3"), ("$ echo cow\nmoo\n", "printed:\ncalf")],
)
def test_a_recipe_that_does_something_else_fails(commands: str, why: str, tmp_path: Path) -> None:
    kitchen = Kitchen({"PATH": os.environ["PATH"]}, {"cow": "calf"})
    with pytest.raises(RecipeFailed, match=why):
        kitchen.run(f"```console\n{commands}```\n", tmp_path / "recipe")
