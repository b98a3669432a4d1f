"""Windows executables, built here as on any host, and started by wine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from e2e.build import Builder, read_results
from e2e.mirror.release import TAG
from e2e.wine.wine import Started, Wine, windows_path

_MANIFEST = """\
[lift]
name = "{name}"
platforms = ["windows-x86_64"]
compression_level = 1
{lift}

[[lift.interpreters]]
id = "cpython"
provider = "PythonBuildStandalone"
release = "{tag}"
version = "3.13"

[lift.payload]
{payload}
"""


def build(builder: Builder, name: str, payload: str, directory: Path, lift: str = "") -> Path:
    """The executable of `payload` and `lift`, keys of `[lift.payload]` and `[lift]`, built in `directory`."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "lift.toml").write_text(_MANIFEST.format(name=name, tag=TAG, payload=payload, lift=lift))
    done = builder.run("lift.toml", "-o", "dist", directory=directory)
    assert done.returncode == 0, f"czscie build failed ({done.returncode}):\n{done.stderr}{done.stdout}"
    (built,) = read_results(done.stdout)
    return directory / built.path


@dataclass(frozen=True, slots=True)
class Application:
    """An executable with the base directory that it unpacks into."""

    wine: Wine
    executable: Path
    base: Path

    def environment(self, environment: Mapping[str, str] | None = None) -> dict[str, str]:
        return {"CZSCIE_BASE": windows_path(self.base), **(environment or {})}

    def start(self, *arguments: str, environment: Mapping[str, str] | None = None) -> Started:
        return self.wine.start(self.executable, *arguments, environment=self.environment(environment))

    def run(
        self, *arguments: str, environment: Mapping[str, str] | None = None, stdin: bytes = b""
    ) -> Started:
        return self.start(*arguments, environment=environment).wait(stdin)

    def installations(self) -> set[str]:
        """What is installed, whole or not: `apps/…`, `interpreters/…`."""
        kinds = [path for path in self.base.glob("*") if path.name in ("apps", "interpreters")]
        return {f"{kind.name}/{path.name}" for kind in kinds for path in kind.iterdir()}
