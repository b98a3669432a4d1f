"""The source distribution and the wheel, with files in place of compiled launchers."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from czscie import __version__
from czscie.launchers.build import DIGEST_TABLE, ZIG_VERSION, all_programs, file_name
from czscie.lift.manifest import read_manifest
from czscie.platforms import current_launcher
from release.__main__ import CHECKOUT, main
from release.distributions import Distributions, build_distributions

#: An installation without ziglang.
WITHOUT_ZIGLANG = "import sys; sys.modules['ziglang'] = None\n"


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    directory = tmp_path_factory.mktemp("programs")
    paths = [directory / file_name(program) for program in all_programs()]
    for path in paths:
        path.write_text(f"compiled {path.name}")
        path.chmod(0o755)
    return paths


@pytest.fixture(scope="module")
def made(programs: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Distributions:
    return build_distributions(CHECKOUT, programs, tmp_path_factory.mktemp("made"))


def test_the_wheel_is_for_every_platform_and_lists_the_digests_of_all_programs(
    made: Distributions, programs: list[Path]
) -> None:
    assert made.wheel.name == f"czscie-{__version__}-py3-none-any.whl"
    with zipfile.ZipFile(made.wheel) as wheel:
        table = wheel.read(f"czscie/launchers/{DIGEST_TABLE}").decode()
        for path in programs:
            content = wheel.read(f"czscie/launchers/{path.name}")
            assert content == path.read_bytes()
            assert f"{hashlib.sha256(content).hexdigest()}  {path.name}\n" in table
        assert len(table.splitlines()) == len(programs) == 20
        files = [name for name in wheel.namelist() if name.startswith("czscie/launchers/")]
        assert len(files) == len(list((CHECKOUT / "src/czscie/launchers").glob("*.py"))) + 20 + 1


def test_the_source_distribution_has_no_launchers(made: Distributions) -> None:
    with tarfile.open(made.sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"hatch_build.py", "native/src/main.zig", "src/czscie/launchers/build.py"} <= names
    assert not any(name.endswith(tuple(map(file_name, all_programs()))) for name in names)


def test_another_checkout_makes_the_same_bytes(
    made: Distributions, programs: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tarfile.open(made.sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    [checkout] = tmp_path.iterdir()
    (checkout / "PKG-INFO").unlink()
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1000000000")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    before = os.umask(0o077)
    try:
        again = build_distributions(checkout, programs, tmp_path / "out")
    finally:
        os.umask(before)
    assert again.sdist.read_bytes() == made.sdist.read_bytes()
    assert again.wheel.read_bytes() == made.wheel.read_bytes()


def test_a_wheel_of_the_source_distribution_takes_a_compiler(made: Distributions, tmp_path: Path) -> None:
    with tarfile.open(made.sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    [source] = tmp_path.iterdir()
    (tmp_path / "sitecustomize.py").write_text(WITHOUT_ZIGLANG)
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel"],
        cwd=source,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert (
        f"error: the source of czscie has no launcher for {current_launcher()}\n"
        "  ziglang, which compiles it, is not installed\n"
        "hint: pip install --only-binary czscie czscie installs a wheel, which has all launchers; "
        f"pip install ziglang=={ZIG_VERSION} installs the compiler\n"
    ) in done.stderr
    assert not list(source.glob("dist/*.whl"))


def test_the_executables_are_of_this_version() -> None:
    lift = read_manifest(CHECKOUT / "lift.toml")
    assert lift.payload is not None
    assert lift.payload.requirements == (f"czscie=={__version__}",)


@pytest.mark.skipif(shutil.which("git") is None, reason="there is no git")
def test_what_is_not_committed_is_not_released(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("release.__main__.CHECKOUT", tmp_path)
    assert main(["-o", str(tmp_path / "dist")]) == 1
    assert capsys.readouterr().err.startswith(f"error: cannot tell whether {tmp_path} is committed\n")
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    (tmp_path / "new.py").touch()
    assert main(["-o", str(tmp_path / "dist")]) == 1
    assert capsys.readouterr().err == (
        f"error: {tmp_path} has changes that are not committed\n"
        "  ?? new.py\n"
        "hint: commit them, or release them with --allow-dirty\n"
    )
    assert [path.name for path in tmp_path.iterdir() if path.name != ".git"] == ["new.py"]


def test_a_url_that_scripts_cannot_contain_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--allow-dirty", "--url", "https://example.com/it's"]) == 1
    assert capsys.readouterr().err == (
        """error: --url is "https://example.com/it's", which is not the URL of a directory of files\n"""
    )
