from __future__ import annotations

from pathlib import Path

import pytest

from integration.conformance.behaviours import BEHAVIOURS, Behaviour
from integration.conformance.conftest import Workshop


@pytest.mark.parametrize("form", ["czex", "scie"])
@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=lambda behaviour: behaviour.identifier)
def test_it_behaves_as_the_pex_does(workshop: Workshop, behaviour: Behaviour, form: str) -> None:
    expected = workshop.run("pex", behaviour)
    found = workshop.run(form, behaviour)
    same = (found.status, found.stdout) == (expected.status, expected.stdout)
    if behaviour.errors:
        same = same and found.stderr == expected.stderr
    if form in behaviour.differs:
        assert not same, "it is said to differ, and does not"
    else:
        assert same, f"the PEX: {expected}\nthis:    {found}"


def test_there_are_enough() -> None:
    assert len({behaviour.identifier for behaviour in BEHAVIOURS}) == len(BEHAVIOURS) >= 120


def test_all_are_documented() -> None:
    path = Path(__file__).parents[2] / "docs" / "reference" / "czex.md"
    rows = {tuple(cell.strip() for cell in line.split("|")[1:-1]) for line in path.read_text().splitlines()}
    for behaviour in BEHAVIOURS:
        forms = (behaviour.differs.get(form, "same") for form in ("czex", "scie"))
        assert (behaviour.area, behaviour.name, *forms) in rows
