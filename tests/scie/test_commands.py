from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from czscie.container.manifest import Boot, Command
from czscie.czex.info import PexInfo
from czscie.czex.start import HERMETIC_REMOVED
from czscie.czex.write import InstalledInterpreter
from czscie.errors import CzscieError
from czscie.implementation import CPYTHON, Implementation
from czscie.lift.manifest import read_manifest
from czscie.pbs.distribution import Layout
from czscie.platforms import find_platform
from czscie.scie.commands import boot

CPYTHON = InstalledInterpreter(
    "ab" * 32,
    Layout(Implementation(CPYTHON, "3.13.9"), "bin/python3.13", "lib/python3.13"),
    find_platform("linux-x86_64"),
)
WINDOWS = InstalledInterpreter(
    "ab" * 32, Layout(Implementation(CPYTHON, "3.13.9"), "python.exe", "Lib"), find_platform("windows-x86_64")
)

HEAD = """\
[lift]
name = "moo"
description = "moos"
platforms = ["linux-x86_64"]

[[lift.interpreters]]
id = "cpython"
provider = "Host"

[[lift.files]]
name = "app.pex"
key = "app"
"""
PAYLOAD = '[lift.payload]\npex = "moo.pex"\n'


def commands(
    directory: Path,
    text: str,
    info: PexInfo | None = None,
    cpython: InstalledInterpreter = CPYTHON,
    with_terminfo: tuple[str, ...] = (),
) -> Boot:
    path = directory / "lift.toml"
    path.write_text(HEAD + text)
    return boot(read_manifest(path), info, {"cpython": cpython}, with_terminfo)


def command(directory: Path, exe: str, rest: str = "", with_terminfo: tuple[str, ...] = ()) -> Command:
    text = f"[[lift.commands]]\nexe = '{exe}'\n{rest}"
    return commands(directory, text, with_terminfo=with_terminfo).commands[""]


def test_the_payload_is_the_default_command(tmp_path: Path) -> None:
    info = PexInfo(inject_python_args=("-X", "dev", "{braces}"))
    made = commands(tmp_path, PAYLOAD, info).commands
    assert made == {
        "": Command(
            exe="{payload}/bin/python",
            args=("-s", "-X", "dev", "{{braces}", "{payload}/__main__.py"),
            env={f"={name}": None for name in HERMETIC_REMOVED}
            | {"=VIRTUAL_ENV": "{payload}", "=PEX": "{scie}"},
            description="moos",
        )
    }


def test_what_leaks_another_python_in_is_removed_and_harmless_switches_are_not(tmp_path: Path) -> None:
    environment = commands(tmp_path, PAYLOAD, PexInfo()).commands[""].env
    assert environment["=PYTHONPATH"] is None
    assert environment["=PYTHONHOME"] is None
    for switch in (
        "PYTHONUNBUFFERED",
        "PYTHONWARNINGS",
        "PYTHONUTF8",
        "PYTHONFAULTHANDLER",
        "PYTHONHASHSEED",
    ):
        assert f"={switch}" not in environment and switch not in environment


TERMINFO_DIRS = "/etc/terminfo:/lib/terminfo:/usr/share/terminfo:{cpython}/share/terminfo"


def test_the_payload_finds_the_interpreters_terminals_behind_the_systems(tmp_path: Path) -> None:
    made = commands(tmp_path, PAYLOAD, PexInfo(), with_terminfo=("cpython",)).commands[""]
    assert made.env["TERMINFO_DIRS"] == TERMINFO_DIRS
    made = commands(tmp_path, PAYLOAD, PexInfo()).commands[""]
    assert "TERMINFO_DIRS" not in made.env


@pytest.mark.parametrize(
    ("exe", "rest", "expected"),
    [
        ("#{cpython:python}", "", {"TERMINFO_DIRS": TERMINFO_DIRS}),
        ("{cpython}/bin/idle3", "", {"TERMINFO_DIRS": TERMINFO_DIRS}),
        ("{app}", "", {}),
        ("#{cpython:python}", 'env.default.TERMINFO_DIRS = "/mine"', {"TERMINFO_DIRS": "/mine"}),
        ("#{cpython:python}", 'env.replace.TERMINFO_DIRS = "/mine"', {"=TERMINFO_DIRS": "/mine"}),
        ("#{cpython:python}", 'env.remove_exact = ["TERMINFO_DIRS"]', {"=TERMINFO_DIRS": None}),
    ],
)
def test_so_does_a_python_that_a_command_starts(
    tmp_path: Path, exe: str, rest: str, expected: dict[str, str | None]
) -> None:
    assert command(tmp_path, exe, rest, with_terminfo=("cpython",)).env == expected


def test_on_windows_the_environment_has_its_python_in_scripts(tmp_path: Path) -> None:
    assert commands(tmp_path, PAYLOAD, PexInfo(), WINDOWS).commands[""].exe == "{payload}/Scripts/python.exe"


@pytest.mark.parametrize(
    ("written", "translated"),
    [
        ("#{cpython:python}", "{cpython}/bin/python3.13"),
        ("#{cpython}/lib", "{cpython}/lib"),
        ("{cpython}/lib", "{cpython}/lib"),
        ("{scie.files.cpython}", "{scie.files.cpython}"),
        ("{app.pex}", "{.files}/app.pex"),
        ("{app}", "{.files}/app.pex"),
        ("{scie.files.app}", "{.files}/app.pex"),
        ("{scie.files.app.pex}", "{.files}/app.pex"),
        ("{scie}", "{scie}"),
        ("#{scie}", "#{scie}"),
        ("#{app}", "#{.files}/app.pex"),
        ("{scie.argv0}:{scie.base}", "{scie.argv0}:{scie.base}"),
        ("{scie.env.HOME}", "{scie.env.HOME}"),
        ("{scie.env.MODE=fast}", "{scie.env.MODE=fast}"),
        ("{scie.env.PY=#{cpython:python}}", "{scie.env.PY={cpython}/bin/python3.13}"),
        ("{scie.env.A={scie.env.B={app}}}", "{scie.env.A={scie.env.B={.files}/app.pex}}"),
        ("{{not one} } {{{app}", "{{not one} } {{{.files}/app.pex"),
        ("plain } $x %y", "plain } $x %y"),
        ("", ""),
    ],
)
def test_placeholders_become_what_the_launcher_knows(tmp_path: Path, written: str, translated: str) -> None:
    rest = f"args = ['{written}']\n[lift.commands.env.default]\nA = '{written}'\n"
    made = command(tmp_path, f"/bin/x{written}", f"{rest}[lift.commands.env.replace]\nB = '{written}'\n")
    assert made.exe == f"/bin/x{translated}"
    assert made.args == (translated,)
    assert made.env == {"A": translated, "=B": translated}


@pytest.mark.parametrize(
    ("written", "named"),
    [
        ("{nobody}", "{nobody}"),
        ("{}", "{}"),
        ("{scie.platform}", "{scie.platform}"),
        ("{scie.bindings.x}", "{scie.bindings.x}"),
        ("{scie.files.nobody}", "{scie.files.nobody}"),
        ("{payload}", "{payload}"),
        ("{app=x}", "{app}"),
        ("{app", "{app}"),
        ("{scie.user.cache_dir=~/.cache}", "{scie.user.cache_dir}"),
        ("{scie.env.A={nobody}}", "{nobody}"),
    ],
)
def test_placeholders_that_the_launcher_does_not_know_are_refused_with_their_key(
    tmp_path: Path, written: str, named: str
) -> None:
    with pytest.raises(CzscieError) as caught:
        command(tmp_path, "/bin/x", f"args = ['-x', '{written}']")
    assert str(caught.value) == (
        f"error: lift.commands[0].args[1]: the launcher does not know the placeholder {named}\n"
        "  it knows {scie}, {scie.argv0}, {scie.base}, {scie.env.NAME=DEFAULT}, {payload} "
        "and the ids of interpreters and files\n"
        "hint: write {{ for a brace that is meant as such"
    )


@pytest.mark.parametrize("written", ["{scie.env.A", "{scie.env.A=b", "{scie.env.A={scie}", "{", "a{"])
def test_a_placeholder_that_does_not_end_is_refused(tmp_path: Path, written: str) -> None:
    with pytest.raises(CzscieError, match=r"lift\.commands\[0\]\.exe: "):
        command(tmp_path, written)


@pytest.mark.parametrize(
    ("rest", "key"),
    [
        ("exe = '{no}'", "exe"),
        ("exe = 'x'\nargs = ['{no}']", "args[0]"),
        ("exe = 'x'\n[lift.commands.env.default]\nA = '{no}'", "env.default.A"),
        ("exe = 'x'\n[lift.commands.env.replace]\nB = '{no}'", "env.replace.B"),
    ],
)
def test_the_key_of_a_bad_placeholder_is_told_wherever_it_stands(tmp_path: Path, rest: str, key: str) -> None:
    good = "[[lift.commands]]\nexe = 'good'\n"
    with pytest.raises(CzscieError) as caught:
        commands(tmp_path, f"{good}[[lift.commands]]\nname = 'bad'\n{rest}\n")
    assert caught.value.what == f"lift.commands[1].{key}: the launcher does not know the placeholder {{no}}"


def test_an_interpreter_in_a_directory_of_its_tree_has_everything_there(tmp_path: Path) -> None:
    layout = replace(CPYTHON.layout, python="python/bin/python3.13", root="python")
    (tmp_path / "lift.toml").write_text(f"{HEAD}[[lift.commands]]\nexe = '#{{cpython:python}}'\n")
    lift = read_manifest(tmp_path / "lift.toml")
    made = boot(lift, None, {"cpython": replace(CPYTHON, layout=layout)}, ("cpython",)).commands[""]
    assert made.exe == "{cpython}/python/bin/python3.13"
    assert made.env["TERMINFO_DIRS"] == TERMINFO_DIRS.replace("{cpython}", "{cpython}/python")


def test_the_environment_is_changed_as_the_manifest_says(tmp_path: Path) -> None:
    made = command(
        tmp_path,
        "/bin/x",
        "[lift.commands.env]\nremove_exact = ['GONE']\n"
        "default = { A = '1', '=B' = '2' }\nreplace = { C = '3' }\n",
    )
    assert made.env == {"=GONE": None, "A": "1", "=B": "2", "=C": "3"}


def test_commands_stand_beside_the_payload(tmp_path: Path) -> None:
    text = "[[lift.commands]]\nname = 'repl'\ndescription = 'a shell'\nexe = '{payload}/bin/python'\n"
    made = commands(tmp_path, PAYLOAD + text, PexInfo()).commands
    assert list(made) == ["", "repl"]
    assert made["repl"] == Command(exe="{payload}/bin/python", description="a shell")
