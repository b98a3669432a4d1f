"""Makes a lock of a lift: what an older one still answers stays, the rest is found out."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from czscie.console import Console
from czscie.czex.inline_metadata import InlineMetadata
from czscie.czex.target import Target
from czscie.errors import CzscieError
from czscie.lift.interpreter import PythonBuildStandalone
from czscie.lift.lift import Lift
from czscie.lock.artifacts import as_package
from czscie.lock.differences import Differences, differences
from czscie.lock.lock import Launcher, Lock, LockedInterpreter, LockedPackage, LockedPayload, lock_path
from czscie.lock.now import Now
from czscie.lock.packages import grouped, narrowed, selected
from czscie.lock.pex_tool import Artifact, default_glibc, resolve
from czscie.lock.project import Project, build_project
from czscie.lock.pylock import read_pylock
from czscie.lock.sources import layout_of, locked_asset
from czscie.lock.wheels import remote_of
from czscie.network.network import Network
from czscie.network.size import sizes
from czscie.pbs.provider import Provider
from czscie.pbs.standalone import StandaloneSource
from czscie.platforms import Platform, current_platform, find_platform


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What is found out again though it is locked: everything, or interpreters and packages by name."""

    everything: bool = False
    names: frozenset[str] = frozenset()

    def covers(self, name: str) -> bool:
        return self.everything or name in self.names


@dataclass(frozen=True, slots=True)
class Locker:
    """Locks one lift; `provider` and `network` say where answers come from."""

    lift: Lift
    provider: Provider
    network: Network
    console: Console
    _directory: Path = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_directory", self.lift.path.parent.absolute())

    def changes(self, lock: Lock | None, targets: Sequence[Platform]) -> tuple[str, ...]:
        """What locking would change, in words, a line each; nothing when `lock` answers all that is asked for
        `targets`. No server is asked, but the build backend of a project that changed. Raises CzscieError.
        """
        found = differences(lock, self._now(lock, targets), _names(targets)).words
        if found or lock is None:
            return found
        project = self._project(_targets(self.lift, lock, targets))
        return () if project is None else tuple(_changes_of_project(lock, project))

    def lock(
        self, old: Lock | None, targets: Sequence[Platform], upgrade: Upgrade | None = None, *, prune: bool
    ) -> Lock:
        """The lock for `targets`, and for the other platforms what `old` still answers, if the manifest names
        them or not `prune`. Raises CzscieError when there is no answer.
        """
        upgrade = upgrade or Upgrade()
        now = self._now(old, targets)
        found = differences(old, now, _names(targets))
        lock = Lock(
            created_by=now.created_by,
            launcher=Launcher(source=now.launcher),
            manifest=now.question,
            interpreters=self._interpreters(old, now, found, targets, upgrade, prune=prune),
            files=now.files,
            payload=None if self.lift.payload is None else LockedPayload(sha256=now.payload),
        )
        if not now.is_resolved:
            return lock
        return self._with_packages(lock, old, found, targets, upgrade)

    def _now(self, lock: Lock | None, targets: Sequence[Platform]) -> Now:
        requires = None if lock is None or lock.manifest.payload is None else lock.manifest.payload.requires
        is_project = self.lift.payload is not None and self.lift.payload.project is not None
        return Now.of(self.lift, targets, self.provider, requires if is_project else None)

    # Interpreters.

    def _interpreters(
        self,
        old: Lock | None,
        now: Now,
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
            and now.question.interpreters.get(each.id) == old.manifest.interpreters.get(each.id)
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
            here = now.interpreters.get((interpreter.id, platform.name))
            if here is not None:
                new.append(here)
            elif isinstance(interpreter, PythonBuildStandalone):
                self._check_online(found)
                is_helper = (interpreter, platform) in helpers
                if (locked := self._find(interpreter, platform, (*kept, *new), helper=is_helper)) is not None:
                    new.append(locked)
        return (*kept, *_as_before(old, new))

    def _helpers(self, targets: Sequence[Platform]) -> list[tuple[PythonBuildStandalone, Platform]]:
        """The interpreters that pack modules on this machine, where it is none of the platforms."""
        try:
            here = current_platform()
        except CzscieError:
            return []
        if here in targets or not self.lift.pack.stdlib or (self.network.offline):
            return []
        return [(each, here) for each in self.lift.interpreters if isinstance(each, PythonBuildStandalone)]

    def _find(
        self,
        interpreter: PythonBuildStandalone,
        platform: Platform,
        known: Sequence[LockedInterpreter],
        *,
        helper: bool,
    ) -> LockedInterpreter | None:
        """The interpreter for `platform`: the same release and version as for others, if there is such."""
        like = next((each for each in known if each.id == interpreter.id), None)
        wanted = [interpreter]
        if like is not None:
            version = like.version.removesuffix("t")
            same = dataclasses.replace(
                interpreter, version=version, release=like.release, flavor=like.flavor or interpreter.flavor
            )
            wanted = [same] if helper else [same, interpreter]
        for number, each in enumerate(wanted, 1):
            try:
                source = self.provider.resolve(each, platform)
            except CzscieError:
                if number == len(wanted) and not helper:
                    raise
                continue
            assert isinstance(source, StandaloneSource)
            [size] = sizes([source.remote], self.network, self.console)
            sized = dataclasses.replace(source, size=size)
            return locked_asset(
                interpreter, sized, platform, helper=helper and platform not in self.lift.platforms
            )
        return None

    # The payload.

    def _with_packages(
        self,
        lock: Lock,
        old: Lock | None,
        found: Differences,
        targets: Sequence[Platform],
        upgrade: Upgrade,
    ) -> Lock:
        """`lock` with the packages of its payload."""
        wanted = _targets(self.lift, lock, targets)
        self._check_script(wanted)
        project = self._project(wanted)
        question = lock.manifest.payload
        assert question is not None
        if project is not None:
            question = msgspec.structs.replace(question, requires=project.requires)
        anew = upgrade.everything or bool(upgrade.names.intersection(each.name for each in _packages(old)))
        resolved: dict[str, tuple[LockedPackage, ...]] = {}
        if old is not None and old.payload is not None and old.manifest.payload == question and not anew:
            kept = [name for name in old.payload.platforms if name not in found.payload]
            for target in _targets(self.lift, lock, [find_platform(name) for name in kept]):
                resolved[target.platform.name] = narrowed(selected(old, target))
        missing = [target for target in wanted if target.platform.name not in resolved]
        if missing:
            versions = _versions(old, upgrade)
            resolved |= self._resolve(
                missing, question.requirements or question.requires or (), versions, found
            )
        if project is not None:
            resolved = _with_project(resolved, project)
        payload = LockedPayload(
            sha256=None if lock.payload is None else lock.payload.sha256, platforms=tuple(sorted(resolved))
        )
        packages = self._with_sizes(grouped(resolved), old)
        manifest = msgspec.structs.replace(lock.manifest, payload=question)
        return msgspec.structs.replace(lock, manifest=manifest, payload=payload, packages=packages)

    def _check_script(self, targets: Sequence[Target]) -> None:
        script = None if self.lift.payload is None else self.lift.payload.script
        if script is None:
            return
        python = InlineMetadata.read(script).requires_python
        for target in targets:
            if not python.contains(target.layout.version, prereleases=True):
                raise CzscieError(
                    f"{script.name} does not run with CPython {target.layout.version}",
                    why=f'its requires-python is "{python}"',
                    mend="choose another version in [[lift.interpreters]]",
                )

    def _project(self, targets: Sequence[Target]) -> Project | None:
        payload = self.lift.payload
        if payload is None or payload.project is None:
            return None
        if (
            not (payload.project / "pyproject.toml").is_file()
            and not (payload.project / "setup.py").is_file()
        ):
            raise CzscieError(
                f"there is no project at {payload.project}", why="it has no pyproject.toml and no setup.py"
            )
        return build_project(payload.project, targets, self._directory, lock_path(self.lift.path))

    def _resolve(
        self,
        targets: Sequence[Target],
        requirements: Sequence[str],
        versions: Mapping[str, str],
        found: Differences,
    ) -> dict[str, tuple[LockedPackage, ...]]:
        payload = self.lift.payload
        assert payload is not None
        artifacts: Mapping[Platform, tuple[Artifact, ...]]
        if payload.lock is not None:
            artifacts = {target.platform: read_pylock(payload.lock, target) for target in targets}
        else:
            if requirements:
                self._check_online(found)
            with (
                self.console.phase(f"Resolved the payload for {', '.join(_names_of(targets))}"),
                tempfile.TemporaryDirectory(prefix="czscie-") as temporary,
            ):
                asked = payload.requirements if payload.requirements is not None else requirements
                artifacts = resolve(asked, targets, versions, Path(temporary))
        return {
            target.platform.name: tuple(
                as_package(artifact, target, self._directory, self.network, self.console)
                for artifact in artifacts[target.platform]
            )
            for target in targets
        }

    def _with_sizes(self, packages: Sequence[LockedPackage], old: Lock | None) -> tuple[LockedPackage, ...]:
        """The packages with the sizes of the files that have to be downloaded."""
        known = {wheel.sha256: wheel.size for package in _packages(old) for wheel in package.wheels}
        unknown = [
            wheel for package in packages for wheel in package.wheels if known.get(wheel.sha256) is None
        ]
        asked = sizes([remote_of(each, self._directory) for each in unknown], self.network, self.console)
        known |= {wheel.sha256: size for wheel, size in zip(unknown, asked, strict=True)}
        return tuple(
            msgspec.structs.replace(
                package,
                wheels=tuple(
                    msgspec.structs.replace(wheel, size=known[wheel.sha256]) for wheel in package.wheels
                ),
            )
            for package in packages
        )

    def _check_online(self, found: Differences) -> None:
        if self.network.offline:
            raise CzscieError(
                f"{lock_path(self.lift.path)} does not answer the manifest, and nobody may be asked",
                why=found.words,
                mend=f"run czscie lock {self.lift.path} where there is a network",
            )


def _names(targets: Sequence[Platform]) -> tuple[str, ...]:
    return tuple(platform.name for platform in targets)


def _names_of(targets: Sequence[Target]) -> tuple[str, ...]:
    return tuple(target.platform.name for target in targets)


def target_of(lift: Lift, lock: Lock, platform: Platform) -> Target | None:
    """What wheels of the payload are chosen for on `platform`; None when its interpreter is not locked."""
    payload = lift.payload
    locked = None if payload is None else lock.interpreter(payload.interpreter, platform.name)
    if payload is None or locked is None:
        return None
    return Target(platform, layout_of(locked, platform), payload.glibc or default_glibc(platform))


def _targets(lift: Lift, lock: Lock, platforms: Sequence[Platform]) -> list[Target]:
    found = (target_of(lift, lock, platform) for platform in platforms)
    return [target for target in found if target is not None]


def _packages(lock: Lock | None) -> tuple[LockedPackage, ...]:
    return () if lock is None else lock.packages


def _versions(old: Lock | None, upgrade: Upgrade) -> dict[str, str]:
    """The versions to keep, of projects that have the same one everywhere."""
    if upgrade.everything:
        return {}
    found: dict[str, set[str]] = {}
    for package in _packages(old):
        if package.directory is None and not upgrade.covers(package.name):
            found.setdefault(package.name, set()).add(package.version)
    return {name: versions.pop() for name, versions in found.items() if len(versions) == 1}


def _as_before(old: Lock | None, new: Sequence[LockedInterpreter]) -> list[LockedInterpreter]:
    """The new ones, with what was known of those that turn out to be the same."""
    before = {} if old is None else {(each.sha256, each.platform): each for each in old.interpreters}
    return [
        msgspec.structs.replace(
            each, attested=before[key].attested if (key := (each.sha256, each.platform)) in before else None
        )
        for each in new
    ]


def _with_project(
    resolved: Mapping[str, tuple[LockedPackage, ...]], project: Project
) -> dict[str, tuple[LockedPackage, ...]]:
    """The packages with the project's own; platforms whose project nobody built are left out."""
    return {
        platform: (*(each for each in packages if each.name != package.name), package)
        for platform, packages in resolved.items()
        if (package := project.package_for(platform)) is not None
    }


def _changes_of_project(lock: Lock, project: Project) -> list[str]:
    question = lock.manifest.payload
    found = []
    if question is not None and question.requires != project.requires:
        found.append("the project requires something else")
    for platform, package in project.packages.items():
        if package.built[0] not in {wheel for each in lock.packages_for(platform) for wheel in each.built}:
            found.append(f"the project {package.name} builds another wheel")
    return list(dict.fromkeys(found))
