from __future__ import annotations

from pathlib import Path

import pytest

from integration.czex.conftest import pex_environment

__all__ = ("index", "pex_environment")


@pytest.fixture
def index(tmp_path: Path, pex_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that the user's pip takes wheels from, and settings for pex that would spoil everything."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / ".pexrc").write_text("PEX_VENV=true\n")
    (tmp_path / "index").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PEX_VENV", "true")
    monkeypatch.setenv("PEX_SCRIPT", "nothing")
    monkeypatch.setenv("PEX_ROOT", pex_environment["PEX_ROOT"])
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    return tmp_path / "index"
