"""The table `science`, as manifests before science 0.1 have it."""

from __future__ import annotations

from pathlib import Path

import pytest

from czscie.errors import CzscieError
from czscie.lift.interpreter import PythonBuildStandalone
from czscie.lift.manifest import parse_manifest

MANIFEST = """
[science]
name = "moo"
platforms = ["linux-x86_64"]

[science.scie-jump]
version = "0.11.0"

[science.ptex]
lazy_argv1 = "{scie.env.URLS={scie.lift}}"

[[science.files]]
name = "tool"
executable = true

[[science.commands]]
exe = "{tool}"
env.remove = ["PYTHONPATH"]

[[science.bindings]]
name = "once"
exe = "{tool}"
env.remove = ["A"]
env.remove_re = ["B.*"]
"""


@pytest.mark.parametrize("table", ["science", "lift"])
def test_keys_have_other_names_before_and_in_the_first_release(table: str) -> None:
    lift = parse_manifest(MANIFEST.replace("science", table), Path("science.toml"))
    assert (lift.key, lift.name) == (table, "moo")
    assert lift.scie_jump is not None and lift.scie_jump.version == "0.11.0"
    assert lift.ptex is not None and lift.ptex.argv1 == "{scie.env.URLS={scie.lift}}"
    assert [file.is_executable for file in lift.files] == [True]
    assert lift.commands[0].env.remove_exact == ("PYTHONPATH",)
    assert (lift.bindings[0].env.remove_exact, lift.bindings[0].env.remove_re) == (("A",), ("B.*",))


def test_what_is_wrong_in_it_is_named_by_its_table() -> None:
    with pytest.raises(CzscieError) as caught:
        parse_manifest('[science]\nnmae = "moo"\ncommands = [{ exe = "a" }, { exe = "b" }]', Path("a.toml"))
    text = str(caught.value)
    assert "science.nmae: unknown key; did you mean name?" in text and "science.name" not in text
    assert (
        "science.commands[1].name: found nothing, allowed: a name that science.commands[0] does not" in text
    )


def test_beside_a_lift_it_is_a_table_of_others() -> None:
    lift = parse_manifest(
        '[science]\nx = 1\n[fetch]\ny = 2\n[lift]\nname = "moo"\ncommands = [{ exe = "/bin/true" }]',
        Path("a.toml"),
    )
    assert lift.key == "lift"


def test_the_keys_of_a_provider_may_be_in_a_table_of_their_own() -> None:
    text = """
        [[science.interpreters]]
        id = "cpython"
        provider = "science.providers.PBS"
        lazy = true
        [science.interpreters.configuration]
        version = "3.10"
        flavor = "install_only"
    """
    [interpreter] = parse_manifest(MANIFEST + text, Path("science.toml")).interpreters
    assert interpreter == PythonBuildStandalone("cpython", "3.10", None, "install_only", None, (), True)


@pytest.mark.parametrize(
    "table", ["interpreters = 1", "interpreters = [1]", "interpreters = [{ configuration = 1 }]"]
)
def test_what_is_no_interpreter_is_an_error(table: str) -> None:
    with pytest.raises(CzscieError, match=r"science\.interpreters"):
        parse_manifest(f"[science]\nname = 'a'\n{table}", Path("science.toml"))
