"""Scripts, signatures and windows of Windows executables, under wine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from czscie.verify.file import verify_file
from e2e.build import Builder
from e2e.pexes import PROJECTS
from e2e.wine.application import Application, build
from e2e.wine.wine import Wine, windows_path
from pe_image import certificate, judged, sign

KEYS = """
[lift.windows]
company = "Farm"
version = "1.2.3"
"""


def built(builder: Builder, directory: Path, keys: str = "", lift: str = "") -> Path:
    project = PROJECTS / "herd"
    payload = f'project = "{project}"\nentry_point = "herd"\n{keys}'
    return build(builder, "herd", payload, directory, lift)


@pytest.fixture(scope="module")
def herd(wine: Wine, windows_builder: Builder, tmp_path_factory: pytest.TempPathFactory) -> Application:
    path = built(windows_builder, tmp_path_factory.mktemp("herd"), KEYS)
    return Application(wine, path, tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def windowed(wine: Wine, windows_builder: Builder, tmp_path_factory: pytest.TempPathFactory) -> Application:
    path = built(windows_builder, tmp_path_factory.mktemp("windowed"), lift="windowed = true")
    return Application(wine, path, tmp_path_factory.mktemp("base"))


def told(application: Application, *arguments: str, **environment: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(application.run(*arguments, environment=environment).text)
    return found


def test_scripts_are_programs_that_are_found_by_their_names(herd: Application) -> None:
    found = told(herd, "scripts", PEX_VENV_BIN_PATH="prepend")
    assert found["console"] == {"status": 7, "argv": ["a b", "é"], "executable": "python.exe"}
    assert found["gui"] == {"status": 0, "executable": "pythonw.exe"}
    assert found["missing"] == []


def test_a_signed_file_runs_and_its_tools_read_it(herd: Application, tmp_path: Path) -> None:
    pem = certificate(tmp_path)
    signed = tmp_path / "signed.exe"
    sign(herd.executable, signed, pem)
    assert judged(signed, pem)
    application = Application(herd.wine, signed, tmp_path / "base")
    assert told(application, "self") == told(herd, "self")
    for tool in ("inspect", "verify", "sbom", "list"):
        assert application.run(environment={"SCIE": tool}).text
    assert verify_file(signed).problems == ()
    stubs = tmp_path / "installed"
    application.run(windows_path(stubs), environment={"SCIE": "install"})
    stub = stubs / "bin/herd.exe"
    sign(stub, tmp_path / "stub.exe", pem)
    assert judged(tmp_path / "stub.exe", pem)
    assert told(Application(herd.wine, tmp_path / "stub.exe", tmp_path / "no"), "self") == told(herd, "self")


def test_a_flipped_byte_of_a_signed_file_is_found_there(herd: Application, tmp_path: Path) -> None:
    signed = tmp_path / "signed.exe"
    sign(herd.executable, signed, certificate(tmp_path))
    data = bytearray(signed.read_bytes())
    data[herd.executable.stat().st_size // 2] ^= 1
    signed.write_bytes(data)
    started = Application(herd.wine, signed, tmp_path / "base").start(environment={"SCIE": "verify"}).wait()
    assert started.status != 0


def test_a_windowed_application_is_started_by_pythonw(windowed: Application) -> None:
    found = told(windowed, "self")
    assert found["executable"] == "pythonw.exe"
    assert found["stdout"] is True  # which leads to a pipe
    assert "herd" in windowed.run(environment={"SCIE": "inspect"}).text


def test_errors_of_a_windowed_launcher_go_to_standard_error_or_into_a_message_box(
    windowed: Application, herd: Application, tmp_path: Path
) -> None:
    started = windowed.start(environment={"SCIE_BOOT": "gone"}).wait()
    assert "SCIE_BOOT names the unknown command 'gone'" in started.message
    box = told(herd, "box", windows_path(windowed.executable))
    assert box["title"] == "herd"
    assert "SCIE_BOOT names the unknown command 'gone'" in box["text"]
    assert box["status"] == 1
