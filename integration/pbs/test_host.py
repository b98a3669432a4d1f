from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from czscie.container.content import File, Link
from czscie.container.tree import Item
from czscie.elf import Elf, is_elf
from czscie.errors import CzscieError
from czscie.pbs.host import HostPython, resolve_host
from czscie.pbs.libraries import is_of_libc
from czscie.platforms import current_platform

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the provider Host is for Linux")


def interpreters() -> Iterator[Path]:
    """The one that runs the tests, the system's, and those that pyenv built: each a build of another kind."""
    candidates = [Path(getattr(sys, "_base_executable", sys.executable)), Path("/usr/bin/python3")]
    root = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
    candidates += sorted(root.glob("versions/3.1[0-9].*/bin/python3"))
    seen = set()
    for candidate in candidates:
        if candidate.exists() and candidate.resolve() not in seen:
            seen.add(candidate.resolve())
            yield candidate


INTERPRETERS = list(interpreters())
MODULES = (
    "ssl sqlite3 ctypes lzma bz2 zlib hashlib curses readline uuid decimal asyncio multiprocessing pyexpat "
    "_socket select json unicodedata zoneinfo venv importlib.metadata"
)
LEAKS = ("dist-packages", "sitecustomize", "EXTERNALLY-MANAGED", "__pycache__", "/test/", ".pyc", "tkinter")
IMPORTABLE = """
import importlib, sys
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
        print(name)
    except ImportError:
        pass
"""
REPORT = """
import importlib, json, os, subprocess, sys
missing = []
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except ImportError as error:
        missing.append(str(error))
loaded = {line.split(None, 5)[5].strip() for line in open("/proc/self/maps") if ".so" in line}
child = [sys.executable, "-c", "import sys; print(sys.prefix)"]
print(json.dumps({
    "missing": missing, "path": [entry for entry in sys.path if entry], "prefix": sys.prefix,
    "executable": sys.executable, "version": ".".join(map(str, sys.version_info[:3])),
    "loaded": sorted(loaded), "child": subprocess.check_output(child, text=True).strip(),
}))
"""


def unpack(items: tuple[Item, ...], root: Path) -> None:
    for item in items:
        path = root / item.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(item, Link):
            path.symlink_to(item.target)
        else:
            path.write_bytes(item.content.read())
            path.chmod(0o755 if item.executable else 0o644)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CZSCIE_CACHE", str(tmp_path / "cache"))


def available(executable: Path, names: list[str]) -> list[str]:
    """Those of the modules that this interpreter has at home."""
    command = [executable, "-I", "-c", IMPORTABLE, *names]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


@pytest.mark.parametrize("executable", INTERPRETERS, ids=str)
def test_it_runs_in_another_directory_with_an_empty_environment(tmp_path: Path, executable: Path) -> None:
    source = resolve_host(current_platform(), executable)
    distribution = source.load()
    unpack(distribution.items, tmp_path / "first")
    root = tmp_path / "moved to a place with spaces"
    (tmp_path / "first").rename(root)
    modules = available(executable, MODULES.split())
    assert "ctypes" in modules
    done = subprocess.run(
        ["env", "-i", root / distribution.layout.python, "-c", REPORT, *modules],
        capture_output=True,
        text=True,
        cwd="/",
    )
    assert done.stderr == ""
    report = json.loads(done.stdout)
    assert report["missing"] == []
    assert report["version"] == distribution.layout.version
    assert report["prefix"] == report["child"] == str(root)
    assert [entry for entry in report["path"] if not entry.startswith(f"{root}/")] == []
    foreign = [path for path in report["loaded"] if not path.startswith(f"{root}/")]
    assert [path for path in foreign if not is_of_libc(Path(path).name)] == []


@pytest.mark.parametrize("executable", INTERPRETERS, ids=str)
def test_nothing_of_the_host_but_the_interpreter_travels(executable: Path) -> None:
    distribution = resolve_host(current_platform(), executable).load()
    names = [item.path for item in distribution.items]
    for leak in LEAKS:
        assert [name for name in names if leak in name] == []
    packages = f"{distribution.layout.stdlib}/site-packages/"
    assert [name for name in names if name.startswith(packages)] == [f"{packages}README.txt"]
    assert f"{distribution.layout.stdlib}/os.py" in names
    assert {"bin/python", "bin/python3", distribution.layout.python} <= set(names)


@pytest.mark.parametrize("executable", INTERPRETERS, ids=str)
def test_every_library_is_found_by_origin_and_nowhere_else(executable: Path) -> None:
    distribution = resolve_host(current_platform(), executable).load()
    names = {item.path for item in distribution.items}
    found = 0
    for item in distribution.items:
        if isinstance(item, File) and (item.executable or ".so" in item.path):
            data = item.content.read()
            if is_elf(data):
                found += 1
                elf = Elf.parse(data, item.path)
                assert elf.runpath == ()
                assert all(directory.startswith("$ORIGIN") for directory in elf.rpath)
                assert [name for name in elf.needed if f"lib/{name}" in names and not elf.rpath] == []
    assert found > 0


def test_the_host_gives_the_same_items_twice() -> None:
    first, second = resolve_host(current_platform()), resolve_host(current_platform())
    assert first.digest == second.digest
    assert first.load().items == second.load().items
    assert first.load().glibc == second.load().glibc
    assert [item.path for item in first.load().items] == sorted(item.path for item in first.load().items)


def test_an_interpreter_that_has_not_changed_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    first = resolve_host(current_platform())
    with monkeypatch.context() as patch:
        patch.setattr(HostPython, "ask", None)
        second = resolve_host(current_platform())
    assert second == first and second.known is None
    monkeypatch.setenv("LD_LIBRARY_PATH", "/nowhere")
    assert resolve_host(current_platform()).known is not None


def test_a_virtual_environment_is_left_for_the_interpreter_below(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    code = (
        "from czscie.pbs.host import resolve_host; from czscie.platforms import current_platform;"
        "print(resolve_host(current_platform()).digest)"
    )
    # The packages that czscie needs are those of the interpreter that runs the tests.
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run(
        [tmp_path / "venv/bin/python", "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == resolve_host(current_platform()).digest


def test_a_library_of_the_hosts_environment_does_not_get_in(tmp_path: Path) -> None:
    distribution = resolve_host(current_platform()).load()
    collected = [item for item in distribution.items if item.path.startswith("lib/lib")]
    if not collected:
        pytest.skip("this interpreter needs no library that could be replaced")
    unpack(distribution.items, tmp_path / "python")
    hostile = tmp_path / "hostile"
    hostile.mkdir()
    for item in collected:
        (hostile / Path(item.path).name).write_bytes(b"not a library")
    done = subprocess.run(
        [tmp_path / "python" / distribution.layout.python, "-c", "import ctypes, zlib; print('started')"],
        env={"LD_LIBRARY_PATH": str(hostile)},
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.stderr) == ("started\n", "")


def bare_root_works() -> bool:
    command = ["unshare", "--mount", "--map-root-user", "true"]
    return (
        shutil.which("unshare") is not None and subprocess.run(command, capture_output=True).returncode == 0
    )


@pytest.mark.skipif(not bare_root_works(), reason="needs unshare and user namespaces")
@pytest.mark.parametrize("executable", INTERPRETERS, ids=str)
def test_it_runs_in_a_root_that_holds_nothing_but_it_and_the_c_library(
    tmp_path: Path, executable: Path
) -> None:
    distribution = resolve_host(current_platform(), executable).load()
    root = tmp_path / "root"
    unpack(distribution.items, root / "python")
    for directory in ("proc", "tmp"):
        (root / directory).mkdir()
    for library in c_library(executable):
        target = root / library.relative_to("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, target)
    modules = available(executable, MODULES.split())
    script = 'mount --rbind /proc "$1/proc" && root=$1 && shift && exec chroot "$root" "$@"'
    inside = [f"/python/{distribution.layout.python}", "-c", REPORT, *modules]
    done = subprocess.run(
        ["unshare", "--mount", "--map-root-user", "sh", "-c", script, "sh", root, *inside],
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    report = json.loads(done.stdout)
    assert report["missing"] == []
    assert report["prefix"] == report["child"] == "/python"


def c_library(executable: Path) -> set[Path]:
    """The loader and the parts of the C library that `executable` could need, where it looks for them."""
    interpreter = Elf.parse(executable.resolve().read_bytes(), str(executable)).interpreter
    assert interpreter is not None
    directory = Path(interpreter).resolve().parent
    return {Path(interpreter), *(path for path in directory.iterdir() if is_of_libc(path.name))}


def test_what_is_no_cpython_is_refused(tmp_path: Path) -> None:
    fake = tmp_path / "python3"
    fake.write_text("#!/bin/sh\necho broken >&2\nexit 3\n")
    fake.chmod(0o755)
    with pytest.raises(CzscieError) as caught:
        resolve_host(current_platform(), fake)
    assert str(caught.value) == f"error: {fake} does not start\n  broken"


def test_another_implementation_is_refused(tmp_path: Path) -> None:
    fake = tmp_path / "pypy3"
    fake.write_text('#!/bin/sh\necho \'{"implementation": "pypy"}\'\n')
    fake.chmod(0o755)
    with pytest.raises(CzscieError) as caught:
        resolve_host(current_platform(), fake)
    assert str(caught.value) == f"error: {fake} is not CPython\n  it is pypy"


def test_the_interpreter_of_an_executable_is_refused(tmp_path: Path) -> None:
    (tmp_path / "_czscie_finder.py").touch()
    fake = tmp_path / "python3"
    answer = json.dumps({"implementation": "cpython", "stdlib": str(tmp_path)})
    fake.write_text(f"#!/bin/sh\necho '{answer}'\n")
    fake.chmod(0o755)
    with pytest.raises(CzscieError) as caught:
        resolve_host(current_platform(), fake)
    assert str(caught.value) == (
        f"error: {fake} cannot be shipped\n"
        "  it belongs to an executable that czscie built, without the parts that it does not need\n"
        'hint: use provider = "PythonBuildStandalone", or run czscie with another Python'
    )


def test_an_interpreter_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CzscieError) as caught:
        resolve_host(current_platform(), tmp_path / "python3")
    assert caught.value.what == f"{tmp_path / 'python3'} does not start"
