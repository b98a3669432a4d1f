from __future__ import annotations

import pytest

from czscie.errors import CzscieError
from czscie.wheel.entry_points import EntryPoint, EntryPoints

TEXT = """
# a comment
[console_scripts]
cow = farm.cow:main
 calf=farm:Cow.calf [extra]
herd : x

[gui_scripts]
window = farm.window

[farm.plugins]
any thing = not checked : at all
"""


def test_scripts_are_read_and_other_groups_are_not() -> None:
    points = EntryPoints.parse(TEXT.replace("herd : x\n", ""), "farm.whl")
    assert points.console == {
        "cow": EntryPoint("farm.cow", "main"),
        "calf": EntryPoint("farm", "Cow.calf"),
    }
    assert points.gui == {"window": EntryPoint("farm.window", None)}
    assert "window" in points
    assert "plugins" not in points


def test_a_script_that_names_nothing_is_refused() -> None:
    with pytest.raises(CzscieError, match=r"farm.whl declares an invalid entry point"):
        EntryPoints.parse(TEXT, "farm.whl")


@pytest.mark.parametrize("name", ["../../evil", "a/b", "a\\b", "..", ""])
def test_a_script_whose_name_is_a_path_is_refused(name: str) -> None:
    with pytest.raises(CzscieError, match="unsafe name"):
        EntryPoints.parse(f"[console_scripts]\n{name} = a:b\n", "farm.whl")


@pytest.mark.parametrize("text", ["", ":", "a:", ":b", "a b", "a-b", "1a", "a:b:c", "a..b"])
def test_what_is_no_entry_point_is_not_read_as_one(text: str) -> None:
    with pytest.raises(ValueError, match="is neither module nor module:function"):
        EntryPoint.parse(text)


def test_an_entry_point_is_written_as_it_is_read() -> None:
    assert str(EntryPoint.parse(" a.b : C.d ")) == "a.b:C.d"
    assert str(EntryPoint.parse("a.b")) == "a.b"
