"""Which platforms a lift is built for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from czscie.errors import CzscieError
from czscie.loader import load_lift
from czscie.platforms import current_platform, find_platform

WINDOWS, LINUX = find_platform("windows-x86_64"), find_platform("linux-aarch64")


def test_a_lift_in_json_is_for_the_platforms_that_are_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "lift.json"
    boot = {"commands": {"": {"exe": "{scie}"}}}
    path.write_text(json.dumps({"scie": {"lift": {"name": "moo", "files": [], "boot": boot}}}))
    for asked, expected in (((), [current_platform()]), ((WINDOWS, LINUX), [WINDOWS, LINUX])):
        lift, targets = load_lift(path, asked)
        assert targets == list(lift.platforms) == expected


def test_one_in_toml_is_for_those_that_it_names(tmp_path: Path) -> None:
    path = tmp_path / "lift.toml"
    path.write_text('[lift]\nname = "moo"\nplatforms = ["linux-aarch64"]\ncommands = [{ exe = "{scie}" }]\n')
    assert load_lift(path, ())[1] == load_lift(path, [LINUX])[1] == [LINUX]
    with pytest.raises(CzscieError, match="is not for windows-x86_64"):
        load_lift(path, [WINDOWS])


def test_a_file_is_taken_from_where_an_option_says(tmp_path: Path) -> None:
    path = tmp_path / "lift.toml"
    source = f'source = {{ url = "https://example.com/b" }}\ndigest = {{ fingerprint = "{"ab" * 32}" }}'
    path.write_text(
        '[lift]\nname = "moo"\ncommands = [{ exe = "{scie}" }]\n'
        f'[[lift.files]]\nname = "a"\nkey = "first"\n[[lift.files]]\nname = "b"\n{source}\n'
    )
    for name in ("one", "two"):
        (tmp_path / name).touch()
    lift, _ = load_lift(path, (), {"first": tmp_path / "one", "b": tmp_path / "two"})
    assert [(file.id, file.path, file.source) for file in lift.files] == [
        ("first", tmp_path / "one", None),
        ("b", tmp_path / "two", None),
    ]
    with pytest.raises(CzscieError) as caught:
        load_lift(path, (), {"a": tmp_path / "one"})
    assert str(caught.value) == f"error: {path} has no file a\n  its files are: first, b"
