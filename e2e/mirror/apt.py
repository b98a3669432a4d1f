"""Debian packages through an apt root of our own: its sources, lists and status, nothing of the host's."""

from __future__ import annotations

import datetime
import os
import re
import subprocess
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import unquote

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")

#: Names a Debian mirror for hosts whose own apt knows none (Ubuntu).
MIRROR_VARIABLE = "CZSCIE_E2E_DEBIAN"

#: Hooks and lists of the host's configuration that must not act on our root.
_CLEARED = (
    "APT::Architectures",
    "APT::Update::Pre-Invoke",
    "APT::Update::Post-Invoke",
    "APT::Update::Post-Invoke-Success",
)


class AptError(Exception):
    """apt is missing, knows no Debian mirror, or failed; the text says which."""


def run(*command: str | Path, directory: Path | None = None) -> str:
    """The standard output of a command that must succeed. Raises AptError with what it printed."""
    try:
        done = subprocess.run(command, cwd=directory, capture_output=True, text=True)
    except FileNotFoundError as missing:
        raise AptError(f"the e2e tests need {command[0]}: run them on Debian or Ubuntu") from missing
    if done.returncode != 0:
        raise AptError(
            f"{' '.join(map(str, command))} failed ({done.returncode}):\n{done.stderr}{done.stdout}"
        )
    return done.stdout


def debian_mirror() -> str:
    """The Debian mirror this host's own apt uses: its first source that ends in /debian.

    Raises AptError when there is none and the environment names none either.
    """
    if named := os.environ.get(MIRROR_VARIABLE):
        return named.rstrip("/")
    for uri in run("apt-get", "indextargets", "--format", "$(REPO_URI)").split():
        if uri.rstrip("/").endswith("/debian"):
            return uri.rstrip("/")
    raise AptError(
        f"this host's apt has no Debian source: set {MIRROR_VARIABLE} to the URL of a Debian mirror"
    )


class Apt:
    """The packages of one suite for one architecture; `architecture` None is its source packages."""

    def __init__(self, work: Path, suite: str, architecture: str | None) -> None:
        if not KEYRING.exists():
            raise AptError(f"{KEYRING} is missing: apt-get install debian-archive-keyring")
        self._root = work / f"{suite}-{architecture or 'source'}"
        self._packages = self._root / "packages"
        for directory in ("lists/partial", "cache/archives/partial", "packages"):
            (self._root / directory).mkdir(parents=True, exist_ok=True)
        (self._root / "status").touch()
        kind = "deb" if architecture else "deb-src"
        (self._root / "sources.list").write_text(
            f"{kind} [signed-by={KEYRING}] {debian_mirror()} {suite} main\n"
        )
        self._configuration = self._root / "apt.conf"
        self._configuration.write_text(self._settings(architecture or "amd64"))
        self._get("update", "-qq")

    def _settings(self, architecture: str) -> str:
        settings: dict[str, str | Path] = {
            "Dir::Etc::SourceList": self._root / "sources.list",
            "Dir::Etc::SourceParts": "/dev/null",
            "Dir::Etc::Preferences": "/dev/null",
            "Dir::Etc::PreferencesParts": "/dev/null",
            "Dir::State": self._root,
            "Dir::State::Lists": self._root / "lists",
            "Dir::State::Status": self._root / "status",
            "Dir::Cache": self._root / "cache",
            "APT::Architecture": architecture,
            "APT::Architectures": architecture,
            "APT::Sandbox::User": "",  # the directories above need not be readable by _apt
            "Acquire::Languages": "none",
            "Acquire::Check-Valid-Until": "false",  # a mirror may lag
        }
        # apt reads a file given with -c after the host's own configuration, and it can clear lists there.
        return "".join(
            [
                *(f"#clear {key};\n" for key in _CLEARED),
                *(f'{key} "{value}";\n' for key, value in settings.items()),
            ]
        )

    def _get(self, *arguments: str, directory: Path | None = None) -> str:
        return run("apt-get", "-c", self._configuration, *arguments, directory=directory)

    def closure(self, *packages: str) -> list[str]:
        """The names of all packages that installing these into an empty system would bring."""
        plan = self._get("install", "--simulate", "-y", "--no-install-recommends", *packages)
        return [line.split()[1].split(":")[0] for line in plan.splitlines() if line.startswith("Inst ")]

    def download(self, *packages: str) -> list[Path]:
        """The `.deb` files of these packages, their hashes checked by apt against its signed lists."""
        wanted: list[Path] = []
        missing: list[str] = []
        for line in self._get("download", "--print-uris", *packages).splitlines():
            if match := re.match(r"'[^']+' (\S+) (\d+) ", line):
                path = self._packages / match[1]
                wanted.append(path)
                if not path.exists() or path.stat().st_size != int(match[2]):
                    missing.append(match[1].split("_")[0])
        if missing:
            self._get("download", "-qq", *missing, directory=self._packages)
        return wanted

    def places(self, *packages: str) -> dict[str, tuple[str, int, str]]:
        """Of the file of each package its path below the mirror's root, its size and its SHA-256."""
        found = {}
        for line in self._get("download", "--print-uris", *packages).splitlines():
            if match := re.match(r"'[^']*/(pool/[^']+)' (\S+) (\d+) SHA256:(\w+)", line):
                found[match[2]] = (unquote(match[1]), int(match[3]), match[4])
        return found

    def release(self) -> tuple[str, datetime.datetime]:
        """The version and the date of the suite."""
        (index,) = (self._root / "lists").glob("*InRelease")
        text = index.read_text()
        version = re.search(r"(?m)^Version: (.+)", text)
        date = re.search(r"(?m)^Date: (.+)", text)
        if version is None or date is None:
            raise AptError(f"{index} does not tell its version and date")
        return version[1], parsedate_to_datetime(date[1].replace("UTC", "+0000"))

    def unpack(self, target: Path, *packages: str) -> None:
        """Download these packages and lay their files below `target`."""
        target.mkdir(parents=True, exist_ok=True)
        for package in self.download(*packages):
            run("dpkg-deb", "-x", package, target)

    def upstream_tarball(self, source: str) -> Path:
        """The upstream tarball of a source package, without Debian's patches."""
        for line in self._get("source", "--print-uris", "--only-source", source).splitlines():
            if match := re.match(r"'([^']+)' (\S+\.orig\.tar\.\w+) \d+ (SHA256:\w+)$", line):
                path = self._packages / match[2]
                if not path.exists():
                    helper = "/usr/lib/apt/apt-helper"
                    run(helper, "-c", self._configuration, "download-file", match[1], path, match[3])
                return path
        raise AptError(f"apt knows no upstream tarball of {source}")
