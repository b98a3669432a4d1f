"""Manifests of science's first versions, with the names that their keys have today.

In the first release, 0.1, four keys had other names. Before it, the lift was the table `science`, and still
before, the keys of a provider were in a table `configuration`. See science/config.py, and science.toml in the
history, of github.com/a-scie/lift, December 2022 to May 2023.
"""

from __future__ import annotations

from typing import Any

#: By the names of the tables in the lift that lead to the key, without indexes.
_KEYS = {
    ("scie-jump",): "scie_jump",
    ("ptex", "lazy_argv1"): "argv1",
    ("files", "executable"): "is_executable",
    ("commands", "env", "remove"): "remove_exact",
    ("bindings", "env", "remove"): "remove_exact",
}
_CONFIGURATION = "configuration"
_PROVIDERS = {"science.providers.PBS": "PythonBuildStandalone"}


def modernized(document: dict[str, Any], lift: str) -> dict[str, Any]:
    """`document` with the names that keys of its table `lift` have today, each at its place."""
    return {key: _renamed(value, ()) if key == lift else value for key, value in document.items()}


def _renamed(value: Any, where: tuple[str, ...]) -> Any:
    if isinstance(value, list):
        return [_renamed(each, where) for each in value]
    if not isinstance(value, dict):
        return value
    if where == ("interpreters",):
        value = _flat(value)
    return {_KEYS.get((*where, key), key): _renamed(inner, (*where, key)) for key, inner in value.items()}


def _flat(interpreter: dict[str, Any]) -> dict[str, Any]:
    """An interpreter with the keys of its table `configuration`, and its provider by today's name."""
    configuration = interpreter.get(_CONFIGURATION)
    if isinstance(configuration, dict):
        interpreter = {
            key: value for key, value in interpreter.items() if key != _CONFIGURATION
        } | configuration
    provider = interpreter.get("provider")
    if isinstance(provider, str) and provider in _PROVIDERS:
        interpreter = interpreter | {"provider": _PROVIDERS[provider]}
    return interpreter
