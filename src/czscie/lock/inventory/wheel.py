"""The wheels of a payload: the resolved ones, and those that czscie adds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from packaging.utils import canonicalize_name

from czscie.container.manifest import PAYLOAD
from czscie.lift.bare import Bare
from czscie.lock.builder import UNBUILT, UNKNOWN_VERSION, Builder, remote_of
from czscie.lock.extra_wheels import SCRIPT_LAUNCHERS, locked_extra_wheels
from czscie.lock.inventory.input import Answer, Input, PlannedInput, Scope, planned_remote
from czscie.lock.inventory.licences import licences_of_wheel
from czscie.lock.lock import Lock, LockedPackage
from czscie.lock.packages import Chosen, selected
from czscie.lock.targets import target_of
from czscie.lock.wheels import wheel_files
from czscie.network.network import Network
from czscie.network.remote import Remote
from czscie.platforms import Platform
from czscie.sbom.bill import SCRIPTS
from czscie.sbom.component import WHEEL

if TYPE_CHECKING:
    from czscie.lock.inventory.comparison import Comparison, Evidence
    from czscie.scie.inspect import Contents

_ENTRY = re.compile(r"\.deps/(?P<name>[^/]+\.whl)(/.*)?")


@dataclass(frozen=True, slots=True)
class WheelInput(Input):
    """A wheel, whose paths are relative to `directory`. `added` marks one that czscie adds."""

    KIND: ClassVar[str] = "wheel"
    SECTION: ClassVar[Literal["payload"]] = "payload"
    DIRECTORY: ClassVar[str] = "wheels"

    chosen: Chosen
    directory: Path
    added: bool = False

    @classmethod
    def changes(cls, answer: Answer) -> Iterator[str]:
        """The added ones; the others follow from the payload's keys."""
        wanted = set(answer.now.extra_wheels)
        for name in sorted({each.name for each in answer.lock.provisions} ^ wanted):
            if name == SCRIPT_LAUNCHERS:
                yield f"scripts on Windows {'' if name in wanted else 'do not '}need {name}"
            else:
                yield f"lift.bare {'adds' if name in wanted else 'does not add'} {name}"

    @classmethod
    def of(cls, scope: Scope) -> Iterator[WheelInput]:
        payload = scope.lift.payload
        if payload is None:
            return
        for platform in scope.targets:
            target = target_of(scope.lift, scope.lock, platform)
            if payload.pex is None and target is not None:
                for chosen in selected(scope.lock, target):
                    yield cls(chosen, scope.directory)
            for chosen in locked_extra_wheels(scope.lift, scope.lock, platform):
                yield cls(chosen, scope.directory, added=True)

    @property
    def name(self) -> str:
        return self.chosen.package.name

    @property
    def version(self) -> str:
        return self.chosen.package.version

    @property
    def sha256(self) -> str:
        return self.chosen.wheel.sha256

    @property
    def remote(self) -> Remote:
        return remote_of(self.chosen.wheel, self.directory)

    def planned(self, network: Network) -> PlannedInput:
        package = self.chosen.package
        if self.sha256 == UNBUILT:
            if package.sdist is not None:
                return PlannedInput(name=package.source, state="build", sha256=package.sdist.hashes.sha256)
            name = package.name if self.version == UNKNOWN_VERSION else f"{package.name} {self.version}"
            return PlannedInput(name=name, state="build", sha256=UNBUILT)
        return planned_remote(self.remote, network, "build" if self.chosen.built else "download")

    def prepare(self, builder: Builder) -> None:
        if self.chosen.built:
            wheel_files([self.chosen], self.directory, builder)

    def licences(self, path: Path) -> Iterator[tuple[str, bytes]]:
        for name, text in licences_of_wheel(path):
            yield f"{self.name}-{self.version}/{name}", text

    @classmethod
    def compare(cls, found: Comparison, evidence: Evidence) -> None:
        there = dict.fromkeys(_wheels(evidence.contents))
        listed = {name: each for _, each in evidence.listed(PAYLOAD) if (name := each.properties.get(WHEEL))}
        for name in sorted(there.keys() ^ listed.keys()):
            fault = "does not list" if name in there else "lists, but the file lacks,"
            found.differences.append(f"the bill of materials {fault} the wheel {name}")
        packages, there = _expected(evidence, there)
        locked = {wheel.name: wheel.sha256 for package in packages for wheel in package.all_wheels}
        for name in sorted(there):
            if name not in locked:
                found.differences.append(f"the wheel {name} is not locked")
            elif name in listed:
                found.digests(f"the wheel {name}", listed[name].sha256, locked[name])
        for package in packages:
            if not any(wheel.name in there for wheel in package.all_wheels):
                found.differences.append(f"{package.name} {package.version} is locked, but not in the file")
        _compare_script_launchers(found, evidence)


def _expected(
    evidence: Evidence, there: dict[str, None]
) -> tuple[tuple[LockedPackage, ...], dict[str, None]]:
    """The packages of the lock for the executable, and the wheels of `there` that it pins."""
    packages = evidence.lock.packages_for(evidence.platform.name)
    own = {each.name for each in packages}
    added = [each for each in _provisions(evidence.lock, evidence.platform) if each.name not in own]
    asked = evidence.lock.manifest.payload
    if asked is not None and asked.pex:
        # It pins its wheels, and what it has itself is not added.
        names = {wheel.name for package in added for wheel in package.all_wheels}
        theirs = {_project(name) for name in there.keys() - names}
        added = [each for each in added if each.name not in theirs]
        there = dict.fromkeys(name for name in there if name in names)
    return (*packages, *added), there


def _compare_script_launchers(found: Comparison, evidence: Evidence) -> None:
    """Without scripts on Windows a payload has no script launchers, even if the lock pins them."""
    listed = evidence.bill.get(f"{SCRIPTS}/{SCRIPT_LAUNCHERS}")
    if listed is None:
        return
    provisions = [each for each in evidence.lock.provisions if each.name == SCRIPT_LAUNCHERS]
    locked = [wheel for each in provisions for wheel in each.wheels]
    if not locked:
        found.differences.append(f"{SCRIPT_LAUNCHERS} is not locked")
    else:
        found.digests(f"the wheel {locked[0].name}", listed.sha256, locked[0].sha256)


def _wheels(contents: Contents) -> Iterator[str]:
    """The names of the wheels that the payload has entries of."""
    for part in contents.parts:
        for entry in part.plan.entries if part.part.name == PAYLOAD else ():
            if match := _ENTRY.fullmatch(entry.name):
                yield match["name"]


def _provisions(lock: Lock, platform: Platform) -> list[LockedPackage]:
    """The wheels of `lift.bare` for payloads for `platform`."""
    names = Bare(certificates=True, tzdata=True).projects(platform)
    return [each for each in lock.provisions if each.name in names]


def _project(wheel: str) -> str:
    return str(canonicalize_name(wheel.partition("-")[0]))
