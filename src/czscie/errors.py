"""The error type that users see: what failed, why, and the command or setting that fixes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence


class CzscieError(Exception):
    """An error that the user can act on. The command line prints it and exits with status 1.

    `what` is one sentence without a full stop. `why` is one or more causes, each a line of its own. `hint` is
    the command or setting that fixes it.
    """

    def __init__(self, what: str, *, why: str | Iterable[str] = (), hint: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.why: tuple[str, ...] = (why,) if isinstance(why, str) else tuple(why)
        self.hint = hint

    def __str__(self) -> str:
        """The message as the terminal shows it, without colours: the text that tests compare."""
        lines = [f"error: {self.what}", *(f"  {cause}" for cause in self.why)]
        if self.hint is not None:
            lines.append(f"hint: {self.hint}")
        return "\n".join(lines)


def problems_of(checks: Iterable[Callable[[], object]]) -> Iterator[CzscieError]:
    """What the checks raise, in their order. Other exceptions pass."""
    for check in checks:
        try:
            check()
        except CzscieError as problem:
            yield problem


def raise_all(problems: Iterable[CzscieError]) -> None:
    """Raises the problems as one, equal ones once; nothing when there is none."""
    distinct: dict[str, CzscieError] = {}
    for problem in problems:
        distinct.setdefault(str(problem), problem)
    if not distinct:
        return
    if len(distinct) == 1:
        raise next(iter(distinct.values()))
    lines = [
        line
        for problem in distinct.values()
        for line in (problem.what, *(f"  {why}" for why in problem.why), *_hint(problem))
    ]
    raise CzscieError(f"{len(distinct)} problems keep the build from succeeding", why=lines)


def _hint(problem: CzscieError) -> Sequence[str]:
    return [] if problem.hint is None else [f"  hint: {problem.hint}"]
