"""The options that commands share."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from czscie.commands.options import find_files


def test_files_are_named_by_id_and_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_files(["pex=a/b=c.pex", "d=/e"]) == {"pex": tmp_path / "a/b=c.pex", "d": Path("/e")}
    assert find_files(None) == {}


@pytest.mark.parametrize("text", ["pex", "=a", "pex=", ""])
def test_what_names_no_file_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="--file takes ID=PATH"):
        find_files([text])
