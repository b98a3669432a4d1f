"""The real launcher in front of parts made by hand: what it starts, and what it says."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from czscie.container.manifest import Command
from czscie.platforms import current_launcher
from elf_image import elf_image
from integration.native.application import HOME, SHOW, Application, Make, said, say
from integration.native.zig_program import run_unit_tests
from scie.factories import Tree, part, scie

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="starts Linux programs")


@pytest.mark.parametrize("source", ["main", "fetch"])
def test_its_own_unit_tests_pass(source: str) -> None:
    """By the compiler's own backend, in a quarter of the time; the wine tests run what LLVM makes of them."""
    done = run_unit_tests(source, current_launcher(), "-ODebug", "-mcpu", "native")
    assert done.returncode == 0, done.stderr
    assert re.search("^All [1-9][0-9]* tests passed", done.stderr, re.MULTILINE), done.stderr


ODD_ARGUMENTS = [b"\xff\xfe", b"", b"a b", b"--", b"{scie}", "ä\u2028".encode(), b"tab\tnewline\n", b"\\"]


def test_arguments_arrive_byte_for_byte_behind_the_commands_own(make: Make) -> None:
    done = make().start(*ODD_ARGUMENTS)
    expected = [b"/bin/sh", *(argument.encode() for argument in SHOW.args), *ODD_ARGUMENTS]
    assert done.stdout.split(b"\0")[:-1] == expected


def test_the_environment_arrives_byte_for_byte_with_two_variables_more(make: Make) -> None:
    moo = make()
    given = {
        b"B": b"\xff\xfe",
        b"A": b"",
        b"\xe4": b"a=b",
        b"PATH": os.environb[b"PATH"],
        b"CZSCIE_BASE": os.fsencode(moo.base),
        b"PYTHONUNBUFFERED": b"1",
    }
    done = moo.start(environment=given, called="how it is called")
    own = [b"SCIE=" + os.fsencode(moo.path), b"SCIE_ARGV0=how it is called"]
    assert done.stderr.split(b"\0")[:-1] == [name + b"=" + value for name, value in given.items()] + own


def test_it_starts_without_any_environment_but_a_base(make: Make) -> None:
    moo = make()
    done = moo.start(environment={"CZSCIE_BASE": str(moo.base)})
    assert done.stderr.count(b"\0") == 3


@pytest.mark.parametrize("code", [0, 1, 7, 255])
def test_the_exit_code_is_the_programs(make: Make, code: int) -> None:
    moo = make(commands={"": Command(exe="/bin/sh", args=("-c", f"exit {code}"))})
    assert moo.start().returncode == code


def test_the_program_is_the_process_itself(make: Make) -> None:
    moo = make(commands={"": Command(exe="/bin/sh", args=("-c", "echo $$; kill -TERM $$"))})
    with subprocess.Popen(
        [moo.path], env={"CZSCIE_BASE": str(moo.base)}, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.communicate(timeout=60)[0] == f"{process.pid}\n"
    assert process.returncode == -15


@pytest.mark.parametrize("ignored", [True, False])
def test_limits_signals_and_open_files_are_as_they_were(make: Make, ignored: bool) -> None:
    question = "ulimit -a; grep -E 'Sig(Blk|Ign|Cgt)' /proc/self/status; ls /proc/$$/fd; umask; pwd"
    moo = make(commands={"": Command(exe="/bin/sh", args=("-c", question))})
    moo.start()
    options: dict[str, Any] = {"restore_signals": not ignored, "umask": 0o027, "cwd": "/"}
    direct = moo.start("-c", question, called="/bin/sh", executable="/bin/sh", **options)
    assert moo.start(**options).stdout == direct.stdout
    cold = Application(moo.path, moo.manifest, moo.base.with_name("another"))
    assert cold.start(**options).stdout == direct.stdout


def test_scie_is_the_file_itself_and_argv0_is_how_it_was_called(make: Make, tmp_path: Path) -> None:
    moo = make(commands={"": Command(exe="/bin/sh", args=("-c", 'echo "$SCIE" "$SCIE_ARGV0"'))})
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "other").symlink_to(moo.path)
    assert said(moo.start()) == [str(moo.path), str(moo.path)]
    assert said(moo.start(called="./moo", executable="./moo", cwd=tmp_path)) == [str(moo.path), "./moo"]
    link = tmp_path / "links" / "other"
    assert said(moo.start(called=link, executable=link)) == [str(moo.path), str(link)]


# Which command.

SEVERAL = {"one": say("1"), "two": say("2", description="the second")}


def test_a_command_is_chosen_by_the_first_argument(make: Make) -> None:
    moo = make(commands=SEVERAL)
    assert said(moo.start("two", "three"))[1:] == ["2", "three"]


def test_a_command_is_chosen_by_the_name_that_the_executable_is_called_by(make: Make, tmp_path: Path) -> None:
    moo = make(commands=SEVERAL)
    link = tmp_path / "two"
    link.symlink_to(moo.path)
    assert said(moo.start("one", called=link, executable=link))[1:] == ["2", "one"]


def test_a_command_is_chosen_by_scie_boot_which_is_not_passed_on(make: Make) -> None:
    moo = make(commands={"": SHOW, "two": say("2"), "show": SHOW})
    environment = {"CZSCIE_BASE": str(moo.base), "PATH": os.environ["PATH"]}
    assert said(moo.start("x", environment={**environment, "SCIE_BOOT": "two"}))[1:] == ["2", "x"]
    assert b"SCIE_BOOT" not in moo.start(environment={**environment, "SCIE_BOOT": "show"}).stderr


def test_the_default_command_takes_all_arguments(make: Make) -> None:
    moo = make(commands={"": say("0"), "two": say("2")})
    assert said(moo.start("two"))[1:] == ["0", "two"]


@pytest.mark.parametrize("arguments", [[], [""]])
def test_no_command_is_an_error_that_lists_them(make: Make, arguments: Sequence[str]) -> None:
    moo = make(commands=SEVERAL)
    done = moo.start(*arguments, environment={"CZSCIE_BASE": str(moo.base)})
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode() == (
        "moo: error: no command was selected; available commands:\n  two  the second\n"
        "hint: pass one as the first argument, or set SCIE_BOOT to it\n"
    )


@pytest.mark.parametrize(
    ("first", "hint"),
    [
        ("tow", "did you mean two?"),
        ("three", "pass one as the first argument, or set SCIE_BOOT to it"),
        ("--version", "pass one as the first argument, or set SCIE_BOOT to it"),
    ],
)
def test_a_first_argument_that_is_no_command_is_named_with_the_nearest(
    make: Make, first: str, hint: str
) -> None:
    moo = make(commands=SEVERAL)
    done = moo.start(first, "--help", environment={"CZSCIE_BASE": str(moo.base)})
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode() == (
        f"moo: error: unknown command '{first}'; available commands:\n  two  the second\nhint: {hint}\n"
    )


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_lists_the_commands_if_none_takes_the_option(make: Make, option: str) -> None:
    moo = make(commands=SEVERAL, description="A cow")
    done = moo.start(option, environment={"CZSCIE_BASE": str(moo.base)})
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode() == (
        "moo: A cow\n\nUsage: moo COMMAND …\n\nCommands:\n  two  the second\n\n"
        "`SCIE=help moo` lists the tools of this file.\n"
    )
    assert not moo.base.exists()
    with_default = make(commands={"": say("0"), **SEVERAL})
    assert said(with_default.start(option))[1:] == ["0", option]


def test_commands_are_all_listed_if_none_has_a_description(make: Make) -> None:
    moo = make(commands={"one": say("1"), "two": say("2")})
    done = moo.start(environment={"CZSCIE_BASE": str(moo.base)})
    assert b"available commands:\n  one\n  two\nhint: " in done.stderr


@pytest.mark.parametrize(
    ("boot", "hint"), [("three", "one of them"), ("", "one of them"), ("one ", "one"), ("tow", "two")]
)
@pytest.mark.parametrize("default", [False, True])
def test_a_command_that_is_unknown_is_named_with_the_nearest(
    make: Make, boot: str, hint: str, default: bool
) -> None:
    if default and not boot:
        pytest.skip("the default command is called so")
    moo = make(commands={**({"": say("0")} if default else {}), **SEVERAL})
    done = moo.start("one", environment={"CZSCIE_BASE": str(moo.base), "SCIE_BOOT": boot})
    assert (done.returncode, done.stdout) == (1, b"")
    listed = "  (default)\n" if default else ""
    assert done.stderr.decode() == (
        f"moo: error: SCIE_BOOT names the unknown command '{boot}'; available commands:\n"
        f"{listed}  two  the second\n"
        f"hint: set SCIE_BOOT to {hint}, or unset it\n"
    )


def test_the_limit_of_open_files_is_named(make: Make) -> None:
    moo = make()
    done = subprocess.run(
        ["/bin/sh", "-c", 'ulimit -n 3; exec "$0"', moo.path],
        env={"CZSCIE_BASE": str(moo.base)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr == (
        b"moo: error: this executable cannot open its own file: too many open files (ulimit -n)\n"
        b"hint: raise the limit\n"
    )


@pytest.mark.parametrize("variable", ["SCIE", "SCIE_BOOT", "CZSCIE_BASE"])
def test_no_message_steers_the_terminal(make: Make, tmp_path: Path, variable: str) -> None:
    moo = make(commands=SEVERAL)
    steering = "\x1b[31m\x9b\r\x7f"
    value = f"{tmp_path}/file/{steering}" if variable == "CZSCIE_BASE" else steering
    (tmp_path / "file").touch()
    # A base directory of its own: a note about it is printed once a day.
    given = {"CZSCIE_BASE": str(moo.base), "CZSCIE_MEMORY": "never", "TMPDIR": str(tmp_path)}
    done = moo.start("one", environment=given | {variable: value})
    assert b"\\x1b[31m\\x9b\\x0d\\x7f" in done.stderr
    assert not set(done.stderr) & (set(range(32)) - {10})
    assert "\x9b" not in done.stderr.decode()


# Placeholders and the environment.


def test_placeholders_become_their_values(make: Make) -> None:
    templates = (
        "{scie}",
        "{scie.argv0}",
        "{scie.base}",
        "{cpython}",
        "{scie.files.cpython}/lib",
        "{scie.env.SET}",
        "{scie.env.SET=no}",
        "[{scie.env.UNSET}]",
        "{scie.env.UNSET={cpython}}",
        "{{scie}",
        "}x",
    )
    moo = make(commands={"": say(*templates)})
    environment = {"CZSCIE_BASE": str(moo.base), "SET": "{scie}"}
    assert said(moo.start(environment=environment, called="called")) == [
        f"{moo.root}/bin/say",
        str(moo.path),
        "called",
        str(moo.base),
        str(moo.root),
        f"{moo.root}/lib",
        "{scie}",
        "{scie}",
        "[]",
        str(moo.root),
        "{scie}",
        "}x",
    ]


def test_an_unknown_placeholder_is_an_error_before_the_program_starts(make: Make) -> None:
    done = make(commands={"": say("{nobody}")}).start()
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode() == (
        "moo: error: the boot command has a placeholder that this launcher does not support\n"
        "hint: rebuild the file with a single version of czscie\n"
    )


def test_the_environment_is_changed_as_the_command_says(make: Make) -> None:
    changes = {
        "DEFAULT": "d",
        "KEPT": "d",
        "=REPLACED": "{scie.env.REPLACED}!",
        "=NEW": "{cpython}",
        "=REMOVED": None,
        "GONE": None,
        "EMPTY": "d",
        "FROM_REMOVED": "{scie.env.REMOVED}",
    }
    show = msgspec.structs.replace(SHOW, env=changes)
    moo = make(commands={"": show})
    given = {"KEPT": "u", "REPLACED": "u", "REMOVED": "u", "GONE": "u", "EMPTY": "", "OTHER": "u"}
    done = moo.start(
        environment={**given, "CZSCIE_BASE": str(moo.base), "PATH": os.environ["PATH"]}, called="moo"
    )
    found = dict(entry.split("=", 1) for entry in done.stderr.decode().split("\0")[:-1])
    assert found == {
        "CZSCIE_BASE": str(moo.base),
        "PATH": os.environ["PATH"],
        "OTHER": "u",
        "DEFAULT": "d",
        "KEPT": "u",
        "REPLACED": "u!",
        "NEW": str(moo.root),
        "EMPTY": "",
        "FROM_REMOVED": "u",
        "SCIE": str(moo.path),
        "SCIE_ARGV0": "moo",
    }


# Programs that do not start.


@pytest.mark.parametrize(
    ("exe", "reason"),
    [
        ("{cpython}/bin/none", "no such file or directory"),
        ("{cpython}/lib/data", "permission denied"),
        ("{cpython}/bin/nonsense", "not a program that this system can run"),
        ("{cpython}/bin", "permission denied"),
    ],
)
def test_a_program_that_cannot_be_started_is_named_with_the_reason(make: Make, exe: str, reason: str) -> None:
    tree = Tree({"lib/data": b"data"}, programs={"bin/nonsense": b"\0\1\2 no program"})
    moo = make(tree, {"": Command(exe=exe)})
    done = moo.start()
    assert (done.returncode, done.stdout) == (1, b"")
    program = exe.replace("{cpython}", str(moo.root))
    assert done.stderr.decode() == (
        f"moo: error: cannot start {program}: {reason}\n"
        f"hint: `SCIE=verify {moo.path}` lists the damage, `SCIE=uninstall {moo.path}` "
        "removes the installation; the next start installs it again\n"
    )


def test_a_program_of_the_host_that_cannot_be_started_is_named_alone(make: Make) -> None:
    done = make(commands={"": Command(exe="/nowhere/none")}).start()
    assert done.stderr.decode() == "moo: error: cannot start /nowhere/none: no such file or directory\n"


def test_a_program_whose_loader_is_missing_says_what_the_host_lacks(make: Make) -> None:
    machine = int.from_bytes(Path(sys.executable).read_bytes()[18:20], sys.byteorder)
    image = elf_image(machine=machine, interpreter="/lib/ld-none.so.1")
    moo = make(Tree(programs={"bin/python": image}), {"": Command(exe="{cpython}/bin/python")})
    assert moo.start().stderr.decode() == (
        f"moo: error: cannot start {moo.root}/bin/python: its dynamic loader is missing, "
        "so this host lacks the C library that it needs\n"
        "hint: `czscie inspect` shows what the file needs; build it for this host's platform\n"
    )


# Files that were damaged or are not ours.


def damage(path: Path, wanted: bytes, replaced: bytes) -> None:
    data = path.read_bytes()
    start = data.rindex(wanted)
    path.write_bytes(data[:start] + replaced + data[start + len(wanted) :])


def test_a_file_that_was_cut_short_holds_nothing_to_start(make: Make) -> None:
    moo = make()
    moo.path.write_bytes(moo.path.read_bytes()[:-1])
    done = moo.start()
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode() == (
        f"moo: error: {moo.path} has no manifest: it is a bare launcher, or the file is truncated\n"
        "hint: copy or download the file again\n"
    )


def test_a_manifest_that_was_altered_is_damage(make: Make) -> None:
    moo = make()
    damage(moo.path, b"/bin/sh", b"/bin/SH")
    done = moo.start()
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode() == (
        f"moo: error: the manifest at the end of {moo.path} is damaged\n"
        "hint: copy or download the file again\n"
    )


def test_a_newer_format_is_not_damage(make: Make) -> None:
    moo = make()
    text = moo.manifest.render()
    body = text[1 : text.rindex(b',"crc32"')].replace(b'"format":1', b'"format":2')
    damage(moo.path, text, b'\n%b,"crc32":"%08x"}\n' % (body, zlib.crc32(body)))
    assert moo.start().stderr.decode() == (
        f"moo: error: {moo.path} needs a newer launcher than its own\n"
        "hint: rebuild it with a single version of czscie\n"
    )


def test_damage_names_the_part_and_leaves_nothing_installed(make: Make) -> None:
    noise = random.Random(0).randbytes(2000)
    moo = make(Tree({"lib/noise": noise}))
    damage(moo.path, noise[1000:1010], bytes(10))
    done = moo.start()
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode() == (
        f"moo: error: {moo.path} is damaged: cannot read .group-000.zip\n"
        "hint: copy or download the file again\n"
    )
    assert list((moo.base / "interpreters").iterdir()) == []


def test_a_plan_that_is_not_the_manifests_is_damage(tmp_path: Path, launcher: Path) -> None:
    other = part(tmp_path, "cpython", HOME)
    forged = replace(other, digest="00" * 32)
    made = scie(tmp_path / "moo", launcher, [forged], {"": SHOW})
    moo = Application(tmp_path / "moo", made, tmp_path / "base")
    done = moo.start()
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode() == (
        f"moo: error: {moo.path} is damaged: cannot read cpython\nhint: copy or download the file again\n"
    )
    assert not moo.root.exists()
