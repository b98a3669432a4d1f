"""The schema takes every manifest that the reader takes, and finds wrong structure in others."""

from __future__ import annotations

import ast
import inspect
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from czscie.errors import CzscieError
from czscie.lift.manifest import parse_manifest
from czscie.lift.problem import key_text
from czscie.lift.table import Table
from czscie.schema.reference import descriptions
from czscie.schema.schema import Schema, _Recorder, json_schema, toml_schema

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
BROKEN = ROOT / "tests" / "lift" / "broken"
TREES = ("tests", "integration", "e2e", "examples", "docs")
VALIDATOR = Draft202012Validator(toml_schema())
JSON_VALIDATOR = Draft202012Validator(json_schema())

#: What only the meaning of a manifest tells, by kind: words of the message in which the reader says so.
MEANING = {
    "two keys contradict each other": (
        "because",
        "beside it",
        "no flavor, as the version",
        "no libc, as the payload",
        "which is what .* has",
        '"3.8" or newer, as it runs the payload',
        "another provider, as PyPy",
        "at least one interpreter",
        "neither payload nor commands",
        "one of them, or both",
    ),
    "a name refers to nothing": (
        r"#\{",
        "no such placeholder",
        'allowed: "cpython"',
        '"old" or "new"',
        "interpreters of one provider",
        'allowed: "moo"',
    ),
    "a name is taken": ("does not have", "no other file of the lift has", "another id, as"),
    "an array has the same element twice": ("the ids of at least two interpreters", "a name of its own"),
    "a path that no system takes": ("which is also its place",),
    "a number that JSON does not tell from another": ("the float",),
    "a key beside lift, where other tools keep theirs": (
        "unknown key, allowed: lift$",
        r"unknown key; did you mean lift\b",
    ),
    "the grammar of another specification": (
        "a requirement such as",
        "what a lock can pin",
        "a URL of an index",
        "the URL of an index",
        "the name of an image",
        "a console script, a module",
        "the name of a script",
        "a non-empty text that XML",
    ),
}


def manifests() -> Iterator[Path]:
    """Every file of the repository that is a manifest of today's form and whole."""
    for tree in TREES:
        for path in sorted((ROOT / tree).rglob("*.toml")):
            if BROKEN not in path.parents and "[lift]" in path.read_text(encoding="utf-8"):
                yield path


def snippets() -> Iterator[str]:
    """Every block of the docs that is a part of a manifest."""
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))):
        for block in re.findall(r"(?ms)^```toml\n(.*?)^```", page.read_text(encoding="utf-8")):
            if "[lift" in block:
                yield block


def written_in_tests() -> Iterator[str]:
    """Every string of the tests' own sources that is a manifest to the reader."""
    for tree in ("tests", "integration", "e2e"):
        for source in sorted((ROOT / tree).rglob("*.py")):
            text = source.read_text(encoding="utf-8")
            if "[lift]" not in text:
                continue
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and "[lift]" in node.value:
                    yield node.value


def document(text: str) -> dict[str, Any] | None:
    """The document that `text` is, if the reader takes it as a manifest of today's form."""
    try:
        found = tomllib.loads(text)
        parse_manifest(text, Path("lift.toml").absolute())
    except (tomllib.TOMLDecodeError, CzscieError):
        return None
    return found if "lift" in found else None


def test_both_schemas_are_schemas() -> None:
    Draft202012Validator.check_schema(toml_schema())
    Draft202012Validator.check_schema(json_schema())


def test_each_manifest_of_the_repository_is_valid() -> None:
    texts = {str(path): path.read_text(encoding="utf-8") for path in manifests()}
    texts["lift.toml.example"] = (ROOT / "lift.toml.example").read_text(encoding="utf-8")
    read = {name: found for name, text in texts.items() if (found := document(text)) is not None}
    assert len(read) > 40
    faults = {name: list(map(str, VALIDATOR.iter_errors(found))) for name, found in read.items()}
    assert {name: found for name, found in faults.items() if found} == {}


def test_each_manifest_in_the_sources_of_tests_that_the_reader_takes_is_valid() -> None:
    read = [found for text in written_in_tests() if (found := document(text)) is not None]
    assert len(read) >= 10
    for found in read:
        VALIDATOR.validate(found)


def test_each_part_of_a_manifest_in_the_docs_is_valid() -> None:
    def without_required(schema: object) -> object:
        """The schema of parts: nothing is missing."""
        if isinstance(schema, dict):
            return {
                key: without_required(value)
                for key, value in schema.items()
                if key not in ("required", "oneOf", "allOf")
            }
        return [without_required(each) for each in schema] if isinstance(schema, list) else schema

    parts = Draft202012Validator(without_required(toml_schema()))  # type: ignore[arg-type]
    blocks = list(snippets())
    assert len(blocks) > 10
    for block in blocks:
        parts.validate(tomllib.loads(block.replace("…", "")))


def faults(errors: Iterator[ValidationError] | list[ValidationError]) -> Iterator[str]:
    """Where the errors are, as the reader writes keys."""
    for error in errors:
        at = tuple(error.absolute_path)
        match error.validator:
            case "additionalProperties":
                for key in set(error.instance) - set(error.schema["properties"]):
                    yield key_text((*at, key))
            case "required":
                for key in set(error.validator_value) - set(error.instance):
                    yield key_text((*at, key))
            case "oneOf":
                yield key_text(at)
            case "anyOf":
                yield key_text(at)
                yield from faults(error.context or [])
            case _:
                yield key_text(at)
                if "propertyNames" in error.absolute_schema_path:
                    yield key_text((*at, error.instance))


def problems() -> list[Any]:
    """Each problem that the reader finds in the broken manifests, which are documents."""
    found = []
    for directory in sorted(BROKEN.iterdir()):
        text = (directory / "expected.txt").read_text(encoding="utf-8")
        if "problem" in text.splitlines()[0]:
            for line in text.splitlines()[1:]:
                key, _, words = line.strip().partition(": ")
                found.append(pytest.param(directory, key, words, id=f"{directory.name}-{key}"))
    return found


def is_of_meaning(words: str) -> bool:
    return any(re.search(pattern, words) for patterns in MEANING.values() for pattern in patterns)


@pytest.mark.parametrize(("directory", "key", "words"), problems())
def test_the_schema_finds_each_problem_of_structure_where_the_reader_finds_it(
    directory: Path, key: str, words: str
) -> None:
    found = tomllib.loads((directory / "lift.toml").read_text(encoding="utf-8"))
    if not is_of_meaning(words):
        assert key in set(faults(list(VALIDATOR.iter_errors(found))))


def test_each_kind_of_meaning_is_one_that_broken_manifests_have() -> None:
    said = [parameter.values[2] for parameter in problems()]
    unused = [
        kind
        for kind, patterns in MEANING.items()
        if not any(re.search(pattern, words) for words in said for pattern in patterns)
    ]
    assert unused == []


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"scie": {"lift": {"name": 3, "boot": {"commands": {}}}}}, "scie.lift.name"),
        ({"scie": {"lift": {"name": "moo", "boot": {}}}}, "scie.lift.boot.commands"),
        ({"scie": {"lift": {"name": "moo", "boot": {"commands": {}}}}}, "scie.lift.boot.commands"),
        (
            {"scie": {"lift": {"name": "moo", "boot": {"commands": {"": {}}}}}},
            'scie.lift.boot.commands."".exe',
        ),
        ({"scie": {"lift": {"name": "moo", "boot": {"commands": {}}, "nmae": 1}}}, "scie.lift.nmae"),
    ],
)
def test_the_schema_of_lifts_in_json_finds_problems(change: dict[str, Any], where: str) -> None:
    assert where in set(faults(list(JSON_VALIDATOR.iter_errors(change))))


def test_lifts_in_json_are_valid() -> None:
    texts = [
        path.read_text(encoding="utf-8")
        for tree in TREES
        for path in sorted((ROOT / tree).rglob("lift.json"))
    ]
    assert texts
    for text in texts:
        JSON_VALIDATOR.validate(json.loads(text))


def keys(schema: Schema, where: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Schema]]:
    for key, inner in schema.get("properties", {}).items():
        yield (*where, key), inner
        yield from keys(inner, (*where, key))
    for nested in (schema.get("items"), *schema.get("anyOf", ())):
        if nested is not None:
            yield from keys(nested, where)


def test_each_key_is_described_but_those_that_pin_programs_of_science() -> None:
    undescribed = {
        ".".join(where) for where, schema in keys(toml_schema()) if "description" not in schema
    } - {"lift"}
    assert {name for name in undescribed if not re.search(r"scie_jump|ptex|digest", name)} == {
        "lift.files.source.lazy",
        "lift.macos",
        "lift.platforms.libc",
    }


def test_each_description_of_the_example_is_one_of_a_key() -> None:
    assert set(descriptions()) <= {where for where, _ in keys(toml_schema())}


def test_the_recorder_has_a_schema_for_each_way_to_read_a_key() -> None:
    def reads(table: type[Table]) -> set[str]:
        found = inspect.getmembers(table, inspect.isfunction)
        return {name for name, method in found if not name.startswith("_")}

    # What is made of others, and what reads nothing of the form of a key.
    of_others = {"text", "choice", "path", "optional_path", "strings", "others", "is_table", "reject_key"}
    assert {name for name in reads(Table) if name not in vars(_Recorder)} == of_others


def test_no_pattern_means_another_thing_to_other_engines() -> None:
    patterns = re.findall(r'"pattern": "(.*?)"', json.dumps([toml_schema(), json_schema()]))
    assert patterns
    assert [each for each in patterns if re.search(r"\\\\[wWdDbB0AZ]|\(\?P|\(\?<", each)] == []
