"""The lock of a manifest that moves to another directory: its paths are relative to that."""

from __future__ import annotations

from pathlib import Path

import msgspec

from czscie.lift.package_indexes import is_link_url
from czscie.lock.lock import Lock, LockedPackage, LockedWheel, RequestedInterpreter, RequestedPayload
from czscie.lock.requested import relative


def moved(lock: Lock, before: Path, now: Path) -> Lock:
    """`lock` of a manifest in the directory `before`, for the same manifest in `now`; both are absolute."""
    move = _Move(before, now)
    payload = lock.manifest.payload
    manifest = msgspec.structs.replace(
        lock.manifest,
        interpreters={name: move.interpreter(each) for name, each in lock.manifest.interpreters.items()},
        payload=None if payload is None else move.payload(payload),
    )
    return msgspec.structs.replace(
        lock,
        manifest=manifest,
        provisions=tuple(map(move.package, lock.provisions)),
        packages=tuple(map(move.package, lock.packages)),
    )


class _Move:
    def __init__(self, before: Path, now: Path) -> None:
        self._before = before
        self._now = now

    def interpreter(self, asked: RequestedInterpreter) -> RequestedInterpreter:
        return msgspec.structs.replace(asked, path=self._path(asked.path))

    def payload(self, asked: RequestedPayload) -> RequestedPayload:
        return msgspec.structs.replace(
            asked,
            pex=self._path(asked.pex),
            project=self._path(asked.project),
            script=self._path(asked.script),
            lock=self._path(asked.lock),
            find_links=None if asked.find_links is None else tuple(map(self._link, asked.find_links)),
            sources=None
            if asked.sources is None
            else {name: self._path(each) for name, each in asked.sources.items()},
        )

    def package(self, package: LockedPackage) -> LockedPackage:
        sdist, directory = package.sdist, package.directory
        return msgspec.structs.replace(
            package,
            wheels=tuple(map(self._wheel, package.wheels)),
            sdist=None if sdist is None else msgspec.structs.replace(sdist, path=self._path(sdist.path)),
            directory=None
            if directory is None
            else msgspec.structs.replace(directory, path=self._path(directory.path)),
        )

    def _wheel(self, wheel: LockedWheel) -> LockedWheel:
        return msgspec.structs.replace(wheel, path=self._path(wheel.path))

    def _link(self, link: str) -> str | None:
        return link if is_link_url(link) else self._path(link)

    def _path(self, path: str | None) -> str | None:
        return None if path is None else relative(self._before / path, self._now)
