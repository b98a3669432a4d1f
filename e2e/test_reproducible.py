"""Same inputs, same bytes: whoever builds, wherever, with whatever umask, clock and number of processors."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from e2e.build import Builder, Scie, read_results
from e2e.mirror.release import TAG
from e2e.pexes import COWSAY, TOOLBOX, Recipe
from e2e.server import MirrorServer


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Everything about a build that must not show in its result."""

    directory: str
    umask: str
    user: int
    environment: dict[str, str]

    @property
    def prefix(self) -> list[str]:
        """What makes a build another user's: in a user namespace, where files stay accessible."""
        identity = ["unshare", "--user", f"--map-user={self.user}", f"--map-group={self.user}"]
        return [*identity, "sh", "-c", f'umask {self.umask}; exec "$@"', "sh"]


ONE = Circumstances(
    directory="one",
    umask="022",
    user=1000,
    environment={"TZ": "UTC", "LANG": "C", "PYTHONHASHSEED": "1", "USER": "one", "HOME": "/nonexistent/1"},
)
OTHER = Circumstances(
    directory="an other/place with spaces/äöü",
    umask="077",
    user=4242,
    environment={
        "TZ": "Asia/Kathmandu",
        "LANG": "C.UTF-8",
        "PYTHONHASHSEED": "2",
        "USER": "other",
        "HOME": "/nonexistent/2",
    },
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where both builders have their directories and, as nothing may come from the other's, their caches."""
    return tmp_path_factory.mktemp("reproducible")


@pytest.mark.parametrize("recipe", [COWSAY, TOOLBOX], ids=lambda recipe: recipe.name)
def test_two_builds_give_identical_files(
    recipe: Recipe, pexes: Callable[[Recipe], Path], mirror_server: MirrorServer, place: Path
) -> None:
    results: list[bytes] = []
    for number, circumstances in enumerate((ONE, OTHER)):
        directory = place / circumstances.directory
        directory.mkdir(parents=True, exist_ok=True)
        pex = directory / f"{recipe.name}-{number}.pex"
        shutil.copy(pexes(recipe), pex)
        os.utime(pex, (number * 1e9, number * 1e9))
        built = Builder(mirror_server.url, directory / "cache").build(
            Scie(recipe, "3.13"),
            pex,
            directory / recipe.name,
            prefix=[*circumstances.prefix, *(["taskset", "--cpu-list", "0"] if number else [])],
            environment=circumstances.environment,
        )
        results.append(built.read_bytes())
    one, other = results
    assert hashlib.sha256(one).hexdigest() == hashlib.sha256(other).hexdigest()


def test_what_other_builds_left_in_the_cache_does_not_show(
    pexes: Callable[[Recipe], Path], mirror_server: MirrorServer, tmp_path: Path
) -> None:
    """It is used all the same: the second application takes modules and entries from the first."""
    other = Scie(COWSAY, "3.11", pack='files = ["stdlib/json/*"]')
    shared, empty = (Builder(mirror_server.url, tmp_path / name / "cache") for name in ("shared", "empty"))
    shared.build(Scie(COWSAY, "3.11"), pexes(COWSAY), tmp_path / "first")
    second = shared.build(other, pexes(COWSAY), tmp_path / "second")
    alone = empty.build(other, pexes(COWSAY), tmp_path / "alone")
    assert second.read_bytes() == alone.read_bytes()
    kept = [{path.name for path in (each.cache / "compressed").iterdir()} for each in (shared, empty)]
    assert len(kept[1]) < len(kept[0]) < 2 * len(kept[1])


def test_a_build_says_the_path_and_the_digest_of_what_it_wrote(
    builder: Builder, pexes: Callable[[Recipe], Path], tmp_path: Path
) -> None:
    (tmp_path / "lift.toml").write_text(Scie(COWSAY, "3.13").manifest(pexes(COWSAY)))
    done = builder.run("lift.toml", "-o", "dist", directory=tmp_path)
    (result,) = read_results(done.stdout)
    written = (tmp_path / result.path).read_bytes()
    assert hashlib.sha256(written).hexdigest() == result.sha256
    assert [path.name for path in (tmp_path / "dist").iterdir()] == ["cowsay"]


def test_several_platforms_give_several_files_with_the_platform_in_their_names(
    builder: Builder, pexes: Callable[[Recipe], Path], tmp_path: Path
) -> None:
    platforms = ("linux-x86_64", "linux-aarch64")
    manifest = Scie(COWSAY, "3.11").manifest(pexes(COWSAY))
    several = manifest.replace('["linux-x86_64"]', str(list(platforms)))
    (tmp_path / "lift.toml").write_text(several)
    done = builder.run("lift.toml", "-o", "dist", directory=tmp_path)
    assert done.returncode == 0, done.stderr
    results = read_results(done.stdout)
    assert [result.path.name for result in results] == [f"cowsay-{platform}" for platform in platforms]
    for result in results:
        assert hashlib.sha256((tmp_path / result.path).read_bytes()).hexdigest() == result.sha256


def test_the_newest_release_is_found_where_the_manifest_names_none(
    builder: Builder, pexes: Callable[[Recipe], Path], mirror_server: MirrorServer, tmp_path: Path
) -> None:
    manifest = Scie(COWSAY, "3.13").manifest(pexes(COWSAY)).replace(f'release = "{TAG}"\n', "")
    (tmp_path / "lift.toml").write_text(manifest)
    asked_before = len(mirror_server.requests)
    done = builder.run("lift.toml", "-o", "dist", directory=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "/latest-release.json" in mirror_server.requests[asked_before:]
