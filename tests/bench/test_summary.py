"""The ratios of several sets."""

from __future__ import annotations

import io
from dataclasses import replace

from bench_reports import columns, report
from rich.console import Console

from bench.measure import Outcome, Sample
from bench.report import Report
from bench.summary import Summary

OURS = Outcome("czscie", (Sample(0.2, 0.1, 20_000_000),))
CZEX = Outcome("czex", (Sample(0.4, 0.2, 10_000_000),))
PEX = Outcome("pex", (Sample(1.0, 0.8, 30_000_000),))


def text(*reports: Report) -> list[str]:
    output = io.StringIO()
    Summary(reports).print(Console(file=output))
    return output.getvalue().splitlines()


def test_ratios_are_to_the_czex_where_it_takes_part_and_to_our_scie_elsewhere() -> None:
    other = replace(report(OURS, PEX), scenario="web")
    lines = text(report(OURS, CZEX, PEX), other)
    assert columns(lines, " cowsay  pex") == "cowsay pex 1.50 1.00 1000.0 2.50 4.00 30.0 3.00"
    assert columns(lines, " web     pex") == "web pex 1.50 1.00 1000.0 5.00 8.00 30.0 1.50"


def test_who_failed_has_no_figures_but_a_size() -> None:
    lines = text(report(CZEX, Outcome("pex", failure="pex ended with 3")), report(CZEX))
    assert columns(lines, " cowsay  pex") == "cowsay pex 1.50 1.00"


def test_one_set_needs_no_summary() -> None:
    assert text(report(OURS, CZEX)) == []
