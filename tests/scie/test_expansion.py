"""What becomes of `#{id}` and `#{id:name}`."""

from __future__ import annotations

import pytest

from czscie.czex.write import InstalledInterpreter
from czscie.errors import CzscieError
from czscie.implementation import CPYTHON, Implementation
from czscie.lift.command import Command, Environment
from czscie.lift.interpreter import InterpreterGroup
from czscie.pbs.distribution import Layout
from czscie.platforms import find_platform
from czscie.scie.expansion import Expansion, named_files

TWO = {
    "py12": {"python": "python/bin/python3.12", "pip": "python/bin/pip3.12"},
    "py13": {"python": "python/bin/python3.13"},
}
GROUP = InterpreterGroup("py", "{scie.env.WHICH=py12}", ("py12", "py13"))


def expanded(exe: str, *args: str, default: str = "", replaced: str = "") -> Command:
    env = Environment({"D": default}, {"R": replaced}, ("X",), ("Y.*",))
    return Expansion(TWO, [GROUP]).command(Command("", None, exe, args, env, "lift.commands[3]"))


@pytest.mark.parametrize(
    ("written", "becomes"),
    [
        ("#{py12}", "{py12}"),
        ("#{py12:python}", "{py12}/python/bin/python3.12"),
        ("#{py12:pip}:#{py13:python}", "{py12}/python/bin/pip3.12:{py13}/python/bin/python3.13"),
        ("{py12}/python/bin/python", "{py12}/python/bin/python"),
        ("{scie.env.A=#{py13:python}}", "{scie.env.A={py13}/python/bin/python3.13}"),
        ("{scie.files:hash.#{py}}", "{scie.files:hash.{scie.env.WHICH=py12}}"),
        ("#{scie} #{nobody}", "#{scie} #{nobody}"),
        ("{{#}", "{{#}"),
    ],
)
def test_placeholders_of_the_build_become_those_of_the_launcher(written: str, becomes: str) -> None:
    command = expanded(written, written, default=written, replaced=written)
    assert (command.exe, command.args) == (becomes, (becomes,))
    assert command.env == Environment({"D": becomes}, {"R": becomes}, ("X",), ("Y.*",))


def test_a_file_of_a_group_is_looked_up_by_the_selector_when_it_starts() -> None:
    command = expanded("#{py:python}")
    assert command.exe == (
        "{scie.files.{scie.env.WHICH=py12}}/{scie.env._SCIENCE_IG_py_python_{scie.env.WHICH=py12}}"
    )
    assert command.env.replace == {
        "_SCIENCE_IG_py_python_py12": "python/bin/python3.12",
        "_SCIENCE_IG_py_python_py13": "python/bin/python3.13",
        "R": "",
    }


def test_so_it_is_in_arguments_and_variables() -> None:
    for command in (expanded("a", "#{py:python}"), expanded("a", default="#{py:python}")):
        assert set(command.env.replace) == {"_SCIENCE_IG_py_python_py12", "_SCIENCE_IG_py_python_py13", "R"}
    assert set(expanded("a").env.replace) == {"R"}


@pytest.mark.parametrize("written", ["#{py13:pip}", "#{py:pip}"])
def test_a_file_that_an_interpreter_lacks_is_named_with_its_key(written: str) -> None:
    with pytest.raises(CzscieError) as caught:
        expanded("a", "b", written)
    assert str(caught.value) == (
        f"error: lift.commands[3].args[1]: {written} cannot be built\n  py13 has on this platform: python"
    )


def test_an_interpreter_has_pip_beside_its_python_except_on_windows() -> None:
    def files(python: str, platform: str) -> dict[str, str]:
        layout = Layout(Implementation(CPYTHON, "3.13.9"), python, "lib")
        return named_files(InstalledInterpreter("", layout, find_platform(platform)))

    assert files("python/bin/python3.13", "linux-x86_64") == {
        "python": "python/bin/python3.13",
        "pip": "python/bin/pip3.13",
    }
    assert files("python/python.exe", "windows-x86_64") == {"python": "python/python.exe"}
