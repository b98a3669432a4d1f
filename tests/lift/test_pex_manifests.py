"""What pex 2.105 writes for `pex cowsay==6.1 --scie …`, in each of its styles, is read whole.

A file of `science/pex` is what pex gave a stand-in for science, called as the name says: `venvbusybox` with
`--venv prepend --scie lazy --scie-busybox @cowsay`, `iconres` with `--scie-icon '{scie.env.ICON}'`,
`--scie-bind-resource-path` and `--no-scie-prompt-desktop-install`, `custom` with `--scie-exe`, `--scie-args`
and `--scie-env`, the others with the option of their name.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from czscie.lift.interpreter import PythonBuildStandalone
from czscie.lift.lift import Lift
from czscie.lift.manifest import read_manifest
from czscie.platforms import current_platform
from czscie.scie.expansion import Expansion

PEX = Path(__file__).parent / "science" / "pex"
STYLES = sorted(path.stem for path in PEX.iterdir())
FILES = {"configure-binding.py", "pex"}


def read(style: str) -> Lift:
    return read_manifest(PEX / f"{style}.toml")


@pytest.mark.parametrize("style", STYLES)
def test_each_has_one_interpreter_that_configures_it(style: str) -> None:
    lift = read(style)
    [interpreter] = lift.interpreters
    assert isinstance(interpreter, PythonBuildStandalone)
    assert (interpreter.id, interpreter.release) == ("python-distribution", "20260101")
    assert {file.id for file in lift.files} >= FILES
    assert next(file for file in lift.files if file.id == "pex").is_executable
    expansion = Expansion({interpreter.id: {"python": "python/bin/python3"}})
    for binding in map(expansion.command, lift.bindings):
        assert binding.exe == "{python-distribution}/python/bin/python3"
        assert (binding.env.remove_exact, binding.env.remove_re) == (("PATH",), ("PEX_.*", "PYTHON.*"))


def test_files_are_those_of_the_style() -> None:
    more = {style: {file.id for file in read(style).files} - FILES for style in STYLES}
    assert {style: ids for style, ids in more.items() if ids} == {
        "desktop": {".desktop", "icon"},
        "iconres": {".desktop", "resource-binding.py"},
    }
    assert [binding.name for binding in read("iconres").bindings] == ["configure", "resources"]


def test_versions_and_platforms_are_those_of_the_style() -> None:
    versions = {
        each.version
        for style in STYLES
        for each in read(style).interpreters
        if isinstance(each, PythonBuildStandalone)
    }
    assert versions == {"3.13.5", "3.13.5t"}
    platforms = {style: [each.name for each in read(style).platforms] for style in STYLES}
    here = [current_platform().name]
    assert {style: names for style, names in platforms.items() if names != here} == {
        "musl": ["musl-linux-x86_64"],
        "powerpc64": ["linux-powerpc64"],
        "windowed": ["windows-x86_64"],
    }


def test_flags_and_commands_are_those_of_the_style() -> None:
    assert [style for style in STYLES if read(style).windowed] == ["desktop", "iconres", "windowed"]
    assert [style for style in STYLES if read(style).load_dotenv] == ["dotenv"]
    assert [style for style in STYLES if read(style).ptex is not None] == ["lazy", "venvbusybox"]
    assert [command.name for command in read("venvbusybox").commands] == ["cowsay"]
    [custom] = read("custom").commands
    assert custom.args == ("{scie.bindings.configure:PEX}", "-m", "cowsay")
    assert custom.env.replace == {"VIRTUAL_ENV": "{scie.bindings.configure:VIRTUAL_ENV}", "A": "b"}
    assert read("dotenv").base == "{scie.env.HOME}/x"
