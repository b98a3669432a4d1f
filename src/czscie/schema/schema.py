"""The schemas of manifests: what the reader of a manifest reads of a table that records it.

The reader runs once, as for a manifest. Every read of a key becomes the schema of that key, so the reader
stays the only place that says which keys there are. What it finds out by comparing keys, by looking at files
or by parsing is not in the schema. https://json-schema.org/draft/2020-12 is the format.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from czscie.lift.json_lift import read_json_lift
from czscie.lift.lift import Lift
from czscie.lift.problem import Problems
from czscie.lift.table import SOMETHING, TEXT, Shape, Table
from czscie.schema.reference import Place, descriptions, sentence

Schema = dict[str, Any]

_T = TypeVar("_T")
_P = ParamSpec("_P")

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
#: Classes of characters that are larger in Python's regular expressions than in ECMAScript's.
_OF_PYTHON = re.compile(r"\\[wWdDbB]")


def toml_schema() -> Schema:
    """The schema of lift.toml. Tables beside `lift` are those of other tools."""
    root = _Recorder((), descriptions())
    Lift.read(root.table("lift"), Path("lift.toml"))
    return {"$schema": _DIALECT, "title": "A lift manifest of czscie", **root.schema}


def json_schema() -> Schema:
    """The schema of a lift in JSON, the form of science's launcher."""
    root = _Recorder((), {})
    read_json_lift(root.table("scie"), {}, Path("lift.json"))
    return {"$schema": _DIALECT, "title": "A lift of science in JSON", **root.schema}


class _Recorder(Table):
    """A table that has no keys and records in `schema` how each is read."""

    def __init__(self, where: Place, described: Mapping[Place, str]) -> None:
        super().__init__({}, where, Problems({}))
        self._place = where
        self._described = described
        self.schema: Schema = {"type": "object"}

    def __contains__(self, key: str) -> bool:
        return True

    # What is recorded without a value.

    def require(self, key: str, allowed: str) -> None:
        self.schema.setdefault("required", []).append(key)

    def require_one(self, keys: Sequence[str], otherwise: str) -> None:
        ones: list[Schema] = [{"required": [key]} for key in keys]
        self.schema["oneOf"] = [*ones, {"required": [otherwise], "not": {"anyOf": ones}}]

    def reject(self, *key: str | int, **words: object) -> None:
        """Nothing: what is rejected for its meaning is not in the schema."""

    def finish(self) -> None:
        self.schema["additionalProperties"] = False

    # Reads.

    def optional_text(self, key: str, shape: Shape = TEXT) -> str | None:
        self._record(key, _string(shape), shape.words)
        return None

    def texts(self, key: str, shape: Shape = TEXT, *, may_be_empty: bool = True) -> tuple[str, ...]:
        self._record(key, _array(_string(shape), may_be_empty), shape.words)
        return ()

    def one_or_more(self, key: str, shape: Shape = TEXT) -> tuple[str, ...]:
        self._record(key, _any(_string(shape), _array(_string(shape), False)), shape.words)
        return ()

    def optional_text_or_texts(self, key: str, shape: Shape, each: Shape) -> str | tuple[str, ...] | None:
        self._record(key, _any(_string(shape), _array(_string(each), False)), shape.words)
        return None

    def text_table(self, key: str, names: Shape = SOMETHING) -> dict[str, str]:
        self._record(key, _named(_string(TEXT), names))
        return {}

    def text_or_null_table(self, key: str, names: Shape = SOMETHING) -> dict[str, str | None]:
        self._record(key, _named({**_string(TEXT), "type": ["string", "null"]}, names))
        return {}

    def named_tables(self, key: str, *, may_be_empty: bool = True) -> dict[str, Table]:
        inner = self._inside(key)
        least = {} if may_be_empty else {"minProperties": 1}
        self._record(key, {**_named(inner.schema, TEXT), **least})
        return {"": inner}

    def optional_choice(self, key: str, options: Sequence[str]) -> str | None:
        # The ids of a manifest are not known before there is one.
        self._record(key, {"type": "string", "enum": list(options)} if options else {"type": "string"})
        return None

    def flag(self, key: str, default: bool = False) -> bool:
        self._record(key, {"type": "boolean", "default": default})
        return default

    def optional_flag(self, key: str) -> bool | None:
        self._record(key, {"type": "boolean"})
        return None

    def optional_integer(self, key: str, low: int, high: int | None = None) -> int | None:
        most = {} if high is None else {"maximum": high}
        self._record(key, {"type": "integer", "minimum": low, **most})
        return None

    def table(self, key: str) -> Table:
        self.require(key, "a table")
        return self.optional_table(key)

    def optional_table(self, key: str) -> Table:
        inner = self._inside(key)
        self._record(key, inner.schema)
        return inner

    def tables(self, key: str) -> tuple[Table, ...]:
        inner = self._inside(key)
        self._record(key, _array(inner.schema))
        return (inner,)

    def optional_text_or_table(self, key: str, shape: Shape) -> Table:
        inner = self._inside(key)
        self._record(key, _any(_string(shape), inner.schema), shape.words)
        return inner

    def optional_flag_or_table(self, key: str) -> Table:
        inner = self._inside(key)
        self._record(key, _any({"type": "boolean"}, inner.schema))
        return inner

    def texts_or_tables(self, key: str, shape: Shape) -> tuple[Table, ...]:
        inner = self._inside(key)
        self._record(key, _array(_any(_string(shape), inner.schema), False), shape.words)
        return (inner,)

    def free_table(self, key: str) -> dict[str, object]:
        self._record(key, {"type": "object"})
        return {}

    def variant(
        self,
        key: str,
        shape: Shape,
        readers: Mapping[str, Callable[Concatenate[Table, _P], _T]],
        *arguments: _P.args,
        **options: _P.kwargs,
    ) -> None:
        """Each variant is in an `if`, so that errors name the wrong key; editors complete the keys of all."""
        self.text(key, shape)
        variants: dict[str, Schema] = {}
        for name, read in readers.items():
            variant = _Recorder(self._place, self._described)
            variant.schema = copy.deepcopy(self.schema)
            read(variant, *arguments, **options)
            variant.finish()
            variants[name] = variant.schema
        self.schema["properties"] |= _joined([each["properties"] for each in variants.values()])
        self.schema["allOf"] = [
            {"if": {"properties": {key: {"const": name}}, "required": [key]}, "then": variant}
            for name, variant in variants.items()
        ]
        self.finish()

    # What a schema is made of.

    def _inside(self, key: str) -> _Recorder:
        return _Recorder((*self._place, key), self._described)

    def _record(self, key: str, schema: Schema, words: str | None = None) -> None:
        """Record the schema of `key`; `words` are what describes it if the reference does not."""
        told = self._described.get((*self._place, key)) or (words and sentence(words))
        if told:
            schema["description"] = told
        self.schema.setdefault("properties", {})[key] = schema


def _string(shape: Shape) -> Schema:
    if shape.values:
        return {"type": "string", "enum": list(shape.values)}
    if shape.pattern is None or _OF_PYTHON.search(shape.pattern):
        return {"type": "string"}
    # Rust's engine, which editors for TOML use, knows no octal escapes.
    pattern = shape.pattern.replace(r"\0", r"\x00")
    return {"type": "string", "pattern": f"^(?:{pattern})$"}


def _array(items: Schema, may_be_empty: bool = True) -> Schema:
    return {"type": "array", "items": items} | ({} if may_be_empty else {"minItems": 1})


def _named(values: Schema, names: Shape) -> Schema:
    """A table with free keys."""
    return {"type": "object", "propertyNames": _string(names), "additionalProperties": values}


def _joined(tables: Sequence[dict[str, Schema]]) -> dict[str, Schema]:
    """The keys of all of several tables, each with what any of these allows."""
    joined: dict[str, Schema] = {}
    for key in dict.fromkeys(key for table in tables for key in table):
        schemas = [table[key] for table in tables if key in table]
        different = [each for index, each in enumerate(schemas) if each not in schemas[:index]]
        told = {"description": schemas[0]["description"]} if "description" in schemas[0] else {}
        joined[key] = different[0] if len(different) == 1 else _any(*different) | told
    return joined


def _any(*schemas: Schema) -> Schema:
    return {"anyOf": list(schemas)}
