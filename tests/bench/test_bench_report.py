"""What people read at the end of a run."""

from __future__ import annotations

import io

from bench_reports import columns, report
from rich.console import Console

from bench.measure import Outcome, Sample
from bench.report import Report


def text(printed: Report) -> list[str]:
    output = io.StringIO()
    printed.print(Console(file=output))
    return output.getvalue().splitlines()


OURS = Outcome("czscie", (Sample(0.2, 0.1, 20_000_000),))


def test_each_row_has_its_ratios_to_our_scie() -> None:
    lines = text(report(OURS, Outcome("pex", (Sample(0.5, 0.4, 30_000_000),))))
    row = "pex about pex 1.50 500.0 500.0 500.0 2.50 400.0 400.0 400.0 4.00 30.0 1.50"
    assert columns(lines, "pex") == row


def test_who_failed_and_who_was_left_out_is_told_with_the_reason() -> None:
    lines = text(report(OURS, Outcome("pex", failure="pex ended with 3")))
    assert [line.split()[-1] for line in lines if line.startswith("pex ")] == ["failed"]
    assert "pex, cold: pex ended with 3" in lines
    assert "left out: shiv: shiv is not installed" in lines


def test_without_our_scie_there_are_figures_and_no_ratios() -> None:
    lines = text(report(Outcome("pex", (Sample(0.5, 0.4, 30_000_000),))))
    assert columns(lines, "pex") == "pex about pex 1.50 500.0 500.0 500.0 400.0 400.0 400.0 30.0"


def test_what_goes_to_a_file_is_plain_and_on_one_line_each() -> None:
    lines = text(report(OURS))
    assert not any("\x1b" in line for line in lines)
    assert sum(line.startswith("czscie") for line in lines) == 1


def test_programs_read_every_sample() -> None:
    read = report(OURS, Outcome("pex", failure="pex ended with 3")).as_json()
    ours, pex = read["contestants"]
    assert ours["cold"] == {
        "failure": None,
        "samples": [{"wall": 0.2, "processor": 0.1, "memory": 20_000_000}],
    }
    assert pex["cold"] == {"failure": "pex ended with 3", "samples": []}
