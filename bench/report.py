"""What a run found: tables with the ratio to our scie, and the same for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.contestants import OURS, Entrant
from bench.interpreter import Interpreter
from bench.machine import Machine
from bench.measure import Outcome, Sample, Spread

#: A table that goes to a file is not folded to the width of a terminal that is not there.
WIDTH = 150


@dataclass(frozen=True, slots=True)
class Report:
    """A run. `outcomes` are by state, `cold` and `warm`; `left_out` says of contestants why."""

    scenario: str
    machine: Machine
    interpreter: Interpreter
    entrants: tuple[Entrant, ...]
    left_out: Mapping[str, str]
    outcomes: Mapping[str, Sequence[Outcome]]

    def print(self, console: Console) -> None:
        if not console.is_terminal:
            console.width = WIDTH
        python = self.interpreter
        size = f"{_megabytes(python.size)} MB in {python.files} files"
        console.print(
            f"{self.scenario} on CPython {python.version}, {size}: {python.description}\n{self.machine}\n",
            markup=False,
        )
        for state, outcomes in self.outcomes.items():
            console.print(self._table(state, outcomes))
            console.print()
        console.print(self._builds())
        console.print()
        for line in (*self._failures(), *self._left_out(), *self._remarks()):
            console.print(line, markup=False, soft_wrap=True)

    def _table(self, state: str, outcomes: Sequence[Outcome]) -> Table:
        times = max((len(outcome.samples) for outcome in outcomes), default=0)
        table = _new_table(f"{state} start, {times} times each")
        table.add_column("")
        table.add_column("", overflow="fold")
        for column in ("size MB", "wall ms", "min", "max", "x", "CPU ms", "min", "max", "x", "peak MB", "x"):
            table.add_column(column, justify="right", no_wrap=True)
        ours = next((outcome for outcome in outcomes if outcome.name == OURS and outcome.samples), None)
        for outcome in outcomes:
            entrant = self._entrant(outcome.name)
            size = _megabytes(entrant.size) + (" +py" if entrant.needs_python else "")
            table.add_row(outcome.name, entrant.description, size, *_figures(outcome, ours))
        return table

    def _builds(self) -> Table:
        table = _new_table("build, once each")
        for column in ("", ""):
            table.add_column(column)
        for column in ("wall s", "CPU s", "peak MB"):
            table.add_column(column, justify="right", no_wrap=True)
        for entrant in self.entrants:
            for what, sample in entrant.builds:
                figures = f"{sample.wall:.2f}", f"{sample.processor:.2f}", _megabytes(sample.memory)
                table.add_row(entrant.name, what, *figures)
        return table

    def _failures(self) -> list[str]:
        return [
            f"{outcome.name}, {state}: {outcome.failure}"
            for state, outcomes in self.outcomes.items()
            for outcome in outcomes
            if outcome.failure is not None
        ]

    def _left_out(self) -> list[str]:
        return [f"left out: {name}: {why}" for name, why in self.left_out.items()]

    def _remarks(self) -> list[str]:
        remarks = ["x is the ratio to our scie; +py: needs the CPython on the host."]
        cold, warm = (
            {outcome.name: outcome.wall.median for outcome in self.outcomes.get(state, ()) if outcome.samples}
            for state in ("cold", "warm")
        )
        if OURS in cold and "venv" in warm:
            for name in ("limit", "limit-threads"):
                if name in cold:
                    total = cold[name] + warm["venv"]
                    remarks.append(
                        f"Our cold start is {cold[OURS] / total:.2f} times {name} and floor together, "
                        f"{cold[name] * 1e3:.1f} + {warm['venv'] * 1e3:.1f} ms."
                    )
        return remarks

    def _entrant(self, name: str) -> Entrant:
        return next(entrant for entrant in self.entrants if entrant.name == name)

    def as_json(self) -> dict[str, Any]:
        """Every sample; seconds and bytes."""
        return {
            "scenario": self.scenario,
            "machine": asdict(self.machine),
            "python": {"version": self.interpreter.version, "size": self.interpreter.size},
            "left_out": dict(self.left_out),
            "contestants": [
                {
                    "name": entrant.name,
                    "description": entrant.description,
                    "size": entrant.size,
                    "needs_python": entrant.needs_python,
                    "builds": {what: asdict(sample) for what, sample in entrant.builds},
                    **{state: self._outcome(state, entrant.name) for state in entrant.states},
                }
                for entrant in self.entrants
            ],
        }

    def _outcome(self, state: str, name: str) -> dict[str, Any]:
        outcome = next(outcome for outcome in self.outcomes[state] if outcome.name == name)
        samples: list[Sample] = list(outcome.samples)
        return {"failure": outcome.failure, "samples": [asdict(sample) for sample in samples]}


def _new_table(title: str) -> Table:
    return Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)


def _figures(outcome: Outcome, ours: Outcome | None) -> list[str]:
    if not outcome.samples:
        return ["failed"]
    figures = []
    for spread, reference in (
        (outcome.wall, None if ours is None else ours.wall),
        (outcome.processor, None if ours is None else ours.processor),
    ):
        figures += [f"{value * 1e3:.1f}" for value in (spread.median, spread.least, spread.most)]
        figures.append(_ratio(spread, reference))
    memory = None if ours is None else ours.memory
    return [*figures, _megabytes(outcome.memory.median), _ratio(outcome.memory, memory)]


def _ratio(spread: Spread, reference: Spread | None) -> str:
    ratio = None if reference is None else spread.ratio(reference)
    return "" if ratio is None else f"{ratio:.2f}"


def _megabytes(size: float) -> str:
    return f"{size / 1e6:.2f}" if size < 1e7 else f"{size / 1e6:.1f}"
