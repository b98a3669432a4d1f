"""Resolves the interpreters of the manifest, with the provider that each names."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from czscie.errors import Code, CzscieError
from czscie.lift.interpreter import Host, Interpreter, Local, PyPy, PythonBuildStandalone
from czscie.network.network import Network
from czscie.network.remote import Remote
from czscie.pbs import pypy, standalone
from czscie.pbs.distribution import Distribution
from czscie.pbs.pin import Pin
from czscie.platforms import PLATFORMS, Platform

if TYPE_CHECKING:
    from czscie.console import Console

Asked = TypeVar("Asked", bound=Interpreter)


class Source(Protocol):
    """A Python that is pinned; nothing is downloaded yet but an index.

    `digest` is the SHA-256, in hexadecimal, of the archive or, if it `is_tree`, of a tree of files: what
    caches go by. `description` is for people, `url` says where it comes from and holds no secrets. `size` is
    that of the archive or the tree in bytes, None if it is unknown yet. `remote` is what is downloaded,
    None where it is on this machine. `root` is the directory that archives have everything in. `pin` is what
    a lock says of it.
    """

    @property
    def digest(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def size(self) -> int | None: ...
    @property
    def remote(self) -> Remote | None: ...
    @property
    def is_tree(self) -> bool: ...
    @property
    def root(self) -> str: ...
    @property
    def pin(self) -> Pin: ...

    def load(self, console: Console | None = None) -> Distribution:
        """Fetch what is not in the cache, verify it, read it. Raises CzscieError."""
        ...


class Origin(ABC, Generic[Asked]):
    """The Pythons of one provider of the manifest; each is resolved once."""

    def __init__(self) -> None:
        self._found: dict[tuple[Asked, Platform], Source] = {}

    def resolve(self, interpreter: Asked, platform: Platform) -> Source:
        """The Python of `interpreter` for `platform`. Raises CzscieError when there is none."""
        key = interpreter, platform
        if key not in self._found:
            self._found[key] = self._find(interpreter, platform)
        return self._found[key]

    def pinned(self, interpreter: Asked, platform: Platform, pin: Pin) -> Source:
        """The Python that a lock pins, without a server. Raises CzscieError if it changed here."""
        source = self.resolve(interpreter, platform)
        if source.digest != pin.sha256:
            raise CzscieError(
                f"the interpreter {interpreter.id} of this machine differs from the lock",
                code=Code.LOCK_DIFFERS,
                why=f"{source.description} from {source.url}",
                hint="run czscie lock to pin it",
            )
        return source

    @abstractmethod
    def _find(self, interpreter: Asked, platform: Platform) -> Source: ...


class _Standalone(Origin[PythonBuildStandalone]):
    def __init__(self, network: Network, console: Console | None) -> None:
        super().__init__()
        self._standalone = standalone.StandaloneOrigin(network, console)

    def pinned(self, interpreter: PythonBuildStandalone, platform: Platform, pin: Pin) -> Source:
        return self._standalone.pinned(_with_libc(interpreter, platform), pin, interpreter.base_url)

    def _find(self, interpreter: PythonBuildStandalone, platform: Platform) -> Source:
        return self._standalone.resolve(
            _with_libc(interpreter, platform),
            interpreter.version,
            interpreter.release,
            interpreter.flavor,
            interpreter.base_url,
        )


def _with_libc(interpreter: PythonBuildStandalone, platform: Platform) -> Platform:
    """A Linux `platform` with the libc that the manifest asks for. Raises CzscieError when there is none."""
    libc = interpreter.libc
    if libc in (None, platform.libc) or not platform.libc:
        return platform
    same = (each for each in PLATFORMS if each.launcher == platform.launcher)
    found = next((each for each in same if each.libc == libc), None)
    if found is None:
        raise CzscieError(
            f"the interpreter {interpreter.id} is for {libc}, and there is none for {platform.name}",
            code=Code.INTERPRETER_NOT_RELEASED,
            hint=f'leave out libc = "{libc}"',
        )
    return found


class _Host(Origin[Host]):
    def _find(self, interpreter: Host, platform: Platform) -> Source:
        from czscie.pbs.host import resolve_host

        return resolve_host(platform)


class _Local(Origin[Local]):
    def _find(self, interpreter: Local, platform: Platform) -> Source:
        from czscie.pbs.local import resolve_local

        return resolve_local(interpreter.path, platform)


class _PyPy(Origin[PyPy]):
    def __init__(self, network: Network, console: Console | None) -> None:
        super().__init__()
        self._pypy = pypy.PyPyOrigin(network, console)

    def pinned(self, interpreter: PyPy, platform: Platform, pin: Pin) -> Source:
        return self._pypy.pinned(platform, pin, interpreter.base_url)

    def _find(self, interpreter: PyPy, platform: Platform) -> Source:
        return self._pypy.resolve(platform, interpreter.version, interpreter.release, interpreter.base_url)


class Provider:
    """Resolves the interpreters of one build, each once, with any provider.

    `console` gets retries; None prints nothing. `network` defaults to the settings of the environment.
    """

    def __init__(self, network: Network, console: Console | None = None) -> None:
        self._origins: Mapping[str, Origin[Any]] = {
            PythonBuildStandalone.PROVIDER: _Standalone(network, console),
            Host.PROVIDER: _Host(),
            Local.PROVIDER: _Local(),
            PyPy.PROVIDER: _PyPy(network, console),
        }

    def resolve(self, interpreter: Interpreter, platform: Platform) -> Source:
        """The Python that `interpreter` means on `platform`. Raises CzscieError when there is none."""
        return self._origins[interpreter.PROVIDER].resolve(interpreter, platform)

    def pinned(self, interpreter: Interpreter, platform: Platform, pin: Pin) -> Source:
        """The Python that a lock pins; no server is asked. Raises CzscieError when this machine has another
        one, or for a mirror that is no URL.
        """
        return self._origins[interpreter.PROVIDER].pinned(interpreter, platform, pin)
