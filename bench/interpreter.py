"""The CPython that everybody in a run uses: the very tree that our scie holds, as a directory."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from czscie.container.content import File
from czscie.errors import Code, CzscieError
from czscie.lift.interpreter import Host, Local
from czscie.network.network import Network
from czscie.pbs.distribution import Distribution
from czscie.pbs.provider import Provider
from czscie.platforms import current_platform


@dataclass(frozen=True, slots=True)
class Interpreter:
    """`root` is the tree and `python` its executable; `provider` is how a lift manifest asks for it.

    `size` is the bytes of its files.
    """

    root: Path
    python: Path
    provider: Host | Local
    version: str
    description: str
    size: int
    files: int
    distribution: Distribution
    digest: str


def unpack(chosen: Path | None, root: Path) -> Interpreter:
    """Writes the CPython `chosen` to `root`: an executable, a directory or an archive; None is the one that
    runs this, as the provider Host makes it relocatable.

    Raises CzscieError when there is none, or one that is not relocatable.
    """
    provider = _provider(chosen)
    source = Provider(Network.of()).resolve(provider, current_platform())
    distribution = source.load()
    write_tree(distribution, root)
    contents = [item.content for item in distribution.items if isinstance(item, File)]
    return Interpreter(
        root=root,
        python=root / distribution.layout.python,
        provider=provider,
        version=distribution.layout.version,
        description=source.description,
        size=sum(content.size for content in contents),
        files=len(contents),
        distribution=distribution,
        digest=source.digest,
    )


def _provider(chosen: Path | None) -> Host | Local:
    if chosen is None or (chosen.exists() and chosen.resolve() == Path(sys.executable).resolve()):
        return Host(id="cpython")
    if chosen.is_file() and ".tar" not in chosen.suffixes:
        chosen = _prefix(chosen)
    return Local(id="cpython", path=chosen)


def _prefix(python: Path) -> Path:
    """The directory that the CPython at `python` is installed in."""
    ask = [str(python), "-I", "-c", "import sys; print(sys.base_prefix)"]
    try:
        done = subprocess.run(ask, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise CzscieError(
            f"{python} is not a CPython that runs here", code=Code.PROGRAM_FAILED, why=str(error)
        ) from error
    return Path(done.stdout.strip())


def write_tree(distribution: Distribution, root: Path) -> None:
    """Writes the files and links of `distribution` below `root`."""
    for item in distribution.items:
        path = root / item.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(item, File):
            path.write_bytes(item.content.read())
            path.chmod(0o755 if item.executable else 0o644)
        else:
            path.symlink_to(item.target)
