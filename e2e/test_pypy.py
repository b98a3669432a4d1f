"""Executables with a PyPy, started where there is no Python and no library but glibc."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from e2e import pypy
from e2e.bare import BareRoot
from e2e.build import Builder, read_results
from e2e.server import MirrorServer, serve

COMMANDS = """\
[lift]
name = "commands"
compression_level = 1

[[lift.interpreters]]
id = "pypy"
provider = "PyPy"
version = "3.9"
release = "{release}"
base_url = "{mirror}"

[[lift.commands]]
exe = "#{{pypy:pypy}}"
args = ["/look.py", "#{{pypy:python}}"]

[[lift.commands]]
name = "by-hand"
exe = "{{pypy}}/{stem}/bin/pypy"
args = ["-c", "import platform; print(platform.python_implementation())"]
"""

LOOK = """\
import bz2, ctypes, curses, lzma, platform, sqlite3, ssl, sys, zlib
print(platform.python_implementation(), sys.argv[1:] == [sys.executable], sys.version_info[:2])
print(ssl.OPENSSL_VERSION_INFO[0], sqlite3.connect(":memory:").execute("select 6 * 7").fetchone())
"""

PAYLOAD = """\
[lift]
name = "payload"
compression_level = 1

[[lift.interpreters]]
id = "pypy"
provider = "PyPy"
version = "3.9"

[lift.payload]
requirements = [
    "cowsay==6.1 ; platform_python_implementation == 'PyPy' and python_full_version >= '3.9.16'",
    "no-such-project ; implementation_name == 'cpython'",
]
sources = ["main.py"]
scripts = ["cowsay"]
default = "cowsay"

[[lift.commands]]
name = "look"
exe = "{payload}/bin/pypy3"
args = ["-m", "main"]
"""

MAIN = """\
import json, platform, subprocess, sys
import cowsay
print(json.dumps({
    "implementation": platform.python_implementation(),
    "child": subprocess.check_output(
        [sys.executable, "-c", "import cowsay, platform; print(platform.python_implementation())"], text=True
    ),
    "environment": sys.prefix != sys.base_prefix,
    "leaked": [path for path in sys.path if "leak" in path],
}))
"""


@pytest.fixture(scope="module")
def mirror() -> Iterator[MirrorServer]:
    with serve(pypy.mirror()) as server:
        yield server


def built(builder: Builder, directory: Path, manifest: str, mirror: MirrorServer) -> Path:
    (directory / "lift.toml").write_text(manifest)
    done = builder.run("lift.toml", directory=directory, environment={"CZSCIE_PYPY_URL": mirror.url})
    assert done.returncode == 0, done.stderr
    assert "not packed: modules for PyPy stay files" in done.stderr
    [result] = read_results(done.stdout)
    return directory / result.path


def test_commands_start_the_pypy_of_the_archive(
    builder: Builder, mirror: MirrorServer, tmp_path: Path, make_root: Callable[[], BareRoot]
) -> None:
    manifest = COMMANDS.format(release=pypy.RELEASE, mirror=mirror.url, stem=pypy.STEM)
    root = make_root()
    path = root.install(built(builder, tmp_path, manifest, mirror))
    (root.path / "look.py").write_text(LOOK)
    for start in ("cold", "warm"):
        done = root.run(path)
        assert done.stdout == "PyPy True (3, 9)\n3 (42,)\n", (start, done.stderr)
    assert root.run(path, environment={"SCIE_BOOT": "by-hand"}).stdout == "PyPy\n"
    lock = (tmp_path / "lift.lock").read_text()
    assert f'version = "{pypy.PYTHON}-pypy7.3.11"' in lock
    assert f'url = "{mirror.url}/{pypy.STEM}.tar.bz2"' in lock


def test_a_payload_runs_on_pypy(
    builder: Builder, mirror: MirrorServer, tmp_path: Path, make_root: Callable[[], BareRoot]
) -> None:
    (tmp_path / "main.py").write_text(MAIN)
    root = make_root()
    path = root.install(built(builder, tmp_path, PAYLOAD, mirror))
    for start in ("cold", "warm"):
        done = root.run(path, "-t", "moo", environment={"PYTHONPATH": "/leak", "PYTHONHOME": "/leak"})
        assert "| moo |" in done.stdout, (start, done.stderr)
    done = root.run(path, environment={"SCIE_BOOT": "look"})
    assert json.loads(done.stdout) == {
        "implementation": "PyPy",
        "child": "PyPy\n",
        "environment": True,
        "leaked": [],
    }, done.stderr
    sbom = builder.run(path.removeprefix("/"), directory=root.path, command="sbom")
    components = {each["name"]: each for each in json.loads(sbom.stdout)["components"]}
    assert components["pypy"]["version"] == "7.3.11"
    lock = tmp_path / "lift.lock"
    verified = builder.run(path.removeprefix("/"), "--lock", lock, directory=root.path, command="verify")
    assert verified.returncode == 0, verified.stderr
    assert len(list((root.base / "apps").iterdir())) == 1
