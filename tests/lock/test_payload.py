from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from czscie.lock.payload import script_module


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    path = tmp_path / "cow-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("yak/__init__.py", "calf.py", "_herd.abi3.so", "cow-1.0.dist-info/METADATA"):
            archive.writestr(name, "")
    return path


@pytest.mark.parametrize("name", ["tool", "my-tool", "Tool_2", "größe"])
def test_a_script_keeps_its_name(wheel: Path, name: str) -> None:
    assert script_module(Path("somewhere", f"{name}.py"), [wheel]) == name


@pytest.mark.parametrize(
    "name", ["yak.py", "calf.py", "_herd.py", "json.py", "tool.v2.py", "tool", "tool.txt"]
)
def test_a_script_whose_name_another_module_has_is_called_as_pex_calls_it(wheel: Path, name: str) -> None:
    assert script_module(Path(name), [wheel]) == "__pex_executable__"
