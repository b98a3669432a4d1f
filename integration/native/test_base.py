"""Where the real launcher installs."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from integration.native.application import Make, said, say

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="starts Linux programs")


CANDIDATES = (
    ("CZSCIE_BASE", "czscie", "czscie"),
    ("SCIE_BASE", "scie", "scie"),
    ("the lift's base", "lift", "lift"),
    ("XDG_CACHE_HOME", "xdg", "xdg/czscie"),
    ("HOME", "home", "home/.cache/czscie"),
    ("TMPDIR", "tmp", f"tmp/czscie-{os.geteuid()}"),
)


@pytest.mark.parametrize("first", range(len(CANDIDATES)), ids=[name for name, _, _ in CANDIDATES])
def test_the_first_setting_that_is_given_chooses_the_base(make: Make, tmp_path: Path, first: int) -> None:
    (tmp_path / "home").mkdir()
    settings = {name: str(tmp_path / value) for name, value, _ in CANDIDATES[first:]}
    moo = make(commands={"": say("{scie.base}")}, base=settings.pop("the lift's base", None))
    done = moo.start(environment=settings)
    assert said(done)[1] == str(tmp_path / CANDIDATES[first][2])
    assert done.stderr == b""


@pytest.mark.parametrize(
    ("setting", "value", "base"),
    [
        ("CZSCIE_BASE", "relative/base", "{here}/relative/base"),
        ("CZSCIE_BASE", "~/base", "{home}/base"),
        ("CZSCIE_BASE", "~", "{home}"),
        ("CZSCIE_BASE", "", "{home}/.cache/czscie"),
        ("SCIE_BASE", "~/s", "{home}/s"),
        ("XDG_CACHE_HOME", "relative", "{home}/.cache/czscie"),
    ],
)
def test_a_setting_may_be_relative_or_in_the_home_directory(
    make: Make, tmp_path: Path, setting: str, value: str, base: str
) -> None:
    here, home = tmp_path / "here", tmp_path / "home"
    here.mkdir()
    home.mkdir()
    moo = make(commands={"": say("{scie.base}")})
    done = moo.start(environment={setting: value, "HOME": str(home)}, cwd=here)
    assert said(done)[1] == base.format(here=here, home=home)
    assert done.stderr == b""


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o1777])
def test_a_base_that_others_may_write_to_is_told_and_the_next_is_used(
    make: Make, tmp_path: Path, mode: int
) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(mode)
    moo = make(commands={"": say("{scie.base}")})
    done = moo.start(environment={"CZSCIE_BASE": str(tmp_path / "open"), "HOME": str(tmp_path / "home")})
    assert said(done)[1] == f"{tmp_path}/home/.cache/czscie"
    assert done.stderr.decode() == (
        f"moo: note: cannot use {tmp_path}/open (CZSCIE_BASE): "
        f"other users can write to it (chmod 0700 fixes that); using {tmp_path}/home/.cache/czscie instead\n"
    )


def test_a_base_that_is_a_link_is_told_and_the_next_is_used(make: Make, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to("real")
    moo = make(commands={"": say("{scie.base}")}, base=str(tmp_path / "link"))
    done = moo.start(environment={"HOME": str(tmp_path / "home")})
    assert said(done)[1] == f"{tmp_path}/home/.cache/czscie"
    assert done.stderr.decode() == (
        f"moo: note: cannot use {tmp_path}/link (the lift's base): "
        f"it is a symbolic link or not a directory; using {tmp_path}/home/.cache/czscie instead\n"
    )
