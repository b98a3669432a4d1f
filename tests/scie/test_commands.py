from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from pathlib import Path

import pytest

from czscie.container.manifest import Boot, Command, Place
from czscie.czex.info import PexInfo
from czscie.czex.start import HERMETIC_REMOVED
from czscie.czex.write import InstalledInterpreter
from czscie.errors import CzscieError
from czscie.implementation import CPYTHON, Implementation
from czscie.lift.manifest import read_manifest
from czscie.pbs.distribution import Layout
from czscie.platforms import find_platform
from czscie.scie.commands import boot, check_commands

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
digest = { size = 1, fingerprint = "5555555555555555555555555555555555555555555555555555555555555555" }

[[lift.bindings]]
name = "make"
exe = "/bin/make"
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


def test_so_does_a_command_in_the_payload(tmp_path: Path) -> None:
    text = f"{PAYLOAD}[[lift.commands]]\nname = 'tool'\nexe = '{{payload}}/bin/tool'\n"
    made = commands(tmp_path, text, PexInfo(), with_terminfo=("cpython",)).commands["tool"]
    assert made.env == {"TERMINFO_DIRS": TERMINFO_DIRS}


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
        ("{scie.lift}{scie.jump}{scie.bindings}", "{scie.lift}{scie.jump}{scie.bindings}"),
        (
            "{scie.platform}{scie.platform.os}{scie.platform.arch}",
            "{scie.platform}{scie.platform.os}{scie.platform.arch}",
        ),
        ("{scie.user.cache_dir=~/.cache}/x", "{scie.user.cache_dir=~/.cache}/x"),
        ("{scie.bindings.make}/bin", "{scie.bindings.make}/bin"),
        ("{scie.bindings.make:KEY={app}}", "{scie.bindings.make:KEY={.files}/app.pex}"),
        ("{scie.bindings.make:{scie.env.K=A}}", "{scie.bindings.make:{scie.env.K=A}}"),
        ("{scie.env.{scie.env.N=A}}", "{scie.env.{scie.env.N=A}}"),
        ("{scie.env.{scie.env.N=A}=#{cpython:python}}", "{scie.env.{scie.env.N=A}={cpython}/bin/python3.13}"),
        ("{scie.files.{scie.env.N=app}}", "{scie.files.{scie.env.N=app}}"),
        ("{scie.files:hash.app}", "5" * 64),
        ("{scie.files:hash.{scie.env.N=app}}", "{scie.files:hash.{scie.env.N=app}}"),
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
        ("{scie.platform.kernel}", "{scie.platform.kernel}"),
        ("{scie.bindings.x}", "{scie.bindings.x}"),
        ("{scie.bindings.x:A=b}", "{scie.bindings.x:A=b}"),
        ("{scie.bindings.{scie.env.B}:A}", "{scie.bindings.{scie.env.B}:A}"),
        ("{scie.files.nobody}", "{scie.files.nobody}"),
        ("{payload}", "{payload}"),
        ("{app=x}", "{app=x}"),
        ("{scie.user.cache_dir}", "{scie.user.cache_dir}"),
        ("{scie.user.cache_dirs=x}", "{scie.user.cache_dirs=x}"),
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
        "  it knows {scie}, {scie.argv0}, {scie.base}, {scie.lift}, {scie.jump}, {scie.platform}, "
        "{scie.platform.os}, {scie.platform.arch}, {scie.env.NAME=DEFAULT}, "
        "{scie.user.cache_dir=DEFAULT}, {scie.files.NAME}, {scie.files:hash.NAME}, {scie.bindings}, "
        "{scie.bindings.NAME:KEY=DEFAULT}, {payload} and the ids of interpreters and files\n"
        "hint: write {{ for a literal brace"
    )


@pytest.mark.parametrize("written", ["{app", "{scie.env.A", "{scie.env.A=b", "{scie.env.A={scie}", "{", "a{"])
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


def test_names_that_are_known_only_at_a_start_come_with_the_places_of_all_files(tmp_path: Path) -> None:
    def of(argument: str) -> Boot:
        return commands(tmp_path, f"[[lift.commands]]\nexe = 'x'\nargs = ['{argument}']\n")

    place = Place(".files", "app.pex")
    assert (of("{app}").names, of("{app}").hashes) == ({}, {})
    assert of("{scie.files.{scie.env.A}}").names == {"app.pex": place, "app": place}
    assert of("{a{scie.env.A}}").names == {"app.pex": place, "app": place}
    made = of("{scie.files:hash.{scie.env.A}}")
    assert made.names == {}
    assert made.hashes == {"app.pex": "5" * 64, "app": "5" * 64, "cpython": ""}


def test_the_hash_of_a_file_is_that_of_its_content_if_no_digest_tells_it(tmp_path: Path) -> None:
    (tmp_path / "app.pex").write_bytes(b"moo")
    path = tmp_path / "lift.toml"
    text = re.sub("digest = .*", "", HEAD) + "[[lift.commands]]\nexe = '{scie.files:hash.app}'\n"
    path.write_text(text)
    made = boot(read_manifest(path), None, {"cpython": CPYTHON}, (), {"app.pex": tmp_path / "app.pex"})
    assert made.commands[""].exe == hashlib.sha256(b"moo").hexdigest()
    check_commands(read_manifest(path))


def test_the_hash_of_an_interpreter_is_that_of_its_archive(tmp_path: Path) -> None:
    def exe(placeholder: str) -> Boot:
        cpython = replace(CPYTHON, source="7" * 64)
        return commands(tmp_path, f"[[lift.commands]]\nexe = '{placeholder}'\n", cpython=cpython)

    assert exe("/{scie.files:hash.cpython}").commands[""].exe == "/" + "7" * 64
    assert exe("{scie.files:hash.{scie.env.A}}").hashes["cpython"] == "7" * 64


def test_a_directory_has_no_hash(tmp_path: Path) -> None:
    text = "[[lift.commands]]\nexe = '{scie.files:hash.d}'\n[[lift.files]]\nname = 'd'\ntype = 'directory'\n"
    with pytest.raises(
        CzscieError, match=r"lift\.commands\[0\]\.exe: \{scie\.files:hash\.d\} cannot be built"
    ):
        commands(tmp_path, text)


def test_bindings_are_commands_that_may_need_others(tmp_path: Path) -> None:
    text = """
    [[lift.commands]]
    exe = "{scie.bindings.venv:PYTHON}"
    [[lift.bindings]]
    name = "venv"
    exe = "#{cpython:python}"
    args = ["{scie.bindings.make:DIR}"]
    env.remove_re = ["PEX_.*", "A", "=x"]
    env.default.A = "b"
    """
    made = commands(tmp_path, text)
    assert made.bindings == {
        "make": Command(exe="/bin/make"),
        "venv": Command(
            exe="{cpython}/bin/python3.13",
            args=("{scie.bindings.make:DIR}",),
            env={"A": "b", "PEX_.*": None, "(?:A)": None, "(?:=x)": None},
        ),
    }


@pytest.mark.parametrize("own", ["{scie.bindings.a}", "{scie.env.X={scie.bindings.b:K}}"])
def test_a_binding_that_needs_itself_is_refused(tmp_path: Path, own: str) -> None:
    text = f"""
    [[lift.commands]]
    exe = "x"
    [[lift.bindings]]
    name = "a"
    exe = "{own}"
    [[lift.bindings]]
    name = "b"
    exe = "x"
    [lift.bindings.env.replace]
    A = "{{scie.bindings.a:K}}"
    """
    with pytest.raises(CzscieError) as caught:
        commands(tmp_path, text)
    assert caught.value.what == "lift.bindings[1]: the binding a needs itself"


def chain(length: int) -> str:
    """Bindings each of which needs the next, last first, and a command."""
    bindings = (
        f'[[lift.bindings]]\nname = "b{number}"\nexe = "{{scie.bindings.b{number + 1}:K}}"\n'
        for number in reversed(range(1, length))
    )
    return "".join(
        ("[[lift.commands]]\nexe = 'x'\n", f'[[lift.bindings]]\nname = "b{length}"\nexe = "x"\n', *bindings)
    )


@pytest.mark.parametrize("length", [9, 10, 2000])
def test_a_chain_of_bindings_that_is_too_long_for_the_launcher_is_refused(
    tmp_path: Path, length: int
) -> None:
    commands(tmp_path, chain(8))
    with pytest.raises(CzscieError, match=r"needs more than 7 others in a chain"):
        commands(tmp_path, chain(length))


def test_a_regular_expression_that_the_launcher_lacks_is_refused_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(CzscieError) as caught:
        commands(tmp_path, "[[lift.commands]]\nexe = 'x'\nenv.remove_re = ['A', 'B(?=C)']\n")
    assert str(caught.value) == (
        "error: lift.commands[0].env.remove_re[1]: "
        "the launcher does not support the regular expression B(?=C)\n"
        "  at character 3: this kind of group is not supported"
    )


@pytest.mark.parametrize(
    ("base", "accepted"),
    [
        ("{scie.user.cache_dir=~/.cache}/x", True),
        ("~/{scie.platform}/{scie.env.NAME=moo}", True),
        ("/plain", True),
        ("{scie.base}/x", False),
        ("{scie.lift}", False),
        ("{app}", False),
        ("{scie.bindings.make}", False),
        ("{scie.files.{scie.env.A}}", False),
    ],
)
def test_a_base_has_placeholders_of_the_host_alone(tmp_path: Path, base: str, accepted: bool) -> None:
    path = tmp_path / "lift.toml"
    path.write_text(HEAD.replace("[lift]", f"[lift]\nbase = '{base}'") + "[[lift.commands]]\nexe = 'x'\n")
    lift = read_manifest(path)
    if accepted:
        check_commands(lift)
        return
    with pytest.raises(CzscieError, match=r"lift\.base: the launcher does not know the placeholder"):
        check_commands(lift)


@pytest.mark.parametrize(("scripts", "name"), [('["moo"]', "moo"), ('"*"', "cow")])
def test_a_command_with_the_name_of_a_script_is_refused(tmp_path: Path, scripts: str, name: str) -> None:
    text = f"{PAYLOAD}scripts = {scripts}\n[[lift.commands]]\nname = '{name}'\nexe = '/bin/true'\n"
    (tmp_path / "lift.toml").write_text(HEAD + text)
    lift = read_manifest(tmp_path / "lift.toml")
    with pytest.raises(CzscieError, match=rf"lift\.commands\[0\]\.name: {name} is a script of the payload"):
        boot(lift, PexInfo(), {"cpython": CPYTHON}, scripts={"moo": "moo:main", "cow": ""})
