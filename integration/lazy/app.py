"""An executable with lazy parts, started in an environment of its own."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from czscie.build import build
from czscie.session import Session


def digest(content: bytes) -> str:
    """The digest of a file in a manifest."""
    return f'{{ size = {len(content)}, fingerprint = "{hashlib.sha256(content).hexdigest()}" }}'


@dataclass
class LazyApp:
    """A directory with a manifest. `certificates` are those of the authorities that its executable trusts."""

    directory: Path
    certificates: Path
    path: Path = field(init=False)

    def __post_init__(self) -> None:
        self.path = self.directory / "dist" / "app"

    @property
    def base(self) -> Path:
        return self.directory / "base"

    def build(self, lift: str, *inverted: str) -> None:
        self.build_text(f'[lift]\nname = "app"\n{lift}', *inverted)

    def build_text(self, text: str, *inverted: str) -> None:
        manifest = self.directory / "lift.toml"
        manifest.write_text(text)
        build(manifest, self.directory / "dist", [], Session.of(inverted=inverted))

    def begin(self, *arguments: str, path: Path | None = None, **variables: str) -> subprocess.Popen[str]:
        environment = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(self.directory / "home"),
            "CZSCIE_BASE": str(self.base),
            "SSL_CERT_FILE": str(self.certificates),
            **variables,
        }
        return subprocess.Popen(
            [path or self.path, *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.directory,
            start_new_session=sys.platform != "win32",
        )

    def run(
        self, *arguments: str, path: Path | None = None, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        process = self.begin(*arguments, path=path, **variables)
        output, errors = process.communicate(timeout=120)
        return subprocess.CompletedProcess(process.args, process.returncode, output, errors)

    def output(self, *arguments: str, path: Path | None = None, **variables: str) -> str:
        done = self.run(*arguments, path=path, **variables)
        assert (done.returncode, done.stderr) == (0, ""), done
        return done.stdout

    def failure(self, **variables: str) -> str:
        done = self.run(**variables)
        assert done.returncode == 1 and done.stdout == "", done
        return done.stderr
