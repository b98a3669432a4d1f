"""From an interpreter of the manifest to a CPython for one platform: the providers behind one door."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from czscie.errors import CzscieError
from czscie.lift.interpreter import Host, Interpreter, Local, PyPy, PythonBuildStandalone
from czscie.network.network import Network
from czscie.pbs import standalone
from czscie.pbs.assets import Asset
from czscie.pbs.distribution import Distribution
from czscie.platforms import Platform

if TYPE_CHECKING:
    from czscie.console import Console


class Source(Protocol):
    """A CPython that is pinned; nothing is downloaded yet but an index.

    `digest` is the SHA-256, in hexadecimal, of the archive or, for a directory, of its tree: what caches go
    by. `description` is for people, `url` says where it comes from and holds no secrets. `size` is that of
    the archive or the tree in bytes, None where nobody knows it yet.
    """

    @property
    def digest(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def size(self) -> int | None: ...

    def load(self, console: Console | None = None) -> Distribution:
        """Fetch what is not in the cache, verify it, read it. Raises CzscieError."""
        ...


class Provider:
    """Resolves the interpreters of one build, each once.

    `console` hears of retries; None says nothing. `network` is what the environment says when None.
    """

    def __init__(
        self,
        console: Console | None = None,
        network: Network | None = None,
    ) -> None:
        self._standalone = standalone.PythonBuildStandalone(console, network)
        self._resolved: dict[tuple[Interpreter, Platform], Source] = {}

    def pinned(
        self,
        interpreter: PythonBuildStandalone,
        platform: Platform,
        asset: Asset,
        digest: str,
        size: int | None,
        url: str | None,
    ) -> standalone.StandaloneSource:
        """The CPython that is known to be `asset`, with the SHA-256 `digest`; nobody is asked.

        It is at `url`, unless a mirror is named. Raises CzscieError for a mirror that is no URL.
        """
        return self._standalone.pinned(platform, asset, digest, size, url, interpreter.base_url)

    def resolve(self, interpreter: Interpreter, platform: Platform) -> Source:
        """The CPython that `interpreter` means on `platform`. Raises CzscieError when there is none."""
        key = interpreter, platform
        if key not in self._resolved:
            self._resolved[key] = self._resolve(interpreter, platform)
        return self._resolved[key]

    def _resolve(self, interpreter: Interpreter, platform: Platform) -> Source:
        match interpreter:
            case PythonBuildStandalone(libc=libc) if libc not in (None, platform.libc) and platform.libc:
                raise CzscieError(
                    f"the interpreter {interpreter.id!r} is for {libc}, the platform {platform.name} is not",
                    mend=f'leave out libc = "{libc}" and say it in platforms, such as "musl-linux-x86_64"',
                )
            case PythonBuildStandalone(version=version, release=release, flavor=flavor, base_url=base_url):
                return self._standalone.resolve(platform, version, release, flavor, base_url)
            case Host():
                from czscie.pbs.host import resolve_host

                return resolve_host(platform)
            case Local(path=path):
                from czscie.pbs.local import resolve_local

                return resolve_local(path, platform)
            case PyPy():
                raise CzscieError(
                    f"the interpreter {interpreter.id!r} is PyPy", why="this version builds with CPython only"
                )
