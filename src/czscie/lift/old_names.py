"""The manifest of science before its first release, 0.1: the table `science`, in which five keys had other
names. See science/config.py of github.com/a-scie/lift of early May 2023.
"""

from __future__ import annotations

from typing import Any

#: By the names of the tables that lead to the key, without indexes.
_NAMES = {
    ("science", "scie-jump"): "scie_jump",
    ("science", "ptex", "lazy_argv1"): "argv1",
    ("science", "files", "executable"): "is_executable",
    ("science", "commands", "env", "remove"): "remove_exact",
    ("science", "bindings", "env", "remove"): "remove_exact",
}


def modernized(document: dict[str, Any]) -> dict[str, Any]:
    """`document` with the names that keys have today, each at its place."""
    return {key: _renamed(value, (key,)) for key, value in document.items()}


def _renamed(value: Any, where: tuple[str, ...]) -> Any:
    if isinstance(value, list):
        return [_renamed(each, where) for each in value]
    if isinstance(value, dict):
        return {
            _NAMES.get((*where, key), key): _renamed(inner, (*where, key)) for key, inner in value.items()
        }
    return value
