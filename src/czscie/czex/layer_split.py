"""The division of a payload into the application's own wheels and its dependencies.

For layers of images, own wheels are those that change with the application; for packs, those that it consists
of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from czscie.container.content import File
from czscie.czex.info import PexInfo
from czscie.wheel.wheel import Wheel, is_script_path


@dataclass(frozen=True, slots=True)
class LayerSplit:
    """Names the application's own wheels by their projects' normalised names."""

    named: frozenset[str] = frozenset()

    def key(self) -> str:
        """Equal for equal divisions and for no others."""
        return " ".join(("divided", *sorted(self.named)))

    def own(self, wheels: Sequence[Wheel], sources: Sequence[File], info: PexInfo) -> frozenset[Wheel]:
        """The application's own wheels among `wheels`, beside the PEX's `sources`.

        Without both, it is the wheel with the entry point.
        """
        own = frozenset(wheel for wheel in wheels if wheel.project in self.named)
        if own or sources:
            return own
        return frozenset([wheel for wheel in wheels if _starts(wheel, info)][:1])


def projects_of_application(
    wheels: Sequence[Wheel], needs: Mapping[str, Set[str]], info: PexInfo
) -> frozenset[str]:
    """The projects that an application is made of: the one that starts, and those that are required by name.

    `needs` are those of a Resolution. What was frozen (`pip freeze`, a lock) requires dependencies by name,
    too, so those do not count that another project requires, directly or not, unless each requires the other.
    """
    reached = {project: _reached(project, needs) for project in needs.get("", frozenset())}
    named = {
        project
        for project, below in reached.items()
        if all(project not in others or other in below for other, others in reached.items())
    }
    return frozenset({*named, *(wheel.project for wheel in _starting(wheels, info))})


def _reached(project: str, needs: Mapping[str, Set[str]]) -> set[str]:
    """The projects that `project` requires, directly or not."""
    reached: set[str] = set()
    waiting = [project]
    while waiting:
        found = needs.get(waiting.pop(), frozenset()) - reached
        reached |= found
        waiting += found
    return reached


def _starting(wheels: Sequence[Wheel], info: PexInfo) -> list[Wheel]:
    """The wheel with the entry point, if one has it."""
    return [wheel for wheel in wheels if _starts(wheel, info)][:1]


def _starts(wheel: Wheel, info: PexInfo) -> bool:
    """Whether the entry point is in the wheel."""
    if info.script is not None:
        return any(
            is_script_path(member.path) and member.path.rpartition("/")[2] == info.script
            for member in wheel.members
        ) or bool(wheel.entry_points.get(info.script))
    top = (info.entry_point or "").partition(":")[0].partition(".")[0]
    return bool(top) and any(member.path.partition("/")[0] in (top, f"{top}.py") for member in wheel.members)
