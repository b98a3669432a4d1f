"""PEX-INFO, the metadata of a PEX. The parser is lenient, because PEXes of ten years are still in use.

The fields and their defaults are those of pex 2.105 (`pex/pex_info.py`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from czscie.documents import parse_json
from czscie.errors import Code, CzscieError

PATH = "PEX-INFO"


@dataclass(frozen=True, slots=True)
class PexInfo:
    """The content of PEX-INFO; a field that is absent or null has its default.

    `interpreter_constraints` are alternatives. `inherit_path` is `false`, `prefer` or `fallback`;
    `venv_bin_path` is `false`, `prepend` or `append`. `distributions` maps the names below `.deps` to their
    fingerprints. `unknown` are the fields that this version of czscie has no name for.
    """

    bind_resource_paths: Mapping[str, str] = field(default_factory=dict)
    bootstrap_hash: str | None = None
    build_properties: Mapping[str, Any] = field(default_factory=dict)
    code_hash: str | None = None
    deps_are_wheel_files: bool = False
    distributions: Mapping[str, str] = field(default_factory=dict)
    emit_warnings: bool = True
    entry_point: str | None = None
    excluded: tuple[str, ...] = ()
    ignore_errors: bool = False
    includes_tools: bool = False
    inherit_path: str = "false"
    inject_args: tuple[str, ...] = ()
    inject_env: Mapping[str, str] = field(default_factory=dict)
    inject_python_args: tuple[str, ...] = ()
    interpreter_constraints: tuple[str, ...] = ()
    interpreter_selection_strategy: str = "oldest"
    max_install_jobs: int = 1
    overridden: tuple[str, ...] = ()
    pex_hash: str | None = None
    pex_paths: tuple[str, ...] = ()
    pex_root: str | None = None
    requirements: tuple[str, ...] = ()
    script: str | None = None
    strip_pex_env: bool = True
    venv: bool = False
    venv_bin_path: str = "false"
    venv_copies: bool = False
    venv_hermetic_scripts: bool = True
    venv_site_packages_copies: bool = False
    venv_system_site_packages: bool = False
    unknown: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def parse(cls, data: bytes, label: str) -> PexInfo:
        """Read PEX-INFO's JSON. Raises CzscieError, which calls the PEX `label`, when it is invalid."""
        try:
            raw = parse_json(data)
        except ValueError as error:
            raise CzscieError(
                f"the PEX-INFO of {label} is not JSON", code=Code.PEX_INVALID, why=str(error)
            ) from error
        if not isinstance(raw, dict):
            raise CzscieError(f"the PEX-INFO of {label} is not a JSON object", code=Code.PEX_INVALID)
        values: dict[str, Any] = {}
        for name, read in _READERS.items():
            value = raw.get(name)
            if value is None:
                continue
            try:
                values[name] = read(value)
            except (TypeError, ValueError) as error:
                raise CzscieError(
                    f"the PEX-INFO of {label} has a {name} that czscie cannot read",
                    code=Code.PEX_INVALID,
                    why=f"expected {error}, found {json.dumps(value)[:200]}",
                ) from error
        if not values.get("pex_paths"):
            values["pex_paths"] = _legacy_pex_path(raw)
        # A PEX that is to run from a venv has pex's tools in it unless it says otherwise.
        values.setdefault("includes_tools", values.get("venv", False))
        unknown = {name: value for name, value in raw.items() if name not in _READERS and name != "pex_path"}
        return cls(**values, unknown=unknown)

    def render(self) -> bytes:
        """PEX-INFO's JSON, sorted and in one line. Parsing it gives an equal value."""
        raw: dict[str, Any] = dict(self.unknown)
        for name in _READERS:
            value = getattr(self, name)
            if isinstance(value, Mapping):
                raw[name] = dict(value)
            elif isinstance(value, tuple):
                raw[name] = list(value)
            elif value is not None:
                raw[name] = value
        # Pexes before 2.1.105 know the string only.
        raw["pex_path"] = ":".join(self.pex_paths)
        return json.dumps(raw, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("a string")
    return value


def _optional_text(value: Any) -> str | None:
    return _text(value) or None


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise TypeError("an array of strings")
    return tuple(value)


def _requirements(value: Any) -> tuple[str, ...]:
    """Strings; before pex 0.8 triples, of which the first is the requirement."""
    if not isinstance(value, list):
        raise TypeError("an array")
    return _texts([item[0] if isinstance(item, list) and len(item) == 3 else item for item in value])


def _text_map(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise TypeError("an object of strings")
    return value


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("an object")
    return value


def _flag(value: Any) -> bool:
    # pex asks for the truth of whatever is there.
    return bool(value)


def _number(value: Any) -> int:
    if not isinstance(value, int):
        raise TypeError("a number")
    return int(value)


def _word(*words: str, true: str) -> Callable[[Any], str]:
    """One of `words`. Old pexes wrote a boolean, of which true means `true`, or `False` as a string."""

    def read(value: Any) -> str:
        if isinstance(value, bool):
            return true if value else "false"
        if not isinstance(value, str) or value.lower() not in words:
            raise ValueError("one of " + ", ".join(words))
        return value.lower()

    return read


def _legacy_pex_path(raw: Mapping[str, Any]) -> tuple[str, ...]:
    """Before pex 2.1.105 the other PEXes were one string, separated by colons."""
    path = raw.get("pex_path")
    return tuple(path.split(":")) if isinstance(path, str) and path else ()


_READERS: dict[str, Callable[[Any], Any]] = {
    "bind_resource_paths": _text_map,
    "bootstrap_hash": _optional_text,
    "build_properties": _mapping,
    "code_hash": _optional_text,
    "deps_are_wheel_files": _flag,
    "distributions": _text_map,
    "emit_warnings": _flag,
    "entry_point": _optional_text,
    "excluded": _texts,
    "ignore_errors": _flag,
    "includes_tools": _flag,
    "inherit_path": _word("false", "prefer", "fallback", true="prefer"),
    "inject_args": _texts,
    "inject_env": _text_map,
    "inject_python_args": _texts,
    "interpreter_constraints": _texts,
    "interpreter_selection_strategy": _text,
    "max_install_jobs": _number,
    "overridden": _texts,
    "pex_hash": _optional_text,
    "pex_paths": _texts,
    "pex_root": _optional_text,
    "requirements": _requirements,
    "script": _optional_text,
    "strip_pex_env": _flag,
    "venv": _flag,
    "venv_bin_path": _word("false", "prepend", "append", true="prepend"),
    "venv_copies": _flag,
    "venv_hermetic_scripts": _flag,
    "venv_site_packages_copies": _flag,
    "venv_system_site_packages": _flag,
}

assert {item.name for item in fields(PexInfo)} == {*_READERS, "unknown"}
