"""Images that `czscie image` makes run in engines, without one, and under emulation; layers stay the same."""

from __future__ import annotations

import os
import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from e2e import foreign
from e2e.bare import BareRoot
from e2e.build import Builder, Scie
from e2e.docker import NoDocker, docker
from e2e.image import Archive
from e2e.pexes import COWSAY, FIGURES, Recipe
from e2e.podman import lacking, podman
from e2e.trace import trace

NAME = "czscie/cowsay:e2e"
ANYBODY = 12345
HARDENED = ("--read-only", "--cap-drop=all", "--security-opt=no-new-privileges", f"--user={ANYBODY}")

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user in a chroot")


def make_image(builder: Builder, manifest: str, directory: Path, *options: str) -> Archive:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "lift.toml").write_text(manifest)
    done = builder.run("lift.toml", "-o", "image.tar", *options, directory=directory, command="image")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "image.tar\n"
    return Archive(directory / "image.tar")


@pytest.fixture(scope="module")
def cowsay(
    builder: Builder, pexes: Callable[[Recipe], Path], tmp_path_factory: pytest.TempPathFactory
) -> Archive:
    """Of cowsay, FROM scratch, for two platforms."""
    manifest = Scie(COWSAY, "3.11", libc="when-missing").manifest(pexes(COWSAY))
    several = manifest.replace('["linux-x86_64"]', '["linux-x86_64", "linux-aarch64"]')
    assert several != manifest
    return make_image(builder, several, tmp_path_factory.mktemp("cowsay-image"), "--name", NAME)


@pytest.fixture(scope="module")
def root(cowsay: Archive, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The image for this machine as a directory, and its entry point."""
    path = tmp_path_factory.mktemp("root") / "root"
    entry_point = cowsay.lay_out("amd64", path)
    (path / "proc").mkdir()  # as engines do
    return path, entry_point


def check(output: str) -> None:
    assert re.search(r"\| moo \|", output), output


@needs_root
def test_without_an_engine_it_runs_read_only_as_any_user(root: tuple[Path, str]) -> None:
    path, entry_point = root
    read_only = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
    bare = BareRoot(path, ("/usr/bin/unshare", "--mount", "/bin/sh", "-c", read_only, str(path)))
    for user in (0, ANYBODY):
        done = bare.run(entry_point, "-t", "moo", user=user)
        assert done.returncode == 0, done.stderr
        check(done.stdout)


@needs_root
def test_a_start_changes_no_file(root: tuple[Path, str], tmp_path: Path) -> None:
    path, entry_point = root
    script = 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"'
    command: list[str | Path] = ["/usr/bin/unshare", "--mount", "/bin/sh", "-c", script]
    command += [path, entry_point, "-t", "moo"]
    traced = trace(command, tmp_path / "logs", {"PATH": os.environ["PATH"]})
    check(traced.process.stdout)
    names = [call.path if call.name == "execve" and not call.failed else "" for call in traced.first]
    started = traced.first[names.index(entry_point) :]
    assert [call.path for call in started if call.name == "execve"][1].endswith("/bin/python")
    assert [(call.name, call.path) for call in started if call.changes_files] == []


def test_the_image_of_another_architecture_runs_under_emulation(cowsay: Archive, tmp_path: Path) -> None:
    if reason := foreign.why_not():
        pytest.skip(reason)
    entry_point = cowsay.lay_out("arm64", tmp_path / "root")
    (tmp_path / "root/proc").mkdir()
    done = BareRoot(tmp_path / "root", tuple(foreign.enter())).run(entry_point, "-t", "moo")
    assert done.returncode == 0, done.stderr
    check(done.stdout)


def test_podman_loads_the_platform_that_is_its_own_and_runs_it(cowsay: Archive) -> None:
    if (lack := lacking()) is not None:
        pytest.skip(lack)
    with podman() as engine:
        name = f"docker.io/{NAME}"  # how podman reads a name without a registry
        assert f"Loaded image: {name}\n" in engine.must("load", "--input", cowsay.path)
        form = "{{.Architecture}} {{.Config.User}}"
        assert engine.must("image", "inspect", "--format", form, name) == "amd64 65532:65532\n"
        for options in ((), HARDENED):
            done = engine.run(name, "-t", "moo", options=options)
            assert done.returncode == 0, done.stderr
            check(done.stdout)


def test_docker_loads_every_platform_and_runs_its_own(cowsay: Archive) -> None:
    try:
        with docker() as engine:
            loaded = engine("load", "--input", cowsay.path)
            assert loaded.returncode == 0, loaded.stderr
            assert f"Loaded image: {NAME}-arm64\n" in loaded.stdout
            for options in ((), HARDENED):
                done = engine.run(NAME, "-t", "moo", options=options)
                assert done.returncode == 0, done.stderr
                check(done.stdout)
    except NoDocker as reason:
        pytest.skip(f"dockerd does not run here: {reason}")


def test_a_change_of_the_application_moves_less_than_a_hundredth(
    builder: Builder, pexes: Callable[[Recipe], Path], tmp_path: Path
) -> None:
    pex = tmp_path / "figures.pex"
    shutil.copy(pexes(FIGURES), pex)
    manifest = Scie(FIGURES, "3.13", libc="when-missing").manifest(pex)
    before = make_image(builder, manifest, tmp_path / "image").layers("amd64")
    touch(pex, "figures.py")
    after = make_image(builder, manifest, tmp_path / "image").layers("amd64")
    assert list(before) == ["libc", "root", "interpreter", "dependencies", "commands", "application"]
    assert {name for name in before if before[name] != after[name]} == {"application"}
    assert after["application"][1] < sum(size for _, size in after.values()) / 100


def touch(pex: Path, name: str) -> None:
    """Adds a line to a file of the PEX."""
    with zipfile.ZipFile(pex) as archive:
        files = [(info, archive.read(info)) for info in archive.infolist()]
    with zipfile.ZipFile(pex, "w", zipfile.ZIP_DEFLATED) as archive:
        for info, data in files:
            archive.writestr(info, data + b"TOUCHED = True\n" if info.filename == name else data)
