from __future__ import annotations

from pathlib import Path

from czex.factories import write_zip
from czscie.czex.prefix import czex_prefix


def test_the_first_line_stays(tmp_path: Path) -> None:
    pex = write_zip(tmp_path / "app.pex", {"PEX-INFO": b"{}"}, b"#!/opt/python -sE\n")
    assert czex_prefix(pex) == b"#!/opt/python -sE\n"


def test_without_a_first_line_there_is_none(tmp_path: Path) -> None:
    assert czex_prefix(write_zip(tmp_path / "app.pex", {"PEX-INFO": b"{}"})) == b""
