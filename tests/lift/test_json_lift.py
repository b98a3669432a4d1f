"""A lift in JSON is read like one in TOML, whatever the file is called."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from czscie.errors import CzscieError
from czscie.lift.command import Environment
from czscie.lift.embedded_file import Digest, FromBinding
from czscie.lift.lift import Lift
from czscie.lift.manifest import parse_manifest, read_manifest
from czscie.platforms import current_platform

DIGITS = "f829adc9d888e76c8801b4799ed444188d35239fcae3a9808a99ec5cb0d8d92c"


def parse(lift: dict[str, Any], **others: Any) -> Lift:
    whole = {"name": "moo", "files": [], "boot": {"commands": {"": {"exe": "/bin/true"}}}} | lift
    return parse_manifest(json.dumps({"scie": {"lift": whole}, **others}), Path("lift.json"))


def problems(lift: dict[str, Any]) -> list[str]:
    with pytest.raises(CzscieError) as caught:
        parse(lift)
    return str(caught.value).splitlines()[1:]


def test_a_lift_is_recognised_by_its_content() -> None:
    lift = read_manifest(Path(__file__).parent / "science" / "busybox.json.txt")
    assert (lift.key, lift.name, lift.description) == ("scie.lift", "clock", "Tells the time.")
    assert lift.platforms == (current_platform(),)
    assert (lift.base, lift.load_dotenv) == ("~/.clock", True)
    assert lift.scie_jump is not None
    assert (lift.scie_jump.version, lift.scie_jump.digest) == ("1.12.0", Digest(1850000, DIGITS))
    assert [(each.name, each.description, each.exe) for each in lift.commands] == [
        ("", None, "{cpython}/python/bin/python3.13"),
        ("zone", "Prints the zone.", "{tool}"),
    ]
    assert lift.commands[1].args == ("--json={{}", "{scie.bindings.once:ZONE}")
    assert [each.name for each in lift.bindings] == ["once"]


def test_its_files_are_like_those_of_toml() -> None:
    cpython, tool, data = read_manifest(Path(__file__).parent / "science" / "busybox.json.txt").files
    assert (cpython.id, cpython.kind, cpython.digest, cpython.is_executable) == (
        "cpython",
        "tar.gz",
        None,
        None,
    )
    assert cpython.path == Path(__file__).parent / "science" / cpython.name
    assert (tool.id, tool.kind, tool.is_executable) == ("tool", "blob", True)
    assert tool.digest == Digest(None, DIGITS)
    assert (data.kind, data.source, data.digest) == ("tar.xz", FromBinding("once"), Digest(42, DIGITS))


def test_nulls_are_what_is_not_there() -> None:
    nulls = dict.fromkeys(("key", "size", "hash", "type", "executable", "eager_extract", "source"))
    lift = parse({"description": None, "base": None, "load_dotenv": None, "files": [{"name": "a", **nulls}]})
    assert (lift.description, lift.base, lift.load_dotenv) == (None, None, False)
    [file] = lift.files
    assert (file.id, file.digest, file.kind, file.is_executable, file.source) == (
        "a",
        None,
        "blob",
        None,
        None,
    )


def test_nulls_remove_variables() -> None:
    env = {"A": "1", "=B": "2", "C.*": None, "=D": None}
    lift = parse({"boot": {"commands": {"": {"exe": "/bin/true", "env": env}}}})
    assert lift.commands[0].env == Environment({"A": "1"}, {"B": "2"}, ("D",), ("C.*",))


def test_anything_may_stand_beside_the_lift() -> None:
    extras: dict[str, Any] = {"science": {"version": "0.18.1"}, "ptex": {"a": "https://b"}, "fetch": ["c"]}
    assert parse({}, **extras).name == "moo"


def test_what_is_printed_of_a_scie_has_a_zip_of_its_files_that_is_none() -> None:
    tote = {"name": "scie-tote", "size": 200, "hash": DIGITS, "type": "zip"}
    moo = {"name": "moo.txt", "hash": DIGITS, "type": "blob"}
    assert [file.name for file in parse({"files": [moo, tote]}).files] == ["moo.txt"]
    assert [file.name for file in parse({"files": [moo | {"size": 3}, tote]}).files] == [
        "moo.txt",
        "scie-tote",
    ]
    assert (
        parse({"files": [{"name": "empty-scie-tote", "size": 22, "hash": DIGITS, "type": "zip"}]}).files == ()
    )


def test_a_lift_without_commands_has_nothing_to_start() -> None:
    assert problems({"boot": {"commands": {}}}) == [
        "  scie.lift.boot.commands: found nothing in it, allowed: at least one of the commands"
    ]


def test_what_cannot_be_built_is_named_by_its_place() -> None:
    boot = {"commands": {"": {"exe": "/bin/true"}}, "bindings": {"a b": {"exe": "/bin/true"}}}
    file = {"name": "words", "size": 3, "hash": DIGITS, "type": "blob", "source": "c"}
    unsupported = [each.key for each in parse({"boot": boot, "files": [file]}).unsupported()]
    assert "scie.lift.files[0].source" in unsupported


def test_each_problem_is_named_by_its_place() -> None:
    assert problems({"nmae": 1, "boot": {"commands": {"a b": {"exe": 1, "arg": []}}}}) == [
        '  scie.lift.boot.commands."a b".exe: found the integer 1, allowed: a non-empty string',
        '  scie.lift.boot.commands."a b".arg: unknown key; did you mean args?',
        "  scie.lift.nmae: unknown key; did you mean name?",
    ]


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (
            {"name": "a", "type": "rar"},
            'files[0].type: found "rar", allowed: blob, directory, zip, tar, tar.bz2',
        ),
        ({"name": "a", "hash": "f00"}, "files[0].hash: found"),
        ({"name": "a", "size": -1}, "files[0].size: found the integer -1"),
        ({"name": "a", "executable": 1}, "files[0].executable: found the integer 1, allowed: true or false"),
        ({"name": "a", "source": "b"}, 'files[0].source: found "b", allowed: a size and a hash'),
        ({"name": "../a"}, "files[0].name: found"),
        ({}, "files[0].name: found nothing"),
    ],
)
def test_a_file_that_is_wrong_is_named(file: dict[str, Any], expected: str) -> None:
    assert any(line.startswith(f"  scie.lift.{expected}") for line in problems({"files": [file]}))


@pytest.mark.parametrize(
    "ending", ["tbz2", "tar.bz2", "tgz", "tlz", "tar.lzma", "tar.xz", "tzst", "tar.Z", "zip"]
)
def test_each_type_has_the_names_that_the_launcher_has(ending: str) -> None:
    [typed] = parse({"files": [{"name": "a", "type": ending}]}).files
    [named] = parse({"files": [{"name": f"a.{ending}"}]}).files
    assert typed.kind == named.kind != "blob"


def test_what_is_no_json_is_an_error() -> None:
    with pytest.raises(CzscieError, match=r"lift\.json is not valid JSON"):
        parse_manifest('{"scie": ', Path("lift.json"))


def test_json_that_is_no_lift_is_an_error() -> None:
    with pytest.raises(CzscieError) as caught:
        parse_manifest("{}", Path("lift.json"))
    assert "scie: found nothing, allowed: a table" in str(caught.value)
