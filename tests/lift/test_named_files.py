"""Every missing file that a manifest names is told at once, with its place in the manifest."""

from __future__ import annotations

from pathlib import Path

import pytest

from czscie.errors import CzscieError
from czscie.loader import load_lift
from czscie.platforms import find_platform

MANIFEST = """
[lift]
name = "moo"
platforms = ["linux-x86_64", "windows-x86_64"]
[[lift.interpreters]]
id = "cpython"
provider = "Local"
path = "python"
[lift.payload]
PAYLOAD
[[lift.files]]
name = "words.txt"
[[lift.files]]
name = "cow.txt"
key = "cow"
[lift.libc]
bundle = "always"
packages = "packages.json"
[lift.windows]
icon = "moo.ico"
"""


def missing(path: Path, *platforms: str) -> CzscieError:
    with pytest.raises(CzscieError) as caught:
        load_lift(path, [find_platform(name) for name in platforms])
    return caught.value


def manifest(directory: Path, payload: str) -> Path:
    path = directory / "lift.toml"
    path.write_text(MANIFEST.replace("PAYLOAD", payload))
    return path


def test_all_that_are_missing_are_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "words.txt").write_text("moo")
    path = manifest(tmp_path, 'requirements = ["cow"]\nsources = ["app", "main.py"]')
    error = missing(path)
    assert str(error) == (
        f"error: {path} names 6 files that do not exist\n"
        f"  lift.interpreters[0].path: there is nothing at {tmp_path}/python\n"
        f"  lift.files[1].name: there is nothing at {tmp_path}/cow.txt\n"
        f"  lift.payload.sources[0]: there is nothing at {tmp_path}/app\n"
        f"  lift.payload.sources[1]: there is nothing at {tmp_path}/main.py\n"
        f"  lift.libc.packages: there is nothing at {tmp_path}/packages.json\n"
        f"  lift.windows.icon: there is nothing at {tmp_path}/moo.ico\n"
        "hint: if a file is elsewhere, name it: --file cow=PATH"
    )


def test_what_is_for_another_platform_is_not_looked_for(tmp_path: Path) -> None:
    path = manifest(tmp_path, 'pex = "moo.pex"')
    assert "moo.ico" not in str(missing(path, "linux-x86_64"))
    assert "packages.json" not in str(missing(path, "windows-x86_64"))


@pytest.mark.parametrize("key", ["project", "lock"])
def test_with_a_lock_a_build_may_do_without_what_was_resolved(tmp_path: Path, key: str) -> None:
    path = manifest(tmp_path, f'{key} = "none"')
    assert f"lift.payload.{key}" in str(missing(path))
    (tmp_path / "lift.lock").touch()
    assert f"lift.payload.{key}" not in str(missing(path))
