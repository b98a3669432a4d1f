from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
import zipfile
from importlib import resources
from pathlib import Path

import pytest

from czex.factories import CPYTHON_313, WINDOWS_313
from czscie.czex.bootstrap.boot import Application
from czscie.czex.info import PexInfo
from czscie.czex.start import Start, environment_files, pyvenv_configuration
from czscie.czex.windows_options import WindowsOptions

BOOTSTRAP = resources.files("czscie.czex.bootstrap")

#: Instead of the real `czscie_boot`: tells what it was given.
TELLING = """\
import json, sys
def Application(**said):
    return said
def boot(application):
    print(json.dumps({"arguments": application, "path": sys.path, "argv": sys.argv}))
"""

SITE_PACKAGES = "lib/python3.13/site-packages"
INFO = PexInfo(
    entry_point="moo:main",
    inject_python_args=("-X", "moo=1"),
    inject_args=("--say", 'it\'s "moo"\n', "{pex.env.HOME}"),
    inject_env={"A": "ä\\", "B": "\t"},
    bind_resource_paths={"WORDS": "moo/words.txt"},
    strip_pex_env=False,
    venv_bin_path="append",
)


def environment(directory: Path, start: Start) -> Path:
    """The start's files in `directory`, its `czscie_boot` replaced by the one that tells."""
    for file in environment_files(start, SITE_PACKAGES):
        path = directory / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content.read())
    (directory / "czscie_boot.py").write_text(TELLING)
    return directory / "__main__.py"


def test_main_gives_boot_what_pex_info_says(tmp_path: Path) -> None:
    main = environment(tmp_path, Start(INFO, has_setproctitle=True))
    done = subprocess.run([sys.executable, main], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["arguments"] == {
        "entry_point": "moo:main",
        "script": None,
        "inject_python_args": ["-X", "moo=1"],
        "inject_args": ["--say", 'it\'s "moo"\n', "{pex.env.HOME}"],
        "inject_env": {"A": "ä\\", "B": "\t"},
        "bind_resource_paths": {"WORDS": "moo/words.txt"},
        "strip_pex_env": False,
        "venv_bin_path": "append",
        "has_setproctitle": True,
    }


def test_main_tells_boot_where_certificates_are(tmp_path: Path) -> None:
    main = environment(tmp_path, Start(INFO, False, "lib/python3.13/site-packages/certifi/cacert.pem"))
    done = subprocess.run([sys.executable, main], capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)["arguments"]["certificates"]
    assert told == str(tmp_path / "lib/python3.13/site-packages/certifi/cacert.pem")


@pytest.mark.parametrize("safe_path", ["", "1"])
@pytest.mark.parametrize("relative", [False, True])
def test_the_environments_root_is_not_on_the_path(tmp_path: Path, safe_path: str, relative: bool) -> None:
    main = environment(tmp_path, Start(INFO, has_setproctitle=False))
    done = subprocess.run(
        [sys.executable, "-s", "__main__.py" if relative else main, "a"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONSAFEPATH": safe_path},
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    told = json.loads(done.stdout)
    assert str(tmp_path) not in told["path"]
    assert any(Path(entry).name == f"python3.{sys.version_info[1]}" for entry in told["path"]), "not too much"
    assert told["argv"][1:] == ["a"]


def test_in_a_child_of_multiprocessing_main_does_nothing(tmp_path: Path) -> None:
    main = environment(tmp_path, Start(INFO, has_setproctitle=False))
    run = f"import runpy; print(sorted(runpy.run_path({str(main)!r}, run_name='__mp_main__')))"
    done = subprocess.run([sys.executable, "-c", run], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert all(name.startswith("__") for name in ast.literal_eval(done.stdout)), (
        "nothing told, nothing defined"
    )


def test_the_files_of_the_start_are_at_their_places() -> None:
    files = {file.path: file.content.read() for file in environment_files(Start(INFO, False), SITE_PACKAGES)}
    assert sorted(files) == [
        "PEX-INFO",
        "__main__.py",
        "czscie_boot.py",
        "lib/python3.13/site-packages/PEX_EXTRA_SYS_PATH.pth",
    ]
    assert PexInfo.parse(files["PEX-INFO"], "moo") == INFO
    assert files["czscie_boot.py"] == BOOTSTRAP.joinpath("boot.py").read_bytes()


def test_pyvenv_configuration_names_the_interpreter_below_the_base() -> None:
    assert pyvenv_configuration(CPYTHON_313, "ab" * 32, system_site_packages=False).decode() == (
        f"home = {{base}}/interpreters/{'ab' * 32}/bin\n"
        "include-system-site-packages = false\n"
        "version = 3.13.9\n"
        f"executable = {{base}}/interpreters/{'ab' * 32}/bin/python3.13\n"
    )


def test_pyvenv_configuration_of_windows_has_no_bin() -> None:
    lines = pyvenv_configuration(WINDOWS_313, "ab" * 32, system_site_packages=True).decode().splitlines()
    assert lines[0] == f"home = {{base}}/interpreters/{'ab' * 32}"
    assert lines[1] == "include-system-site-packages = true"
    assert lines[3] == f"executable = {{base}}/interpreters/{'ab' * 32}/python.exe"


def test_boot_knows_everything_that_a_start_says(tmp_path: Path) -> None:
    windows = WindowsOptions(dpi_awareness="system")
    for more in (windows.start, {"python_flags": ["-sE"], "refused": {}}):
        main = environment(tmp_path, Start(INFO, False, more=more))
        done = subprocess.run([sys.executable, "-I", str(main)], capture_output=True, text=True, check=True)
        assert json.loads(done.stdout)["arguments"].keys() <= vars(Application()).keys()


def test_boot_is_of_syntax_that_python_3_8_knows() -> None:
    ast.parse(BOOTSTRAP.joinpath("boot.py").read_text(), feature_version=(3, 8))
    ast.parse(Start(INFO, False).main(), feature_version=(3, 8))


# `python3 app`: the payload's own `__main__`.

#: In the place of the launcher: what the kernel runs when the file is executed.
SHELL = b'#!/bin/sh\necho "started" "$0" "$@"\nexit 7\n'


def scie_with_main(path: Path, head: bytes) -> Path:
    path.write_bytes(head)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("__main__.py", BOOTSTRAP.joinpath("scie_main.py").read_bytes())
    path.chmod(0o755)
    return path


@pytest.fixture(params=["python3", "python2.7"])
def host_python(request: pytest.FixtureRequest) -> str:
    """A Python of the host, the one that runs these tests or an ancient one."""
    found = sys.executable if request.param == "python3" else shutil.which("python2.7")
    if found is None or subprocess.run([found, "-c", ""], capture_output=True).returncode != 0:
        pytest.skip("there is no Python 2.7 here")
    return found


@pytest.mark.skipif(os.name == "nt", reason="starts a shell script")
def test_a_host_python_that_is_given_the_scie_starts_the_scie(tmp_path: Path, host_python: str) -> None:
    scie = scie_with_main(tmp_path / "moo", SHELL)
    done = subprocess.run([host_python, "moo", "a b", "c"], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (7, "")
    assert done.stdout == f"started {scie} a b c\n"


@pytest.mark.skipif(os.name == "nt", reason="needs modes")
def test_a_scie_that_cannot_be_executed_here_says_so(tmp_path: Path, host_python: str) -> None:
    scie = scie_with_main(tmp_path / "moo", b"\x7fELF of another machine")
    done = subprocess.run([host_python, scie], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "moo: error: this executable is for another platform, or its file system forbids execution: "
        "Exec format error\n"
    )
