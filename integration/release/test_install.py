"""install.sh in three shells, against a server on loopback."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from czscie import __version__
from e2e.server import serve
from release.artifact import Artifact, Release
from release.installers import write_installers

PLATFORMS = ("linux-x86_64", "linux-aarch64", "macos-aarch64", "windows-x86_64")
URL = "https://example.com/czscie/v1"
#: What the script calls besides the shell's own commands.
TOOLS = ("chmod", "cp", "dirname", "mkdir", "mktemp", "mv", "rm", "rmdir", "sha256sum")
ANYBODY = 12345
LINUX = "case $1 in -s) echo Linux ;; *) echo x86_64 ;; esac"


@dataclass(frozen=True)
class Shell:
    """A shell, and where its programs come from."""

    name: str
    downloader: str

    def tool(self, name: str) -> str:
        return found(self.name if self.name == "busybox" else name)

    def command(self) -> list[str]:
        return [found(self.name), *(["sh"] if self.name == "busybox" else [])]


SHELLS = (Shell("dash", "curl"), Shell("busybox", "wget"), Shell("bash", "wget"))


def found(program: str) -> str:
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"there is no {program}")
    return path


def _executable(platform: str) -> bytes:
    return f"#!/bin/sh\necho czscie for {platform}\n".encode()


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the files of a release."""
    directory = tmp_path_factory.mktemp("release")
    executables = []
    for platform in PLATFORMS:
        path = directory / f"czscie-{platform}{'.exe' if 'windows' in platform else ''}"
        path.write_bytes(_executable(platform))
        executables.append(Artifact.of(path, "executable", platform))
    write_installers(Release.of(executables), URL, directory)
    return directory


@pytest.fixture(scope="module")
def url(release: Path) -> Iterator[str]:
    with serve(release) as server:
        yield server.url


@dataclass(frozen=True)
class Machine:
    """A system with the `tools` that a shell finds; everybody can read its directory."""

    shell: Shell
    directory: Path
    release: Path
    url: str

    @property
    def target(self) -> Path:
        return self.directory / "home/.local/bin"

    def replace(self, tool: str, body: str) -> None:
        """Makes `body` what the shell runs as `tool`; busybox prefers its own programs to those of PATH."""
        if self.shell.name == "busybox":
            before, main, after = self.script.read_text().rpartition('main "$@"')
            self.script.write_text(f"{before}{tool}() (\n{body}\n)\n{main}{after}")
            return
        path = self.directory / "tools" / tool
        path.unlink(missing_ok=True)
        path.write_text(f"#!{found('sh')}\n{body}\n")
        path.chmod(0o755)

    def lacks(self, *tools: str) -> None:
        if self.shell.name == "busybox":
            self.replace(
                "command", f"case $2 in {' | '.join((*tools, 'curl', 'shasum', 'openssl'))}) exit 1 ;; esac"
            )
        for tool in tools:
            (self.directory / "tools" / tool).unlink(missing_ok=True)

    @property
    def script(self) -> Path:
        return self.directory / "install.sh"

    def install(
        self, *arguments: str, prefix: tuple[str, ...] = (), **variables: str
    ) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": str(self.directory / "tools"),
            "HOME": str(self.directory / "home"),
            "TMPDIR": str(self.directory / "tmp"),
            "CZSCIE_DOWNLOAD_URL": self.url,
            **variables,
        }
        return subprocess.run(
            [*prefix, *self.shell.command(), self.script, *arguments],
            cwd=self.directory,
            env={name: value for name, value in environment.items() if value},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )

    def left(self) -> list[str]:
        """What is in the directories that the script writes to."""
        return [str(path) for name in ("home", "tmp") for path in (self.directory / name).rglob("*")]


@pytest.fixture(params=SHELLS, ids=lambda shell: f"{shell.name}-{shell.downloader}")
def machine(request: pytest.FixtureRequest, release: Path, url: str) -> Iterator[Machine]:
    shell: Shell = request.param
    with tempfile.TemporaryDirectory(prefix="czscie-install-") as name:
        directory = Path(name)
        for each in ("", "home", "tools", "tmp"):
            (directory / each).mkdir(exist_ok=True)
            (directory / each).chmod(0o755)
        (directory / "tmp").chmod(0o1777)
        for tool in (*TOOLS, shell.downloader):
            (directory / "tools" / tool).symlink_to(shell.tool(tool))
        machine = Machine(shell, directory, release, url)
        shutil.copyfile(release / "install.sh", machine.script)
        machine.replace("uname", LINUX)
        yield machine


def check(machine: Machine, done: subprocess.CompletedProcess[str], error: str, hint: str) -> None:
    """Checks what a failure says, last, and that it leaves nothing."""
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith(f"error: {error}\nhint: {hint}\n"), done.stderr
    assert machine.left() == []


def test_the_executable_is_installed_and_replaced(machine: Machine) -> None:
    digest = hashlib.sha256(_executable("linux-x86_64")).hexdigest()
    for _ in range(2):
        done = machine.install()
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == (
            f"Downloaded {machine.url}/czscie-linux-x86_64 (SHA-256 {digest})\n"
            f"Installed czscie {__version__}: {machine.target}/czscie\n"
            f'{machine.target} is not in PATH: export PATH="{machine.target}:$PATH"\n'
        )
        assert [path.name for path in machine.target.iterdir()] == ["czscie"]
        assert os.access(machine.target / "czscie", os.X_OK)
        assert list((machine.directory / "tmp").iterdir()) == []
        (machine.target / "czscie").write_text("an older one")


def test_a_directory_and_an_architecture_by_another_name(machine: Machine) -> None:
    machine.replace("uname", "case $1 in -s) echo Darwin ;; *) echo arm64 ;; esac")
    there = machine.directory / "home/other place"
    path = f"{machine.directory}/tools:{there}"
    done = machine.install("home/other place", PATH=path, HOME="")
    assert done.stderr == ""
    assert done.stdout.endswith(f"Installed czscie {__version__}: {there}/czscie\n")
    assert (there / "czscie").read_bytes() == _executable("macos-aarch64")


def test_rosetta_is_seen_through(machine: Machine) -> None:
    machine.replace("uname", "case $1 in -s) echo Darwin ;; *) echo x86_64 ;; esac")
    machine.replace("sysctl", "echo 1")
    assert machine.install().returncode == 0
    assert (machine.target / "czscie").read_bytes() == _executable("macos-aarch64")


def test_another_file_is_refused(machine: Machine, release: Path) -> None:
    directory = release / "tampered"
    directory.mkdir(exist_ok=True)
    (directory / "czscie-linux-x86_64").write_text("something else")
    url = f"{machine.url}/tampered"
    done = machine.install(CZSCIE_DOWNLOAD_URL=url)
    wrong, right = (
        hashlib.sha256(each).hexdigest() for each in (b"something else", _executable("linux-x86_64"))
    )
    check(
        machine,
        done,
        f"{url}/czscie-linux-x86_64 is not the file of this release: SHA-256 {wrong}, expected {right}",
        "run it again with the install.sh that is beside the file",
    )


def test_a_file_that_is_not_there(machine: Machine) -> None:
    url = f"{machine.url}/nothing"
    check(
        machine,
        machine.install(CZSCIE_DOWNLOAD_URL=f"{url}/"),
        f"cannot download {url}/czscie-linux-x86_64",
        "set CZSCIE_DOWNLOAD_URL to a directory that has it",
    )


def test_a_platform_without_an_executable(machine: Machine) -> None:
    machine.replace("uname", "case $1 in -s) echo Linux ;; *) echo riscv64 ;; esac")
    check(
        machine,
        machine.install(),
        "there is no executable of czscie for linux-riscv64, "
        "only for linux-aarch64, linux-x86_64, macos-aarch64",
        "pip install czscie",
    )
    machine.replace("uname", "echo MINGW64_NT-10.0")
    check(machine, machine.install(), "this script is for Linux and macOS", "run install.ps1 in PowerShell")


def test_without_a_program_that_downloads(machine: Machine) -> None:
    machine.lacks("curl", "wget")
    check(
        machine,
        machine.install(),
        "there is neither curl nor wget",
        f"install one of them, or download {machine.url}/czscie-linux-x86_64",
    )


def test_without_a_program_that_checks(machine: Machine) -> None:
    machine.lacks("sha256sum")
    check(
        machine,
        machine.install(),
        "there is neither sha256sum nor shasum nor openssl to check the download",
        "install one of them",
    )


def test_a_directory_that_cannot_be_written(machine: Machine) -> None:
    prefix: tuple[str, ...] = ()
    if os.geteuid() == 0:
        prefix = (found("setpriv"), f"--reuid={ANYBODY}", f"--regid={ANYBODY}", "--clear-groups")
    (machine.directory / "home").chmod(0o555)
    done = machine.install(prefix=prefix)
    check(machine, done, f"{machine.directory}/home is not writable", "sh install.sh DIRECTORY")
    (machine.directory / "file").touch()
    done = machine.install("file/below")
    check(machine, done, f"{machine.directory}/file is not a directory", "sh install.sh DIRECTORY")


def test_a_disk_that_fills_leaves_nothing(machine: Machine) -> None:
    machine.replace("cp", 'echo half >"$2"; exit 1')
    done = machine.install("home/new")
    assert done.returncode == 1
    assert done.stderr.endswith(
        f"error: cannot write {machine.directory}/home/new/czscie\nhint: sh install.sh DIRECTORY\n"
    )
    assert machine.left() == []


def test_arguments(machine: Machine) -> None:
    assert machine.install("--help").stdout == "usage: sh install.sh [DIRECTORY]\n"
    check(machine, machine.install("--to"), "unknown option --to", "sh install.sh [DIRECTORY]")
    check(
        machine,
        machine.install("a", "b"),
        "there is more than one directory: a b",
        "sh install.sh [DIRECTORY]",
    )
    check(machine, machine.install(HOME=""), "HOME is not set", "sh install.sh DIRECTORY")


def test_half_a_script_does_nothing(machine: Machine) -> None:
    script = machine.script.read_text()
    machine.script.write_text(script.rpartition("\nmain ")[0])
    done = machine.install()
    assert (done.returncode, done.stdout, done.stderr, machine.left()) == (0, "", "", [])


def test_shellcheck_finds_nothing(release: Path) -> None:
    done = subprocess.run([found("shellcheck"), release / "install.sh"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_package_managers_get_urls_and_digests(release: Path) -> None:
    formula = (release / "czscie.rb").read_text()
    for platform in ("linux-x86_64", "linux-aarch64", "macos-aarch64"):
        digest = hashlib.sha256(_executable(platform)).hexdigest()
        assert f'url "{URL}/czscie-{platform}"\n      sha256 "{digest}"\n' in formula
    assert formula.count("sha256") == 3
    scoop = json.loads((release / "czscie.json").read_text())
    assert scoop["architecture"] == {
        "64bit": {
            "url": f"{URL}/czscie-windows-x86_64.exe#/czscie.exe",
            "hash": hashlib.sha256(_executable("windows-x86_64")).hexdigest(),
        }
    }
    windows = (release / "install.ps1").read_text()
    assert f"    'windows-x86_64' = '{scoop['architecture']['64bit']['hash']}'\n" in windows
    assert not any("@" in each for each in (formula, json.dumps(scoop)))


def test_without_a_url_scripts_ask_for_one(machine: Machine, tmp_path: Path) -> None:
    artifact = Artifact.of(machine.release / "czscie-linux-x86_64", "executable", "linux-x86_64")
    written = write_installers(Release.of([artifact]), "", tmp_path)
    assert [each.name for each in written] == ["install.sh"]
    shutil.copyfile(tmp_path / "install.sh", machine.script)
    machine.replace("uname", LINUX)
    check(
        machine,
        machine.install(CZSCIE_DOWNLOAD_URL=""),
        "there is no URL to download from",
        "set CZSCIE_DOWNLOAD_URL",
    )
    assert machine.install().returncode == 0
