"""The wheels of a PEX that one target needs, chosen as pex chooses at its start (`pex/environment.py`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from czscie.czex.dependencies import DependencyChanges, parse_requirement
from czscie.czex.pex import Pex
from czscie.czex.target import Target
from czscie.errors import Code, CzscieError
from czscie.implementation import Implementation
from czscie.platforms import ANY_GLIBC, GlibcVersion, Platform
from czscie.wheel.wheel import Wheel

if TYPE_CHECKING:
    from packaging.requirements import Requirement


@dataclass(frozen=True, slots=True)
class SkippedWheel:
    """A wheel that the target does not get, and why."""

    wheel: Wheel
    reason: str


@dataclass(frozen=True, slots=True)
class MissingWheel:
    """A requirement that no wheel of the PEX meets; `required_by` is empty for the PEX itself.

    `held` are lines about what the PEX does hold for that project.
    """

    requirement: str
    required_by: str
    held: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WheelSelection:
    """`wheels` in the order in which they are found from the PEX's requirements: earlier ones win a file.

    `missing` is empty unless the PEX was built to run with requirements missing (`ignore_errors`). `needs`
    are, for the project of each wheel, the projects that it requires here; those of the PEX are under "".
    """

    wheels: tuple[Wheel, ...]
    left_out: tuple[SkippedWheel, ...]
    missing: tuple[MissingWheel, ...]
    needs: Mapping[str, frozenset[str]]


def resolve(
    pex: Pex, platform: Platform, implementation: Implementation, glibc: GlibcVersion = ANY_GLIBC
) -> WheelSelection:
    """The wheels of `pex` that the `implementation` of Python needs on `platform`.

    `glibc` is the newest that wheels may ask for. Raises CzscieError when the interpreter does not meet the
    PEX's constraints, or when a requirement is met by no wheel, saying what the PEX does hold.
    """
    target = Target(platform, implementation, glibc)
    _check_constraints(pex, target)
    walk = _Walk(pex, target)
    walk.start()
    if walk.missing and not pex.info.ignore_errors:
        raise _incomplete(pex, target, walk.missing)
    wheels = tuple(walk.chosen.values())
    left_out = tuple(
        SkippedWheel(wheel, walk.unusable.get(wheel.filename) or walk.reason(wheel))
        for wheel in pex.wheels
        if wheel not in wheels
    )
    needs = {project: frozenset(needed) for project, needed in walk.needs.items()}
    return WheelSelection(wheels, left_out, tuple(walk.missing), needs)


def _check_constraints(pex: Pex, target: Target) -> None:
    constraints = pex.info.interpreter_constraints
    if constraints and not any(target.satisfies(constraint) for constraint in constraints):
        raise CzscieError(
            f"{pex.path.name} does not run with {target.implementation.full_name}",
            code=Code.PYTHON_REFUSED,
            why=f"its interpreter constraints are: {' or '.join(constraints)}",
            hint="choose another version in [[lift.interpreters]]",
            option="choose another: --python VERSION",
        )


def _unusable(wheel: Wheel, target: Target) -> str:
    """Why the target cannot use the wheel, or the empty string."""
    if not any(tag in target.ranks for tag in wheel.tags):
        tags = "-".join(wheel.filename.removesuffix(".whl").split("-")[-3:])
        return f"{tags} does not run on {target}"
    versions = wheel.python_versions()
    if versions is not None and not versions.contains(target.implementation.version, prereleases=True):
        return f"it needs Python {versions}"
    return ""


@dataclass(slots=True)
class _Walk:
    """A walk from the requirements of a PEX through those of its wheels."""

    pex: Pex
    target: Target
    changes: DependencyChanges = field(init=False)
    unusable: dict[str, str] = field(init=False)
    usable: dict[str, list[Wheel]] = field(default_factory=dict)
    roots: dict[str, Wheel] = field(default_factory=dict)
    chosen: dict[str, Wheel] = field(default_factory=dict)
    visited: dict[str, list[frozenset[str]]] = field(default_factory=dict)
    missing: list[MissingWheel] = field(default_factory=list)
    needs: dict[str, set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.changes = DependencyChanges.of(self.pex.info, self.pex.path.name)
        self.unusable = {wheel.filename: _unusable(wheel, self.target) for wheel in self.pex.wheels}
        for wheel in sorted(self.pex.wheels, key=self._preference):
            if not self.unusable[wheel.filename]:
                self.usable.setdefault(wheel.project, []).append(wheel)

    def start(self) -> None:
        """Choose for the PEX's own requirements, those of one project together, then visit what follows."""
        by_project: dict[str, list[Requirement]] = {}
        for text in self.pex.info.requirements:
            requirement = parse_requirement(text, self.pex.path.name)
            applies = self.target.applies(requirement, frozenset(), self.pex.path.name)
            if applies and not self.changes.excludes(requirement):
                by_project.setdefault(_project(requirement), []).append(requirement)
        for project, requirements in by_project.items():
            best = self._best(project, requirements)
            if best is None:
                self.missing += [self._missing(requirement, "") for requirement in requirements]
            else:
                self.roots[project] = best
        for project, wheel in self.roots.items():
            self.chosen.setdefault(project, wheel)
            self.needs.setdefault("", set()).add(project)
            # Whichever requirement the wheel was chosen for, it gets the extras of all.
            self._visit_requirements_of(wheel, _extras(by_project[project]))

    def reason(self, wheel: Wheel) -> str:
        """Why a usable wheel was not chosen."""
        chosen = self.chosen.get(wheel.project)
        return f"{chosen.filename} is used instead" if chosen else "nothing requires it"

    def _visit(self, requirement: Requirement, required_by: Wheel) -> None:
        if self.changes.excludes(requirement):
            return
        project = _project(requirement)
        wheel = self.chosen.get(project) or self.roots.get(project) or self._best(project, [requirement])
        if wheel is None:
            missing = self._missing(requirement, str(required_by))
            if missing not in self.missing:
                self.missing.append(missing)
            return
        self.chosen.setdefault(project, wheel)
        self.needs.setdefault(required_by.project, set()).add(project)
        self._visit_requirements_of(wheel, _extras([requirement]))

    def _visit_requirements_of(self, wheel: Wheel, extras: frozenset[str]) -> None:
        visited = self.visited.setdefault(wheel.project, [])
        if any(extras <= earlier for earlier in visited):
            return
        visited.append(extras)
        for original in wheel.requirements():
            requirement = self.changes.replace(original, self.target, self.pex.path.name)
            if self.target.applies(requirement, extras, wheel.filename):
                self._visit(requirement, wheel)

    def _best(self, project: str, requirements: Sequence[Requirement]) -> Wheel | None:
        """The most preferred wheel of the project that meets any of the requirements."""
        for wheel in self.usable.get(project, ()):
            if any(meets(wheel, requirement) for requirement in requirements):
                return wheel
        return None

    def _preference(self, wheel: Wheel) -> tuple[int, _NewestFirst, tuple[int, str], str]:
        """Sorts the most specific tags first, then the newest version, then the latest build."""
        ranks = self.target.ranks
        rank = min((ranks[tag] for tag in wheel.tags if tag in ranks), default=len(ranks))
        version, build = newest_first(wheel)
        return rank, version, build, wheel.filename

    def _missing(self, requirement: Requirement, required_by: str) -> MissingWheel:
        held = tuple(
            f"{wheel.filename}: {self.unusable[wheel.filename] or 'does not meet the requirement'}"
            for wheel in self.pex.wheels
            if wheel.project == _project(requirement)
        )
        return MissingWheel(str(requirement), required_by, held)


class _NewestFirst:
    """Orders versions backwards; those that PEP 440 does not know come last."""

    def __init__(self, text: str) -> None:
        from packaging.version import InvalidVersion, Version

        try:
            self._version: Version | None = Version(text)
        except InvalidVersion:
            self._version = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _NewestFirst) and self._version == other._version

    def __lt__(self, other: _NewestFirst) -> bool:
        if self._version is None or other._version is None:
            return self._version is not None and other._version is None
        return self._version > other._version


def newest_first(wheel: Wheel) -> tuple[_NewestFirst, tuple[int, str]]:
    """Sorts the newest version first, and of one version the latest build."""
    return _NewestFirst(wheel.version), (-wheel.build[0], wheel.build[1])


def _project(requirement: Requirement) -> str:
    from packaging.utils import canonicalize_name

    return canonicalize_name(requirement.name)


def _extras(requirements: Iterable[Requirement]) -> frozenset[str]:
    from packaging.utils import canonicalize_name

    return frozenset(canonicalize_name(extra) for item in requirements for extra in item.extras)


def meets(wheel: Wheel, requirement: Requirement) -> bool:
    """Whether a wheel of the requirement's project has a version that it accepts."""
    from packaging.version import InvalidVersion

    specifiers = list(requirement.specifier)
    if len(specifiers) == 1 and specifiers[0].operator == "===":
        return wheel.version == specifiers[0].version
    try:
        return requirement.specifier.contains(wheel.version, prereleases=True)
    except InvalidVersion:
        return not specifiers


def _incomplete(pex: Pex, target: Target, missing: Sequence[MissingWheel]) -> CzscieError:
    causes = []
    for item in missing:
        required_by = f", required by {item.required_by}" if item.required_by else ""
        if item.held:
            causes.append(f"{item.requirement}{required_by}; the PEX contains only:")
            causes += [f"  {line}" for line in item.held]
        else:
            causes.append(f"{item.requirement}{required_by}; the PEX contains no wheel of that project")
    return CzscieError(
        f"{pex.path.name} lacks what {target} needs",
        code=Code.WHEELS_LACKING,
        why=causes,
        hint=f"build the PEX for this target too (pex --platform {_abbreviated(target)} …), or give "
        "[lift.payload] requirements in place of pex",
    )


def _abbreviated(target: Target) -> str:
    """The target as `pex --platform` takes it: `linux-x86_64-cp-3.13.9-cp313`."""
    tag = target.tags[0]
    platform = f"linux-{target.platform.wheel_arch}" if target.platform.libc == "gnu" else tag.platform
    return f"{platform}-{tag.interpreter[:2]}-{target.implementation.version}-{tag.abi}"
