from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from czscie.lift.command import Command
from czscie.lift.manifest import read_manifest
from czscie.science.pex_lift import with_desktop_entry, with_payload

#: What pex 2.105 writes, but for the command.
LIFT = """\
[lift]
name = "app"
platforms = ["linux-x86_64"]

[[lift.files]]
name = "configure-binding.py"

[[lift.files]]
name = "app.pex"
key = "pex"

[[lift.interpreters]]
id = "python-distribution"
provider = "PythonBuildStandalone"
version = "3.13"

[[lift.bindings]]
name = "configure"
exe = "#{{python-distribution:python}}"
args = ["{{pex}}", "{{configure-binding.py}}", "5e"]

[[lift.commands]]
exe = '{exe}'
args = {args}
"""
PYTHON = "{scie.bindings.configure:PYTHON}"
PEX = "{scie.bindings.configure:PEX}"
BIN = "{scie.bindings.configure:VENV_BIN_DIR_PLUS_SEP}"


def command(directory: Path, *words: str, python_args: Sequence[str] = ()) -> Command:
    """The command of a lift for a PEX with `python_args` (`--inject-python-args`), as its payload has it."""
    with zipfile.ZipFile(directory / "app.pex", "w") as archive:
        archive.writestr("PEX-INFO", json.dumps({"inject_python_args": list(python_args)}))
    (directory / "lift.toml").write_text(LIFT.format(exe=words[0], args=json.dumps(words[1:])))
    lift = with_payload(read_manifest(directory / "lift.toml"))
    assert lift is not None and lift.payload is not None
    return lift.commands[0]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((PYTHON, PEX, "moo"), ("-s", "-O", "-X", "dev{{}", "{payload}/__main__.py", "moo")),
        (
            (PYTHON, "-W", "ignore", PEX),
            ("-s", "-W", "ignore", "-O", "-X", "dev{{}", "{payload}/__main__.py"),
        ),
    ],
)
def test_a_start_of_the_pex_has_its_arguments_of_python(
    tmp_path: Path, words: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    made = command(tmp_path, *words, python_args=("-O", "-X", "dev{}"))
    assert (made.exe, made.args) == ("{payload}/bin/python", expected)


def test_the_lift_can_have_the_arguments_of_python_itself(tmp_path: Path) -> None:
    made = command(tmp_path, PYTHON, "-O", PEX, "moo", python_args=("-O",))
    assert made.args == ("-s", "-O", "{payload}/__main__.py", "moo")


@pytest.mark.parametrize(
    "words",
    [
        ("/usr/bin/env", PYTHON, PEX, "moo"),
        ("/bin/echo", PEX),
        (f"{BIN}tool", PEX),
        (PYTHON, "-m", "pdb", PEX),
        (PYTHON, "-c", "pass", PEX),
        (PYTHON, "tool.py", PEX),
    ],
)
def test_another_program_gets_the_installed_payload_as_an_argument(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    bound = {PYTHON: "{payload}/bin/python", PEX: "{payload}", f"{BIN}tool": "{payload}/bin/tool"}
    made = command(tmp_path, *words, python_args=("-O",))
    assert (made.exe, *made.args) == tuple(bound.get(word, word) for word in words)


DESKTOP_ENTRY = LIFT.replace(
    '"5e"',
    '"--desktop-file", "{{.desktop}}", "--scie-jump", "{{scie.jump}}", "--scie-lift", "{{scie.lift}}", "5e"',
).replace("[[lift.interpreters]]", '[[lift.files]]\nname = ".desktop"\n\n[[lift.interpreters]]')


@pytest.mark.parametrize(
    ("of_pex", "written"),
    [("Exec = {default_exec}\n", 'Exec = "{exe}"\n'), ("Exec = {exe} --moo\n", "Exec = {exe} --moo\n")],
)
def test_a_desktop_entry_starts_the_executable(tmp_path: Path, of_pex: str, written: str) -> None:
    (tmp_path / ".desktop").write_text(of_pex)
    (tmp_path / "lift.toml").write_text(DESKTOP_ENTRY.format(exe=PYTHON, args=json.dumps([PEX])))
    (tmp_path / "work").mkdir()
    lift = with_desktop_entry(read_manifest(tmp_path / "lift.toml"), tmp_path / "work")
    [path] = [file.path for file in lift.files if file.id == ".desktop"]
    assert path.read_text() == written
    assert (tmp_path / ".desktop").read_text() == of_pex
