"""Resolves the packages of a lock: keeps what an older one still covers, and resolves the rest."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec

from czscie.czex.inline_metadata import InlineMetadata
from czscie.czex.target import Target
from czscie.errors import Code, CzscieError, problems_of, raise_all
from czscie.leftovers import scratch
from czscie.lift.lift import Lift
from czscie.lock.artifacts import as_package
from czscie.lock.builder import UNBUILT, Builder, check_wheel, remote_of
from czscie.lock.differences import Differences, check_online
from czscie.lock.extra_wheels import purpose, wanted_extra_wheels
from czscie.lock.lock import Lock, LockedPackage, LockedPayload
from czscie.lock.packages import grouped, narrowed, selected
from czscie.lock.pex_tool import Artifact, resolve
from czscie.lock.project import Project, build_project
from czscie.lock.project_requirements import group_requirements, with_extras
from czscie.lock.pylock import read_pylock
from czscie.lock.sdist import read_pyproject
from czscie.lock.targets import targets_of
from czscie.lock.upgrade import Upgrade
from czscie.lock.uv_settings import local_sources, with_sources
from czscie.network.size import sizes
from czscie.network.url import without_secrets
from czscie.platforms import Platform, find_platform
from czscie.session import Session


@dataclass(frozen=True, slots=True)
class Resolver:
    """Resolves the packages of one lift.

    `network` says where its files are, and whether it may be used. `builder` handles projects without a
    wheel.
    """

    lift: Lift
    session: Session
    builder: Builder

    @property
    def _directory(self) -> Path:
        return self.lift.path.parent.absolute()

    def with_packages(
        self,
        lock: Lock,
        old: Lock | None,
        found: Differences,
        targets: Sequence[Platform],
        upgrade: Upgrade,
    ) -> Lock:
        """`lock` with the packages of its payload."""
        wanted = targets_of(self.lift, lock, targets)
        self._check_script(wanted)
        project = self.project(wanted)
        question = lock.manifest.payload
        assert question is not None
        if project is not None:
            question = msgspec.structs.replace(question, requires=_requires(project, old))
        anew = (
            upgrade.everything
            or bool(upgrade.names.intersection(each.name for each in _packages(old)))
            or bool(self.changed_directories(old))
        )
        resolved: dict[str, tuple[LockedPackage, ...]] = {}
        if old is not None and old.payload is not None and old.manifest.payload == question and not anew:
            kept = [name for name in old.payload.platforms if name not in found.payload]
            for target in targets_of(self.lift, lock, [find_platform(name) for name in kept]):
                resolved[target.platform.name] = tuple(map(self._as_now, narrowed(selected(old, target))))
        missing = [target for target in wanted if target.platform.name not in resolved]
        if missing:
            versions = _versions(old, upgrade)
            requirements = question.requirements or self._with_extras(question.requires or (), project)
            resolved |= self._resolve(missing, requirements, versions, found)
        if project is not None:
            resolved = _with_project(resolved, project)
        payload = LockedPayload(
            sha256=None if lock.payload is None else lock.payload.sha256, platforms=tuple(sorted(resolved))
        )
        packages = self._with_sizes(grouped(resolved), old)
        manifest = msgspec.structs.replace(lock.manifest, payload=question)
        return msgspec.structs.replace(lock, manifest=manifest, payload=payload, packages=packages)

    def with_provisions(
        self,
        lock: Lock,
        old: Lock | None,
        found: Differences,
        targets: Sequence[Platform],
        upgrade: Upgrade,
    ) -> Lock:
        """`lock` with the wheels that czscie adds: one per project, for all platforms.

        Raises CzscieError when a project has no wheel that every platform can use.
        """
        wanted = wanted_extra_wheels(self.lift)
        kept = [
            each
            for each in (() if old is None else old.provisions)
            if each.name in wanted and not upgrade.covers(each.name)
        ]
        missing = [name for name in wanted if name not in {each.name for each in kept}]
        of = targets_of(self.lift, lock, targets)[:1]
        if missing and of:
            check_online(self.lift, self.session.network, found)
            with (
                self.session.console.phase(
                    f"Resolving {', '.join(missing)}", f"Resolved {', '.join(missing)}"
                ),
                scratch() as temporary,
            ):
                artifacts = resolve(missing, of, {}, temporary, indexes=self.builder.indexes)[of[0].platform]
            new = [self._provision(artifact) for artifact in artifacts]
            kept += self._with_sizes(new, old)
        return msgspec.structs.replace(lock, provisions=tuple(kept))

    def _provision(self, artifact: Artifact) -> LockedPackage:
        package = as_package(artifact, self._directory, self.builder)
        if not any(wheel.name.endswith("-none-any.whl") for wheel in package.wheels):
            raise CzscieError(
                f"{package.name} {package.version}, which {purpose(package.name)}, has no wheel for every "
                "platform",
                code=Code.WHEELS_LACKING,
                why=f"the index has {without_secrets(artifact.url)}",
            )
        return package

    def _check_script(self, targets: Sequence[Target]) -> None:
        script = None if self.lift.payload is None else self.lift.payload.script
        if script is None:
            return
        python = InlineMetadata.read(script).requires_python
        for target in targets:
            if not python.contains(target.implementation.version, prereleases=True):
                raise CzscieError(
                    f"{script.name} does not run with {target.implementation.full_name}",
                    code=Code.PYTHON_REFUSED,
                    why=f'its requires-python is "{python}"',
                    hint="choose another version in [[lift.interpreters]]",
                    option="choose another: --python VERSION",
                )

    def project(self, targets: Sequence[Target]) -> Project | None:
        """The payload's project as it builds now. Without a network it is as it was locked: to build it may
        take one.
        """
        payload = self.lift.payload
        if payload is None or payload.project is None or self.session.network.offline:
            return None
        if (
            not (payload.project / "pyproject.toml").is_file()
            and not (payload.project / "setup.py").is_file()
        ):
            raise CzscieError(
                f"there is no project at {payload.project}",
                code=Code.PROGRAM_UNKNOWN,
                why="it has no pyproject.toml and no setup.py",
            )
        project = build_project(payload.project, targets, self._directory, self.builder)
        if project.requires is None:
            return project
        groups = group_requirements(payload.project, payload.groups)
        return dataclasses.replace(project, requires=(*project.requires, *groups))

    def _with_extras(self, requirements: Sequence[str], project: Project | None) -> Sequence[str]:
        """The requirements of the payload's project with the extras that the manifest names, and with the
        directories that uv takes them from.
        """
        payload = self.lift.payload
        if payload is None or payload.project is None or project is None:
            return requirements
        name = next((each.name for each in project.packages.values()), "")
        provided = read_pyproject(payload.project).get("project", {}).get("optional-dependencies", {})
        chosen = with_extras(requirements, name, payload.extras, provided)
        return with_sources(chosen, local_sources(payload.project))

    def changed_directories(self, lock: Lock | None) -> tuple[str, ...]:
        """The packages of `lock` whose directories build other wheels now than when they were locked.

        Without a network they are as they were locked, like a project. Raises CzscieError.
        """
        payload = self.lift.payload
        if payload is None or self.session.network.offline:
            return ()
        project = None if payload.project is None else payload.project.resolve()
        return tuple(
            package.name
            for package in _packages(lock)
            if package.directory is not None
            and (source := self.builder.source_of(package)).is_dir()
            and source.resolve() != project
            and not _builds_the_same(package, self.builder.package(package))
        )

    def _as_now(self, package: LockedPackage) -> LockedPackage:
        """The package; with a stand-in for its wheel if its directory changed and no backend may run."""
        if self.builder.runs or package.directory is None or self.session.network.offline:
            return package
        if not self.builder.source_of(package).is_dir():
            return package
        now = self.builder.package(package)
        return now if now.built[0].sha256 == UNBUILT else package

    def _resolve(
        self,
        targets: Sequence[Target],
        requirements: Sequence[str],
        versions: Mapping[str, str],
        found: Differences,
    ) -> dict[str, tuple[LockedPackage, ...]]:
        payload = self.lift.payload
        assert payload is not None
        artifacts: dict[Platform, tuple[Artifact, ...]]
        if payload.lock is not None:
            artifacts = {}

            def read(path: Path, target: Target) -> None:
                artifacts[target.platform] = read_pylock(path, target)

            raise_all(problems_of(partial(read, payload.lock, target) for target in targets))
        else:
            if (requirements or payload.project is not None) and not self.builder.indexes.is_local:
                check_online(self.lift, self.session.network, found)
            names = ", ".join(_names_of(targets))
            with (
                self.session.console.phase(
                    f"Resolving the payload for {names}", f"Resolved the payload for {names}"
                ),
                scratch() as temporary,
            ):
                asked = payload.requirements if payload.requirements is not None else requirements
                artifacts = resolve(asked, targets, versions, temporary, self.builder, self.builder.indexes)
        packages = {
            target: tuple(
                as_package(artifact, self._directory, self.builder) for artifact in artifacts[target.platform]
            )
            for target in targets
        }
        pairs = [(package, target) for target in targets for package in packages[target]]
        raise_all(problems_of(partial(check_wheel, *pair) for pair in pairs))
        for package, target in pairs if self.builder.runs else ():
            if package.built:
                self.session.console.warn(
                    f"{package.name} {package.version} has no wheel for {target.platform.name}: it is built "
                    "from source, which may give different bytes on other machines (czscie vendor includes "
                    "the wheel)"
                )
        return {target.platform.name: packages[target] for target in targets}

    def _with_sizes(self, packages: Sequence[LockedPackage], old: Lock | None) -> tuple[LockedPackage, ...]:
        """The packages with the sizes of the files that have to be downloaded."""
        before = () if old is None else (*old.packages, *old.provisions)
        known = {wheel.sha256: wheel.size for package in before for wheel in package.wheels}
        unknown = [
            wheel for package in packages for wheel in package.wheels if known.get(wheel.sha256) is None
        ]
        asked = sizes(
            [remote_of(each, self._directory) for each in unknown], self.session.network, self.session.console
        )
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


def _builds_the_same(locked: LockedPackage, now: LockedPackage) -> bool:
    """Whether the wheel that is built now is locked, or unknown because no backend may run."""
    [wheel] = now.built
    return wheel.sha256 == UNBUILT or wheel in locked.built


def _requires(project: Project, old: Lock | None) -> tuple[str, ...]:
    """The project's requirements; those in the lock if they mean the same, or are not known now."""
    before = None if old is None else old.manifest.payload
    return project.requires_like(None if before is None else before.requires) or ()


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


def _with_project(
    resolved: Mapping[str, tuple[LockedPackage, ...]], project: Project
) -> dict[str, tuple[LockedPackage, ...]]:
    """The packages with the project's own; platforms whose project nobody built are left out."""
    return {
        platform: (*(each for each in packages if each.name != package.name), package)
        for platform, packages in resolved.items()
        if (package := project.package_for(platform)) is not None
    }


def _names_of(targets: Sequence[Target]) -> tuple[str, ...]:
    return tuple(target.platform.name for target in targets)
