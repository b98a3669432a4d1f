from __future__ import annotations

import pytest

from czscie.errors import Code, CzscieError, raise_all

KEY = CzscieError(
    "no CPython 3.11", code=Code.INTERPRETER_NOT_RELEASED, hint='set version = "3.12"', option="--python 3.12"
)
ONLY_KEY = CzscieError("no wheel", code=Code.BUILD_NOT_ALLOWED, hint='set build = "allow" in [lift.payload]')
NO_KEY = CzscieError("no cow", code=Code.RESOLVE_FAILED, why="the index has none", hint="require calf")


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        (KEY, "--python 3.12"),
        (ONLY_KEY, 'write a manifest with czscie init tool.py, and set build = "allow" in [lift.payload]'),
        (NO_KEY, "require calf"),
    ],
)
def test_a_hint_fits_a_program_without_a_manifest(error: CzscieError, hint: str) -> None:
    told = error.without_manifest("tool.py")
    assert (told.what, told.code, told.why, told.hint) == (error.what, error.code, error.why, hint)


def test_so_do_the_hints_of_several_errors() -> None:
    with pytest.raises(CzscieError) as caught:
        raise_all([KEY, ONLY_KEY, NO_KEY])
    before = caught.value.why
    assert [line for line in before if "hint" in line] == [
        f"  hint: {each.hint}" for each in (KEY, ONLY_KEY, NO_KEY)
    ]
    told = caught.value.without_manifest("tool.py")
    assert [line for line in told.why if "hint" in line] == [
        f"  hint: {each.without_manifest('tool.py').hint}" for each in (KEY, ONLY_KEY, NO_KEY)
    ]
    assert [line for line in told.why if "hint" not in line] == [
        line for line in before if "hint" not in line
    ]
