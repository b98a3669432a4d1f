from __future__ import annotations

from pathlib import Path

import pytest

from czscie.czex.bootstrap import installation, main


class Main:
    """What `__main__` of a CZEX would say."""

    def __init__(self, *bases: str) -> None:
        self._bases = bases

    def bases(self) -> tuple[str, ...]:
        return self._bases

    HOSTS = main.HOSTS

    def installed(self, base: str, name: str) -> None:
        return None

    def is_only_read(self, base: str) -> bool:
        return False

    def exchangeable(self, path: str) -> str:
        return main.exchangeable(path)


class Request:
    unpacked = 1 << 60


def test_when_no_directory_will_do_each_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    (tmp_path / "link").symlink_to(tmp_path / "open")
    (tmp_path / "small").mkdir(mode=0o700)
    places = ["/proc/a", str(tmp_path / "open"), str(tmp_path / "link"), str(tmp_path / "small")]
    with pytest.raises(SystemExit):
        installation.ensure("/x/app.czex", Main(*places), {}, "0" * 64, Request)  # type: ignore[arg-type]
    assert main.exchangeable(str(tmp_path / "small/a")) == ""
    told = capsys.readouterr().err.splitlines()
    assert told[0] == "app.czex: error: there is no directory to unpack into; tried"
    assert told[1].startswith("  /proc/a: it cannot be created: ")
    assert told[2] == f"  {places[1]}: other users may write to it (make its mode 0700)"
    assert told[3] == f"  {places[2]}: it is a symbolic link or not a directory"
    assert told[4].startswith(f"  {places[3]}: 1152921504607 MB are needed and ")
    assert told[5].startswith("hint: set CZSCIE_BASE ")
