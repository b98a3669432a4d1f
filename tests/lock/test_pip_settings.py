from __future__ import annotations

import os
from pathlib import Path

import pytest

from czscie.lock.pip_settings import digest


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / ".config"))
    return tmp_path


def test_only_pips_variables_count() -> None:
    before = digest({"PATH": "/bin"})
    assert digest({"PATH": "/other"}) == before
    assert digest({"PATH": "/bin", "PIP_INDEX_URL": "https://example.com/simple"}) != before


@pytest.mark.skipif(os.name == "nt", reason="pip's files have other places there")
@pytest.mark.parametrize("path", [".pip/pip.conf", ".config/pip/pip.conf"])
def test_pips_configuration_files_count(home: Path, path: str) -> None:
    before = digest({})
    file = home / path
    file.parent.mkdir(parents=True)
    file.write_text("[global]\npre = true\n")
    changed = digest({})
    assert changed != before
    file.write_text("[global]\npre = false\n")
    assert digest({}) not in (before, changed)
    assert digest({"PIP_CONFIG_FILE": os.devnull}) == digest({"PIP_CONFIG_FILE": os.devnull, "A": "b"})


@pytest.mark.parametrize("as_url", [False, True])
def test_directories_of_wheels_count(home: Path, as_url: bool) -> None:
    wheels = home / "wheels"
    wheels.mkdir()
    named = wheels.as_uri() if as_url else str(wheels)
    variables = {"PIP_FIND_LINKS": f"https://example.com/wheels {named}"}
    before = digest(variables)
    (wheels / "cow-1.0-py3-none-any.whl").write_bytes(b"1")
    added = digest(variables)
    (wheels / "cow-1.0-py3-none-any.whl").write_bytes(b"22")
    assert len({before, added, digest(variables)}) == 3


def test_files_with_constraints_count(home: Path) -> None:
    constraints = home / "constraints.txt"
    constraints.write_text("cow==1\n")
    config = home / "own.conf"
    config.write_text(f"[install]\nconstraint = {constraints}\n")
    before = digest({"PIP_CONFIG_FILE": str(config)})
    constraints.write_text("cow==10\n")
    assert digest({"PIP_CONFIG_FILE": str(config)}) != before


def test_what_is_no_path_is_left_alone(home: Path) -> None:
    assert digest({"PIP_FIND_LINKS": "http://[ file://%00 relative/path \0"})
