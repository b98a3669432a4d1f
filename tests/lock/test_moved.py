from __future__ import annotations

from pathlib import Path

from czscie.lock.lock import (
    Hashes,
    Lock,
    LockedDirectory,
    LockedLaunchers,
    LockedPackage,
    LockedWheel,
    RequestedInterpreter,
    RequestedLift,
    RequestedPayload,
    Sdist,
)
from czscie.lock.moved import moved

HASHES = Hashes(sha256="0" * 64)


def lock(at: str) -> Lock:
    """A lock of a manifest whose files are in the directory `at`."""
    local = LockedWheel(name="cow.whl", path=f"{at}cow.whl", hashes=HASHES)
    downloaded = LockedWheel(name="calf.whl", url="https://a.example/calf.whl", hashes=HASHES)
    return Lock(
        created_by="czscie 0.1.0",
        launcher=LockedLaunchers(source="0" * 64),
        manifest=RequestedLift(
            interpreters={"cpython": RequestedInterpreter(provider="Local", path=f"{at}python")},
            payload=RequestedPayload(
                project=at[:-1],
                script=f"{at}tool.py",
                requirements=("cow",),
                find_links=(f"{at}wheels", "https://a.example/links"),
                sources={"calf": f"{at}calf"},
            ),
        ),
        packages=(
            LockedPackage(name="cow", version="1", wheels=(local, downloaded)),
            LockedPackage(name="calf", version="1", directory=LockedDirectory(path=f"{at}calf")),
            LockedPackage(name="bull", version="1", sdist=Sdist(name="b", path=f"{at}b.zip", hashes=HASHES)),
        ),
    )


def test_paths_are_relative_to_the_new_directory(tmp_path: Path) -> None:
    assert moved(lock("farm/"), tmp_path, tmp_path / "out" / "below") == lock("../../farm/")


def test_a_lock_that_stays_is_the_same(tmp_path: Path) -> None:
    assert moved(lock("farm/"), tmp_path, tmp_path) == lock("farm/")
