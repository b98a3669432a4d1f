"""The catalogue of a CZEX, in JSON: the facts for choosing wheels and installing them.

Whatever does not depend on the host is computed here, with packaging's own parsers: which wheel meets which
requirement, exclusions, parsed markers. The host's Python evaluates tags and markers (bootstrap/resolve.py).
docs/reference/format.md describes every member.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from czscie.container.plan import PlannedEntry
from czscie.czex.constraint import Constraint
from czscie.czex.dependencies import DependencyChanges, parse_requirement
from czscie.czex.pex import Pex
from czscie.czex.placed import PlacedFile
from czscie.czex.resolve import meets, newest_first
from czscie.wheel.wheel import Wheel

if TYPE_CHECKING:
    from packaging.requirements import Requirement
    from packaging.specifiers import SpecifierSet

FORMAT = 1
ENTRY_NAME = ".czscie/catalogue"

#: The fields of PEX-INFO that the start reads.
_SETTINGS = (
    "ignore_errors",
    "inherit_path",
    "interpreter_selection_strategy",
    "emit_warnings",
    "pex_paths",
    "pex_root",
    "venv",
    "venv_copies",
    "venv_hermetic_scripts",
    "venv_system_site_packages",
)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The rendered bytes, and the `files` of each wheel, of the user's sources (None), of the start ("")."""

    pex: Pex
    wheels: tuple[Wheel, ...]
    files: Mapping[Wheel | str | None, Sequence[PlacedFile]]
    differing: Sequence[str]

    def render(self, entries: Sequence[PlannedEntry], launchers: Iterable[str]) -> bytes:
        """Raises CzscieError when a requirement or a constraint of the PEX is invalid."""
        numbers = {entry.name: number for number, entry in enumerate(entries)}
        changes = DependencyChanges.of(self.pex.info, self.pex.path.name)
        edges = _Edges(self.wheels, changes, self.pex.path.name)
        info = self.pex.info
        roots = [parse_requirement(text, self.pex.path.name) for text in info.requirements]
        catalogue = {
            "format": FORMAT,
            "settings": {name: _plain(getattr(info, name)) for name in _SETTINGS},
            "constraints": [constraint(text) for text in info.interpreter_constraints],
            "requirements": [edges.edge(root) for root in roots if not changes.excludes(root)],
            "wheels": [self._wheel(wheel, edges, numbers) for wheel in self.wheels],
            "sources": self._rows(None, numbers),
            "start": self._rows("", numbers),
            "differing": list(self.differing),
            "entries": [[entry.name, entry.size, entry.crc32, entry.sha256] for entry in entries],
            "launchers": list(launchers),
        }
        return json.dumps(catalogue, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()

    def _wheel(self, wheel: Wheel, edges: _Edges, numbers: Mapping[str, int]) -> dict[str, Any]:
        return {
            "filename": wheel.filename,
            "project": wheel.project,
            "version": wheel.version,
            "tags": sorted([tag.interpreter, tag.abi, tag.platform] for tag in wheel.tags),
            "python": _specifiers(wheel.python_versions()),
            "requirements": edges.of(wheel),
            "files": self._rows(wheel, numbers),
        }

    def _rows(self, owner: Wheel | str | None, numbers: Mapping[str, int]) -> list[list[Any]]:
        return [
            [
                placed.scheme,
                placed.path,
                numbers[placed.content.entry],
                placed.content.offset,
                placed.content.size,
                placed.mode,
            ]
            for placed in self.files[owner]
        ]


def catalogue_order(pex: Pex) -> tuple[Wheel, ...]:
    """The wheels by project, the newest version and the latest build of each first."""
    return tuple(sorted(pex.wheels, key=lambda wheel: (wheel.project, newest_first(wheel), wheel.filename)))


@dataclass(frozen=True, slots=True)
class _Edges:
    """Requirements, each with the wheels that meet it."""

    wheels: tuple[Wheel, ...]
    changes: DependencyChanges
    label: str

    def of(self, wheel: Wheel) -> list[dict[str, Any]]:
        found = []
        for requirement in wheel.requirements():
            edge = self.edge(requirement)
            instead = [self.edge(other) for other in self.changes.replacements(requirement)]
            if instead:
                edge["instead"] = instead
            elif self.changes.excludes(requirement):
                continue
            found.append(edge)
        return found

    def edge(self, requirement: Requirement) -> dict[str, Any]:
        from packaging.utils import canonicalize_name

        project = canonicalize_name(requirement.name)
        edge: dict[str, Any] = {
            "text": str(requirement),
            "project": project,
            "wheels": [
                number
                for number, wheel in enumerate(self.wheels)
                if wheel.project == project and meets(wheel, requirement)
            ],
        }
        if requirement.extras:
            edge["extras"] = sorted(canonicalize_name(extra) for extra in requirement.extras)
        if requirement.marker is not None:
            edge["marker"] = marker_groups(requirement.marker._markers)
        if self.changes.excludes(requirement):
            edge["excluded"] = True
        return edge


def marker_groups(markers: Any) -> list[list[Any]]:
    """packaging's list of conditions, `and`, `or` and nested lists, as alternatives of conditions."""
    groups: list[list[Any]] = [[]]
    for item in markers:
        if item == "or":
            groups.append([])
        elif isinstance(item, list):
            groups[-1].append(marker_groups(item))
        elif item != "and":
            left, operator, right = item
            groups[-1].append({"left": _side(left), "operator": str(operator), "right": _side(right)})
    return groups


def _side(side: Any) -> str | list[str]:
    return str(side) if type(side).__name__ == "Variable" else [str(side)]


def constraint(text: str) -> dict[str, Any]:
    """An interpreter constraint of pex, `CPython>=3.9,<3.14`, parsed. Raises CzscieError."""
    asked = Constraint.split(text)
    found: dict[str, Any] = {"text": text}
    if asked.implementation is not None:
        found["implementation"] = asked.implementation
    if asked.free_threaded is not None:
        found["free_threaded"] = asked.free_threaded
    found["python"] = _specifiers(asked.versions) or []
    return found


def _specifiers(specifiers: SpecifierSet | None) -> list[list[str]] | None:
    if specifiers is None:
        return None
    return sorted([specifier.operator, specifier.version] for specifier in specifiers)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
