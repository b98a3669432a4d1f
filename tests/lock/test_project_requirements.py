from __future__ import annotations

from pathlib import Path

import pytest

from czscie.errors import CzscieError
from czscie.lock.project_requirements import group_requirements, with_extras

REQUIREMENTS = (
    "cow>=1",
    'calf; extra == "cli"',
    'herd; sys_platform == "linux" and extra == "Web_Server"',
    'farm[cli,web-server]; extra == "all"',
)


@pytest.mark.parametrize(
    ("extras", "names"),
    [
        ((), ["cow"]),
        (("cli",), ["cow", "calf"]),
        (("web.server",), ["cow", "herd"]),
        (("all",), ["cow", "calf", "herd"]),
        (("cli", "all"), ["cow", "calf", "herd"]),
    ],
)
def test_extras_choose_requirements(extras: tuple[str, ...], names: list[str]) -> None:
    found = with_extras(REQUIREMENTS, "Farm", extras)
    assert [each.partition(";")[0].partition(">")[0] for each in found] == names
    assert "extra" not in "".join(found)


def test_the_rest_of_a_marker_stays() -> None:
    [_, herd] = with_extras(REQUIREMENTS, "farm", ["web-server"])
    assert herd == 'herd; sys_platform == "linux" and python_version >= "0"'


def test_an_extra_without_requirements_is_known() -> None:
    assert with_extras(("cow",), "farm", ["empty"], ["Empty"]) == ("cow",)


def test_an_extra_that_a_project_does_not_provide_names_those_that_it_does() -> None:
    with pytest.raises(CzscieError) as error:
        with_extras(REQUIREMENTS, "farm", ["tests"], ["docs"])
    assert error.value.what == "farm has no extra tests"
    assert error.value.why == ("it has: all, cli, docs, web-server",)


def test_groups_include_others(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[dependency-groups]\nbase = ["cow>=1"]\nserver = [{ include-group = "base" }, "herd"]\n'
    )
    assert group_requirements(tmp_path, ()) == ()
    assert group_requirements(tmp_path, ("server",)) == ("cow>=1", "herd")


@pytest.mark.parametrize(
    "groups", ["", 'server = "cow"', 'server = [{ include-group = "x" }]', 'server = ["a b"]', "server = 1"]
)
def test_a_group_that_cannot_be_read_is_an_error(tmp_path: Path, groups: str) -> None:
    (tmp_path / "pyproject.toml").write_text(f"[dependency-groups]\n{groups}\n")
    with pytest.raises(CzscieError, match="cannot read the dependency groups server"):
        group_requirements(tmp_path, ("server",))
