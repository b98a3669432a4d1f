from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from czscie.console import Console
from czscie.errors import CzscieError
from czscie.lift.lift import Lift
from czscie.lift.manifest import read_manifest
from czscie.lock.differences import differences
from czscie.lock.inputs import locked_inputs
from czscie.lock.lock import Lock
from czscie.lock.locker import Locker
from czscie.lock.now import Now
from czscie.network.network import Network
from czscie.pbs.provider import Provider
from czscie.platforms import find_platform


def lift(directory: Path, bare: str = "") -> Lift:
    (directory / "moo.pex").write_bytes(b"")
    (directory / "lift.toml").write_text(
        f"""\
[lift]
name = "moo"
platforms = ["linux-x86_64", "windows-x86_64"]

[[lift.interpreters]]
id = "cpython"
provider = "PythonBuildStandalone"
version = "3.13"

[lift.payload]
pex = "moo.pex"

[lift.bare]
{bare}"""
    )
    return read_manifest(directory / "lift.toml")


def words(lock: Lock, given: Lift) -> tuple[str, ...]:
    return differences(lock, Now.of(given, (), Provider(Console()), None), ()).words


def locked(given: Lift) -> Lock:
    """For no platform: nothing but what needs no network."""
    return Locker(given, Provider(Console()), Network.of(), Console()).lock(None, (), prune=True)


def test_a_lock_pins_what_is_added(tmp_path: Path) -> None:
    given = lift(tmp_path, "tzdata = true\ncertificates = true\n")
    lock = Lock.parse(locked(given).render(), "lift.lock")
    assert [each.name for each in lock.provisions] == ["certifi", "tzdata"]
    assert words(lock, given) == ()


def test_what_is_asked_for_later_is_told(tmp_path: Path) -> None:
    lock = locked(lift(tmp_path))
    assert lock.provisions == ()
    assert words(lock, lift(tmp_path, "tzdata = true")) == ("lift.bare adds tzdata",)
    assert words(locked(lift(tmp_path, "tzdata = true")), lift(tmp_path)) == (
        "lift.bare does not add tzdata",
    )


def test_another_version_is_told_and_not_built(tmp_path: Path) -> None:
    given = lift(tmp_path, "tzdata = true")
    lock = locked(given)
    [here] = lock.provisions
    other = msgspec.structs.replace(
        lock, provisions=(msgspec.structs.replace(here, version="2000.1", sha256="0" * 64),)
    )
    assert words(other, given) == (f"lift.bare adds tzdata {here.version}, locked is 2000.1",)
    with pytest.raises(CzscieError, match="is not the one that is locked") as caught:
        locked_inputs(
            given,
            other,
            find_platform("linux-x86_64"),
            Provider(Console()),
            Network.of(),
            tmp_path,
            Console(),
        )
    assert "pip install tzdata==2000.1" in str(caught.value.mend)
