from __future__ import annotations

import tempfile
import time
from pathlib import Path

import pytest

from czscie.filesystem import exists
from czscie.leftovers import scratch
from czscie.observation import Observation, are_unchanged


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory of temporary files, which others use, too."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    return tmp_path / "tmp"


def test_temporary_files_are_no_inputs(temporary: Path) -> None:
    observation = Observation()
    observation.start()
    with scratch() as directory:
        (directory / "made").write_text("moo")
        (directory / "made").read_text()
    observation.stop()
    assert observation.states() == {}


def test_inputs_may_be_beside_temporary_files(temporary: Path) -> None:
    (temporary / "lift.toml").write_text("moo")
    time.sleep(0.06)
    observation = Observation()
    observation.start()
    with scratch():
        (temporary / "lift.toml").read_text()
    observation.stop()
    states = observation.states()
    assert states is not None and are_unchanged(states)
    (temporary / "pyproject.toml").write_text("moo")
    assert not are_unchanged(states)


def test_what_this_process_makes_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "lift.toml").write_text("moo")
    time.sleep(0.06)
    observation = Observation()
    observation.start()
    (tmp_path / "lift.toml").read_text()
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / ".moo").write_text("moo")
    (tmp_path / "dist" / ".moo").rename(tmp_path / "dist" / "moo")
    observation.stop()
    states = observation.states()
    assert states is not None and are_unchanged(states)
    (tmp_path / "dist" / "moo").write_text("mu!")
    assert not are_unchanged(states)


def test_a_directory_that_may_not_be_listed_is_not_relied_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cow").write_text("moo")
    time.sleep(0.06)

    def refused(path: str) -> list[str]:
        raise PermissionError(path)

    observation = Observation()
    observation.start()
    with monkeypatch.context() as patch:
        patch.setattr("czscie.observation.os.listdir", refused)
        assert (tmp_path / "cow").read_text() == "moo"
    observation.stop()
    assert observation.states() is None


def test_a_name_that_no_file_has_is_missing(tmp_path: Path) -> None:
    observation = Observation()
    observation.start()
    assert not exists(tmp_path / "a\0b")
    observation.stop()
    assert observation.states() == {str(tmp_path / "a\0b"): "missing"}
