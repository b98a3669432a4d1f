from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from czscie.errors import Code, CzscieError
from czscie.lift.manifest import parse_manifest, read_manifest
from czscie.lift.problem import Problems, found_text, key_text, nearest


def test_keys_are_written_as_toml_writes_them() -> None:
    key = ("lift", "commands", 0, "env", "default", "=PATH")
    assert key_text(key) == 'lift.commands[0].env.default."=PATH"'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "nothing"),
        ("a\n", '"a\\n"'),
        (True, "the boolean true"),
        (3, "the integer 3"),
        (3.13, "the float 3.13"),
        ([], "an empty array"),
        ([1], "an array"),
        ({}, "a table"),
        (datetime.date(2026, 10, 21), "the date or time 2026-10-21"),
        ("x" * 81, '"' + "x" * 80 + '…"'),
    ],
)
def test_what_was_found_is_told_in_words(value: object, text: str) -> None:
    assert found_text(value) == text


def test_the_user_and_password_of_a_url_are_not_shown() -> None:
    assert found_text("ftp://builder:secret@example.com/") == '"ftp://…@example.com/"'


def test_case_does_not_hide_what_was_meant() -> None:
    assert nearest("HOST", ("PythonBuildStandalone", "Host")) == "Host"
    assert nearest("conda", ("PythonBuildStandalone", "Host")) is None


def test_problems_come_in_the_order_of_the_file_and_missing_keys_first_in_their_table() -> None:
    problems = Problems({"b": 1, "a": [{"y": 1}, {"z": 1, "x": 1}]})
    for key in (("a", 1, "x"), ("a", 1, "z"), ("a", 1, "missing"), ("a", 0, "y"), ("b",), ("missing",)):
        problems.add(key, "it", "nothing")
    with pytest.raises(CzscieError) as raised:
        problems.raise_any(Path("lift.toml"))
    keys = [line.split(":")[0] for line in raised.value.why]
    assert keys == ["missing", "b", "a[0].y", "a[1].missing", "a[1].z", "a[1].x"]


def test_without_problems_nothing_is_raised() -> None:
    Problems({}).raise_any(Path("lift.toml"))


@pytest.mark.parametrize(
    ("manifest", "problems"),
    [
        ('[lift]\nnmae = "moo"\ncommands = [{ exe = "a" }]', ["lift.nmae: unknown key; did you mean name?"]),
        ("[lfit]\nname = 'moo'", ["lfit: unknown key; did you mean lift?"]),
        ('name = "moo"\n[lift]\ncommands = [{ exe = "a" }]', ["name: unknown key; did you mean lift.name?"]),
        (
            '[lift]\nname = "moo"\ncomands = [{ exe = "a" }]',
            ["lift.comands: unknown key; did you mean commands?"],
        ),
    ],
)
def test_what_is_missing_because_it_is_misspelt_is_no_problem_of_its_own(
    manifest: str, problems: list[str]
) -> None:
    with pytest.raises(CzscieError) as raised:
        parse_manifest(manifest, Path("lift.toml"))
    assert list(raised.value.why) == problems


@pytest.mark.parametrize(
    ("name", "content", "hint"),
    [
        ("requirements.txt", b"cow", "write a manifest for it: czscie init -r requirements.txt"),
        ("tool.py", b"print()", "write a manifest for it: czscie init tool.py"),
        ("app.pex", b"PK\xff", "write a manifest for it: czscie init app.pex"),
        ("lift.toml", b"moo", None),
    ],
)
def test_a_program_in_place_of_a_manifest_is_told_how_to_get_one(
    name: str, content: bytes, hint: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(content)
    with pytest.raises(CzscieError) as raised:
        read_manifest(Path(name))
    assert raised.value.code is Code.MANIFEST_SYNTAX
    assert raised.value.hint == hint
