"""All scenarios of a run in one table, with the ratios that the starts are judged by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.contestants import CZEX, OURS
from bench.report import WIDTH, Report


@dataclass(frozen=True, slots=True)
class Summary:
    """The scenarios of a run. Ratios are to our CZEX where it takes part, else to our scie."""

    reports: Sequence[Report]

    def print(self, console: Console) -> None:
        """Prints nothing when there is one scenario: its own tables say it all."""
        if len(self.reports) < 2:
            return
        if not console.is_terminal:
            console.width = WIDTH
        table = Table(title="all of them, medians", title_justify="left", title_style="bold", box=None)
        for column in ("", ""):
            table.add_column(column)
        for column in (
            "size MB",
            "x",
            "build s",
            "cold ms",
            "x",
            "CPU x",
            "peak MB",
            "x",
            "warm ms",
            "x",
            "CPU x",
        ):
            table.add_column(column, justify="right", no_wrap=True)
        for report in self.reports:
            for row in _rows(report):
                table.add_row(*row)
        console.print(table)
        console.print(f"x: ratio to {CZEX}, or to {OURS} where that is missing; peak MB: of cold starts")

    def as_json(self) -> list[dict[str, Any]]:
        """Every sample of every scenario; seconds and bytes."""
        return [report.as_json() for report in self.reports]


@dataclass(frozen=True, slots=True)
class _Figures:
    """Of a contestant: bytes and seconds. What it does not take part in, or failed at, is None."""

    size: float | None = None
    build: float | None = None
    cold: float | None = None
    cold_processor: float | None = None
    memory: float | None = None
    warm: float | None = None
    warm_processor: float | None = None


def _rows(report: Report) -> list[list[str]]:
    figures = _figures(report)
    reference = figures.get(CZEX) or figures.get(OURS) or _Figures()
    return [
        [
            report.scenario,
            name,
            _shown(own.size, 1e-6),
            _ratio(own.size, reference.size),
            _shown(own.build, 1),
            _shown(own.cold, 1e3),
            _ratio(own.cold, reference.cold),
            _ratio(own.cold_processor, reference.cold_processor),
            _shown(own.memory, 1e-6),
            _ratio(own.memory, reference.memory),
            _shown(own.warm, 1e3),
            _ratio(own.warm, reference.warm),
            _ratio(own.warm_processor, reference.warm_processor),
        ]
        for name, own in figures.items()
    ]


def _figures(report: Report) -> dict[str, _Figures]:
    cold, warm = (
        {outcome.name: outcome for outcome in report.outcomes.get(state, ()) if outcome.samples}
        for state in ("cold", "warm")
    )
    return {
        entrant.name: _Figures(
            size=entrant.size,
            build=entrant.builds[0][1].wall if entrant.builds else None,
            cold=cold[entrant.name].wall.median if entrant.name in cold else None,
            cold_processor=cold[entrant.name].processor.median if entrant.name in cold else None,
            memory=cold[entrant.name].memory.median if entrant.name in cold else None,
            warm=warm[entrant.name].wall.median if entrant.name in warm else None,
            warm_processor=warm[entrant.name].processor.median if entrant.name in warm else None,
        )
        for entrant in report.entrants
    }


def _shown(value: float | None, factor: float) -> str:
    return "" if value is None else f"{value * factor:.{2 if value * factor < 10 else 1}f}"


def _ratio(value: float | None, reference: float | None) -> str:
    return f"{value / reference:.2f}" if value is not None and reference else ""
