"""What one run of czscie works with."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from czscie.console import Console
from czscie.network.network import Network
from czscie.pbs.provider import Provider
from czscie.vendor_directory import open_vendor


@dataclass(frozen=True, slots=True)
class Session:
    """Where a run tells what it does, what it may reach, and the interpreters that it has resolved so far.

    `files` are paths of files to take for a manifest's, by their ids. With `release` the parts are compressed
    as hard as pays, whatever the manifest says. `inverted` are ids of what is to be embedded if it is lazy in
    the manifest, and the other way round.
    """

    console: Console
    network: Network
    provider: Provider
    files: Mapping[str, Path] = field(default_factory=dict)
    release: bool = False
    inverted: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        console: Console | None = None,
        *,
        offline: bool = False,
        vendor: Path | None = None,
        files: Mapping[str, Path] | None = None,
        release: bool = False,
        inverted: Sequence[str] = (),
        environ: Mapping[str, str] = os.environ,
    ) -> Session:
        """What the environment and three options say.

        Without `console` nothing is printed. `offline` opens no network connection. `vendor` is a directory
        that `czscie vendor` wrote: its files are taken in place of downloads. Raises CzscieError when it is
        not one, or a variable of the environment is invalid.
        """
        directories = () if vendor is None else open_vendor(vendor)
        network = Network.of(environ, directories, offline=offline)
        session = cls.on(
            Console(silent=True) if console is None else console, network, files, release=release
        )
        return replace(session, inverted=tuple(inverted))

    @classmethod
    def on(
        cls,
        console: Console,
        network: Network,
        files: Mapping[str, Path] | None = None,
        *,
        release: bool = False,
    ) -> Session:
        """A session that has resolved no interpreter yet."""
        return cls(console, network, Provider(network, console), files or {}, release=release)
