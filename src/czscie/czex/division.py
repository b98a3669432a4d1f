"""Which wheels of a payload change with the application, and which are its dependencies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from czscie.container.content import File
from czscie.czex.info import PexInfo
from czscie.czex.wheel import Wheel, is_script_path


@dataclass(frozen=True, slots=True)
class Division:
    """Names the application's own wheels by their projects' normalised names.

    With `roots` those are its own, too, that the PEX was asked for, as when it was made of a project.
    """

    named: frozenset[str] = frozenset()
    roots: bool = False

    def key(self) -> str:
        """Equal for equal divisions and for no others."""
        return " ".join((str(self.roots), *sorted(self.named)))

    def own(self, wheels: Sequence[Wheel], sources: Sequence[File], info: PexInfo) -> frozenset[Wheel]:
        """Those of `wheels` that are the application's own, beside the PEX's `sources`.

        Where there are neither, it is the wheel that starts.
        """
        names = {*self.named, *(_roots(info) if self.roots else ())}
        own = frozenset(wheel for wheel in wheels if wheel.project in names)
        if own or sources:
            return own
        return frozenset([wheel for wheel in wheels if _starts(wheel, info)][:1])


def _roots(info: PexInfo) -> list[str]:
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    return [canonicalize_name(Requirement(text).name) for text in info.requirements]


def _starts(wheel: Wheel, info: PexInfo) -> bool:
    """Whether the entry point is in the wheel."""
    if info.script is not None:
        return any(
            is_script_path(member.path) and member.path.rpartition("/")[2] == info.script
            for member in wheel.members
        ) or bool(wheel.entry_points.get(info.script))
    top = (info.entry_point or "").partition(":")[0].partition(".")[0]
    return bool(top) and any(member.path.partition("/")[0] in (top, f"{top}.py") for member in wheel.members)
