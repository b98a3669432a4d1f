from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from czex.factories import WINDOWS_313, metadata, write_zip
from czex.factories import wheel as made_wheel
from czscie.errors import CzscieError
from czscie.platforms import find_platform
from czscie.wheel.script_launchers import ScriptLaunchers
from czscie.wheel.venv_layout import Placement, venv_items
from lock.wheelhouse import distlib_file

WINDOWS, ARM = find_platform("windows-x86_64"), find_platform("windows-aarch64")
POINTS = "[console_scripts]\ncow = moo:main\n[gui_scripts]\nwindow = moo\n"


def placed(launchers: ScriptLaunchers | None) -> dict[str, Placement]:
    made = made_wheel("moo-1.0-py3-none-any.whl", {"moo.py": b""}, entry_points=POINTS)
    items = venv_items([made], (), WINDOWS_313, WINDOWS, launchers)
    return {each.destination: each for each in items.placements if each.destination.startswith("Scripts/")}


@pytest.mark.parametrize(("platform", "suffix"), [(WINDOWS, "64"), (ARM, "64-arm")])
def test_a_script_is_a_launcher_a_first_line_and_a_zip(tmp_path: Path, platform: object, suffix: str) -> None:
    launchers = ScriptLaunchers.read(distlib_file(tmp_path), platform, " -I")  # type: ignore[arg-type]
    for gui, kind, python in ((False, "t", "python.exe"), (True, "w", "pythonw.exe")):
        program = launchers.program(b"print(1)\n", gui=gui)
        first = f"MZ {kind}{suffix}\n#!<launcher_dir>\\{python} -I\r\n".encode()
        assert program.startswith(first + b"PK\3\4")
        assert program == launchers.program(b"print(1)\n", gui=gui)
        with zipfile.ZipFile(io.BytesIO(program)) as archive:
            assert archive.namelist() == ["__main__.py"]
            assert archive.read("__main__.py") == b"print(1)\n"


def test_every_script_becomes_a_program_that_python_runs(tmp_path: Path) -> None:
    found = placed(ScriptLaunchers.read(distlib_file(tmp_path), WINDOWS))
    assert found.keys() == {"Scripts/cow.exe", "Scripts/window.exe"}
    assert {(each.kind, each.executable) for each in found.values()} == {("file", True)}
    assert found["Scripts/window.exe"].member.content.read().startswith(b"MZ w64\n#!<launcher_dir>\\pythonw")
    program = tmp_path / "cow.exe"
    program.write_bytes(found["Scripts/cow.exe"].member.content.read())
    (tmp_path / "moo.py").write_text("import json, sys\ndef main(): print(json.dumps(sys.argv)); return 7\n")
    command = [sys.executable, str(program), "a b"]
    environment = {"PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 7, done.stderr
    assert json.loads(done.stdout) == [str(tmp_path / "cow"), "a b"]


def test_without_launchers_scripts_are_files_of_python(tmp_path: Path) -> None:
    assert placed(None).keys() == {"Scripts/cow-script.py", "Scripts/window-script.pyw"}


def test_a_distlib_without_launchers_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "distlib-0.1-py3-none-any.whl"
    write_zip(path, {**metadata("distlib", "0.1"), "distlib/t64.exe": b"MZ"})
    with pytest.raises(CzscieError, match=r"has no script launcher for windows-aarch64") as caught:
        ScriptLaunchers.read(path, ARM)
    assert caught.value.hint is not None and "czscie lock --upgrade-only distlib" in caught.value.hint
    with pytest.raises(CzscieError, match="has no script launcher for windows-x86_64"):
        ScriptLaunchers.read(path, WINDOWS)
