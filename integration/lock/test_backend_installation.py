"""Environments of build backends: kept, and made anew when something changed.

The backend logs where it runs.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

import pytest

from czscie.cache import cache_directory
from czscie.errors import CzscieError
from czscie.lock import backend_installation
from czscie.lock.build_backend import build_wheel
from lock.wheelhouse import wheel_file

BACKEND = """\
import sys, zipfile
from pathlib import Path
def build_wheel(directory, settings=None, metadata=None):
    with open({log!r}, "a") as log:
        log.write(sys.prefix + "\\n")
    name = "cow-1.0-py3-none-any.whl"
    with zipfile.ZipFile(Path(directory, name), "w") as wheel:
        wheel.writestr(zipfile.ZipInfo("cow.py"), Path("cow.py").read_text())
    {more}
    return name
"""
SPOILS = "Path(sys.prefix, 'pyvenv.cfg').open('a').write('spoilt = true\\n')"


class Cow:
    """A project whose backend needs the wheels `requires`."""

    def __init__(self, directory: Path, requires: tuple[str, ...] = (), more: str = "") -> None:
        self.source = directory / "cow"
        self.source.mkdir()
        self.log = directory / "prefixes.log"
        system = f'requires = {json.dumps(requires)}\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        (self.source / "pyproject.toml").write_text(f"[build-system]\n{system}")
        (self.source / "backend.py").write_text(BACKEND.format(log=str(self.log), more=more))
        (self.source / "cow.py").write_text("SAYS = 'moo'\n")

    def build(self) -> tuple[Path, bytes]:
        """The environment that the backend ran in, and the wheel."""
        place = self.source.parent / f"build{time.monotonic_ns()}"
        place.mkdir()
        wheel = build_wheel(self.source, place).read_bytes()
        return Path(self.log.read_text().splitlines()[-1]), wheel


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CZSCIE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_second_build_installs_nothing(tmp_path: Path, cache: Path) -> None:
    cow = Cow(tmp_path)
    first, wheel = cow.build()
    assert cow.build() == (first, wheel)
    assert first.is_relative_to(cache)
    (cow.source / "cow.py").write_text("SAYS = 'mu'\n")
    again, other = cow.build()
    assert again == first and other != wheel
    shutil.rmtree(cache)
    new, same = cow.build()
    assert new != first and same == other


def test_a_backend_that_changes_its_environment_changes_no_later_build(tmp_path: Path) -> None:
    cow = Cow(tmp_path, more=SPOILS)
    first, _ = cow.build()
    second, _ = cow.build()
    assert second != first
    assert (second / "pyvenv.cfg").read_text().count("spoilt") == 1


@pytest.mark.parametrize("path", ["bin/python", "pyvenv.cfg", "../current.json"])
def test_what_is_lost_is_made_anew(tmp_path: Path, path: str) -> None:
    cow = Cow(tmp_path)
    first, wheel = cow.build()
    (first / path).unlink()
    second, again = cow.build()
    assert second != first and again == wheel
    assert cow.build()[0] == second


def test_an_environment_that_was_not_finished_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cow = Cow(tmp_path)
    first, _ = cow.build()
    (first.parent / "current.json").write_text("{")
    make = backend_installation.venv.EnvBuilder.create

    def stopped(self: object, directory: Path) -> None:
        make(self, directory)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(backend_installation.venv.EnvBuilder, "create", stopped)
        cow.build()
    assert [each.name for each in first.parent.iterdir() if each.is_dir()] == [first.name]
    assert cow.build()[0] != first


def test_after_a_day_it_is_made_anew_and_the_old_one_goes(tmp_path: Path) -> None:
    cow = Cow(tmp_path)
    first, _ = cow.build()
    current = first.parent / "current.json"
    record = json.loads(current.read_text())
    current.write_text(json.dumps({**record, "made": record["made"] - 86_401}))
    second, _ = cow.build()
    assert second != first
    assert first.exists()  # another build may use it
    long_ago = time.time() - 2 * 86_400
    os.utime(first, (long_ago, long_ago))
    current.unlink()
    cow.build()
    assert not first.exists() and second.exists()


def test_a_wheel_that_is_new_in_a_directory_is_taken(index: Path, tmp_path: Path) -> None:
    """Settings of pip are compared with what they name: here, find-links."""
    wheel_file(index, "calf-1.0-py3-none-any.whl")
    cow = Cow(tmp_path, requires=("calf",))
    first, _ = cow.build()
    assert cow.build()[0] == first
    wheel_file(index, "calf-2.0-py3-none-any.whl")
    second, _ = cow.build()
    assert [path.name for path in second.rglob("calf-*.dist-info")] == ["calf-2.0.dist-info"]


def test_a_failed_installation_leaves_nothing(index: Path, tmp_path: Path, cache: Path) -> None:
    cow = Cow(tmp_path, requires=("calf",))
    with pytest.raises(CzscieError, match="cannot fetch build requirements: calf"):
        cow.build()
    [place] = (cache / "environments").iterdir()
    assert list(place.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_a_cache_that_others_may_write_to_is_not_trusted(tmp_path: Path, cache: Path) -> None:
    cow = Cow(tmp_path)
    cow.build()
    cache_directory("environments").chmod(0o777)
    assert not cow.build()[0].is_relative_to(cache)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
def test_a_cache_of_another_user_is_not_trusted(tmp_path: Path, cache: Path) -> None:
    cow = Cow(tmp_path)
    cow.build()
    os.chown(cache_directory("environments"), 12345, -1)
    assert not cow.build()[0].is_relative_to(cache)
