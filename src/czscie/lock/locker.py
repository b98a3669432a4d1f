"""Makes the lock of a lift: keeps what an older one still covers, and resolves the rest."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import msgspec

from czscie import toolchain
from czscie.czex.inline_metadata import InlineMetadata
from czscie.errors import CzscieError
from czscie.filesystem import path_digest
from czscie.interpreters import traits_of
from czscie.launchers.build import source_digest
from czscie.launchers.provide import provide_launcher
from czscie.lift.interpreter import Interpreter
from czscie.lift.lift import Lift
from czscie.lock.builder import UNBUILT, Builder
from czscie.lock.current_inputs import CREATED_BY, CurrentInputs
from czscie.lock.differences import Differences, check_online, differences
from czscie.lock.extra_wheels import wanted_extra_wheels
from czscie.lock.inventory.inventory import current
from czscie.lock.inventory.launcher import programs_for
from czscie.lock.lock import Lock, LockedInterpreter, LockedLauncher, LockedLaunchers
from czscie.lock.project import Project
from czscie.lock.requested import requested_by
from czscie.lock.resolver import Resolver
from czscie.lock.targets import targets_of
from czscie.lock.upgrade import OWN, Upgrade
from czscie.network.size import sizes
from czscie.platforms import Platform, current_platform
from czscie.session import Session


@dataclass(frozen=True, slots=True)
class Locker:
    """Locks one lift.

    `provider` and `network` say where to resolve, `builder` which build backends may run.
    """

    lift: Lift
    session: Session
    builder: Builder

    @property
    def _resolver(self) -> Resolver:
        return Resolver(self.lift, self.session, self.builder)

    def changes(self, lock: Lock | None, targets: Sequence[Platform]) -> tuple[str, ...]:
        """What locking would change, a line per change; empty when `lock` covers everything for `targets`.

        It contacts no server, but runs the build backends of a project and of directories that changed, if
        the builder may. Raises CzscieError.
        """
        found = differences(lock, self._now(lock, targets), _names(targets)).words
        if found or lock is None:
            return found
        project = self._resolver.project(targets_of(self.lift, lock, targets))
        changes = () if project is None else _changes_of_project(lock, project)
        directories = self._resolver.changed_directories(lock)
        return (*changes, *(f"{name} builds a different wheel from its directory" for name in directories))

    def lock(
        self, old: Lock | None, targets: Sequence[Platform], upgrade: Upgrade | None = None, *, prune: bool
    ) -> Lock:
        """The lock for `targets`, and for the other platforms what `old` still answers, if the manifest names
        them or not `prune`. What of launchers is not pinned yet is left to `with_launchers`. Raises
        CzscieError when there is no answer.
        """
        upgrade = upgrade or Upgrade()
        now = self._now(old, targets)
        found = differences(old, now, _names(targets))
        lock = msgspec.structs.replace(
            now.known,
            launcher=self._launcher(old, now, upgrade, prune=prune),
            libraries=self._libraries(old, now, upgrade),
            interpreters=self._interpreters(old, now, found, targets, upgrade, prune=prune),
        )
        lock = self._resolver.with_provisions(lock, old, found, targets, upgrade)
        if not now.is_resolved:
            return lock
        return self._resolver.with_packages(lock, old, found, targets, upgrade)

    def _now(self, lock: Lock | None, targets: Sequence[Platform]) -> CurrentInputs:
        """The inputs as they are now. Raises CzscieError for what is missing or cannot be read."""
        return CurrentInputs(
            Lock(
                created_by=CREATED_BY,
                launcher=LockedLaunchers(source=source_digest()),
                manifest=requested_by(self.lift, self._requires(lock)),
                interpreters=tuple(self._interpreters_of_this_machine(targets)),
                **current(self.lift),
            ),
            wanted_extra_wheels(self.lift),
            {platform.name: programs_for(self.lift, platform) for platform in self.lift.platforms},
        )

    def _requires(self, lock: Lock | None) -> tuple[str, ...] | None:
        """The requirements of the payload's script or project. For a project, `lock` has them."""
        payload = self.lift.payload
        if payload is not None and payload.script is not None:
            return InlineMetadata.read(payload.script).requirements
        if payload is None or payload.project is None or lock is None or lock.manifest.payload is None:
            return None
        return lock.manifest.payload.requires

    def _interpreters_of_this_machine(self, targets: Sequence[Platform]) -> Iterator[LockedInterpreter]:
        for interpreter in self.lift.interpreters:
            for platform in targets if interpreter.OF_THIS_MACHINE else ():
                source = self.session.provider.resolve(interpreter, platform)
                python = traits_of(source, platform).layout.implementation
                yield LockedInterpreter.of(interpreter, platform, source.pin, str(python))

    def with_launchers(self, lock: Lock, targets: Sequence[Platform]) -> Lock:
        """The lock with the launchers for `targets`, compiled now where they never were.

        One that cannot be made here is not locked: it takes a compiler, and other platforms may not need it.
        """
        found = {each.name: each for each in lock.launcher.binaries}
        wanted = (programs_for(self.lift, platform) for platform in targets)
        for name in dict.fromkeys(chain.from_iterable(wanted)):
            if name in found:
                continue
            try:
                here = self.session.network.without_directories()
                path = provide_launcher(name, self.session.console, here)
            except CzscieError as error:
                self.session.console.warn(f"the launcher for {name} is not locked: {error.what}")
                continue
            found[name] = LockedLauncher(name=name, sha256=path_digest(path), size=path.stat().st_size)
        launcher = LockedLaunchers(source=lock.launcher.source, binaries=tuple(found.values()))
        return msgspec.structs.replace(lock, launcher=launcher)

    def _libraries(self, old: Lock | None, now: CurrentInputs, upgrade: Upgrade) -> dict[str, str]:
        """The versions in `old`, if this czscie wrote it. A build does not lock the installed versions by
        itself.
        """
        mine = old is not None and old.created_by == now.known.created_by and not upgrade.covers(OWN)
        return (dict(old.libraries) if old is not None and mine else {}) or dict(toolchain.libraries())

    def _launcher(
        self, old: Lock | None, now: CurrentInputs, upgrade: Upgrade, *, prune: bool
    ) -> LockedLaunchers:
        """The launcher in `old`, if it was compiled from the same source."""
        if old is None or old.launcher.source != now.known.launcher.source or upgrade.covers(OWN):
            return LockedLaunchers(source=now.known.launcher.source)
        named = {*chain.from_iterable(now.programs.values())}
        kept = tuple(each for each in old.launcher.binaries if each.name in named or not prune)
        return LockedLaunchers(source=now.known.launcher.source, binaries=kept)

    # Interpreters.

    def _interpreters(
        self,
        old: Lock | None,
        now: CurrentInputs,
        found: Differences,
        targets: Sequence[Platform],
        upgrade: Upgrade,
        *,
        prune: bool,
    ) -> tuple[LockedInterpreter, ...]:
        named = {platform.name for platform in self.lift.platforms}
        kept = [
            each
            for each in (() if old is None else old.interpreters)
            if old is not None
            and now.requested.interpreters.get(each.id) == old.manifest.interpreters.get(each.id)
            and (each.id, each.platform) not in found.interpreters
            and not upgrade.covers(each.id)
            and (each.platform in named or each.helper or not prune)
        ]
        wanted = [(each, platform) for each in self.lift.interpreters for platform in targets]
        helpers = self._helpers(targets)
        new: list[LockedInterpreter] = []
        for interpreter, platform in (*wanted, *helpers):
            if any((each.id, each.platform) == (interpreter.id, platform.name) for each in (*kept, *new)):
                continue
            here = now.known.interpreter(interpreter.id, platform.name)
            if here is not None:
                new.append(here)
            elif not interpreter.OF_THIS_MACHINE:
                check_online(self.lift, self.session.network, found)
                is_helper = (interpreter, platform) in helpers
                if (locked := self._find(interpreter, platform, (*kept, *new), helper=is_helper)) is not None:
                    new.append(locked)
        return (*kept, *_as_before(old, new))

    def _helpers(self, targets: Sequence[Platform]) -> list[tuple[Interpreter, Platform]]:
        """The interpreters that pack modules on this machine, if it is not one of the platforms."""
        try:
            here = current_platform()
        except CzscieError:
            return []
        if here in targets or not self.lift.pack.stdlib or self.session.network.offline:
            return []
        return [
            (each, here) for each in self.lift.interpreters if each.IS_PACKED and not each.OF_THIS_MACHINE
        ]

    def _find(
        self,
        interpreter: Interpreter,
        platform: Platform,
        known: Sequence[LockedInterpreter],
        *,
        helper: bool,
    ) -> LockedInterpreter | None:
        """The interpreter for `platform`: preferably the release and version of the other platforms."""
        like = next((each for each in known if each.id == interpreter.id), None)
        wanted = [interpreter]
        if like is not None:
            same = interpreter.like(like.implementation.version, like.release, like.flavor)
            wanted = [same] if helper else [same, interpreter]
        for number, each in enumerate(wanted, 1):
            try:
                source = self.session.provider.resolve(each, platform)
            except CzscieError:
                if number == len(wanted) and not helper:
                    raise
                continue
            assert source.remote is not None and source.pin.version is not None
            [size] = sizes([source.remote], self.session.network, self.session.console)
            return LockedInterpreter.of(
                interpreter,
                platform,
                dataclasses.replace(source.pin, size=size),
                source.pin.version,
                helper=helper and platform not in self.lift.platforms,
            )
        return None


def _names(targets: Sequence[Platform]) -> tuple[str, ...]:
    return tuple(platform.name for platform in targets)


def _as_before(old: Lock | None, new: Sequence[LockedInterpreter]) -> list[LockedInterpreter]:
    """The new ones, with the stored facts about those that did not change."""
    before = {} if old is None else {(each.sha256, each.platform): each for each in old.interpreters}
    return [
        msgspec.structs.replace(
            each, attested=before[key].attested if (key := (each.sha256, each.platform)) in before else None
        )
        for each in new
    ]


def _changes_of_project(lock: Lock, project: Project) -> tuple[str, ...]:
    question = lock.manifest.payload
    found = []
    if question is not None and question.requires != project.requires_like(question.requires):
        found.append("the project's requirements changed")
    for platform, package in project.packages.items():
        [wheel] = package.built
        locked = {each for other in lock.packages_for(platform) for each in other.built}
        if wheel.sha256 != UNBUILT and wheel not in locked:
            found.append(f"the project {package.name} builds a different wheel")
    return tuple(dict.fromkeys(found))
