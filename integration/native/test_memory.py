"""Starts from memory that somebody asked for (e2e/test_bare_matrix.py: because nothing else is left)."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence

import pytest

from czscie.container.manifest import Command
from integration.native.application import Application, Make
from scie.factories import Tree

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has such memory")

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="this user may not make namespaces everywhere")

TREE = Tree(
    {"lib/text": b"text"}, programs={"bin/say": b'#!/bin/sh\necho "$0" "$CZSCIE_BASE" "$CZSCIE_MEMORY"\n'}
)
ALWAYS = {"CZSCIE_MEMORY": "always", "PATH": os.environ["PATH"]}
#: As engines of containers forbid them.
WITHOUT_NAMESPACES = ("strace", "-f", "-qq", "-o", "/dev/null", "-e", "inject=unshare:error=EPERM")


@pytest.fixture
def moo(make: Make) -> Application:
    return make(TREE, {"": Command(exe="{cpython}/bin/say"), "look": Command(exe="/bin/sh", args=("-c",))})


def start(
    app: Application, *script: str, prefix: Sequence[str] = (), **environment: str
) -> subprocess.CompletedProcess[str]:
    """Starts the application, or a shell script in its environment, where its own base may be used."""
    chosen = {"SCIE_BOOT": "look"} if script else {}
    return subprocess.run(
        [*prefix, app.path, *script],
        env={"CZSCIE_BASE": str(app.base), **ALWAYS, **chosen, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


@root_only
def test_a_file_system_of_its_own_takes_the_place_of_the_base(moo: Application) -> None:
    done = start(moo)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == [f"{moo.root}/bin/say", str(moo.base)], "the setting is not passed on"
    assert list(moo.base.iterdir()) == [], "nothing of it is seen outside"


@root_only
def test_what_the_application_starts_finds_all_unpacked(moo: Application) -> None:
    script = 'date -r "{0}" +%s.%N; unset SCIE_BOOT; "$SCIE"; date -r "{0}" +%s.%N'
    done = start(moo, script.format(moo.base / "interpreters"))
    before, said, after = done.stdout.splitlines()
    assert said.startswith(f"{moo.root}/bin/say ")
    assert before == after


def test_without_namespaces_programs_are_files_in_memory(moo: Application) -> None:
    done = start(moo, prefix=WITHOUT_NAMESPACES)
    assert (done.returncode, done.stderr) == (0, "")
    path, base, setting = done.stdout.split()
    assert path.startswith(f"{moo.base}/memory/")
    assert (base, setting) == (str(moo.base), "always"), "each process has files of its own"


def test_a_link_leads_to_each_program_and_data_are_files(moo: Application) -> None:
    script = (
        f"cd {moo.base}/memory/*/interpreters/*; readlink bin/say; cat lib/text; stat -c %F lib/text; bin/say"
    )
    done = start(moo, script, prefix=WITHOUT_NAMESPACES)
    link, text, said = done.stdout.splitlines()
    assert re.fullmatch(r"/proc/[0-9]+/fd/[0-9]{2,}", link)
    assert text == "textregular file"
    assert said.split()[0] == "bin/say"


def test_descriptors_that_an_application_is_given_stay_where_they_are(moo: Application) -> None:
    reader, writer = os.pipe()
    os.write(writer, b"given\n")
    os.close(writer)
    done = subprocess.run(
        [*WITHOUT_NAMESPACES, moo.path, "cat <&3; ls /proc/$$/fd"],
        env={"CZSCIE_BASE": str(moo.base), "SCIE_BOOT": "look", **ALWAYS},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        pass_fds=[3],
        preexec_fn=lambda: os.dup2(reader, 3),  # in the child: 3 of this process is somebody else's
    )
    os.close(reader)
    given, *descriptors = done.stdout.split()
    assert given == "given"
    assert {"0", "1", "2", "3"} == {each for each in descriptors if int(each) < 10}


def test_the_next_start_removes_what_one_left_that_ended(moo: Application) -> None:
    start(moo, prefix=WITHOUT_NAMESPACES)
    memory = moo.base / "memory"
    [left] = memory.glob("*.lock")
    old = time.time() - 10
    os.utime(left, (old, old))
    start(moo, prefix=WITHOUT_NAMESPACES)
    [lock] = memory.glob("*.lock")
    assert lock != left
    assert sorted(memory.iterdir()) == [lock.with_suffix(""), lock]


def test_a_process_that_runs_keeps_what_it_runs_from(moo: Application) -> None:
    environment = {"CZSCIE_BASE": str(moo.base), "SCIE_BOOT": "look", **ALWAYS}
    command = [*WITHOUT_NAMESPACES, moo.path, "echo; read line; cat lib/text"]
    command[-1] = f"cd {moo.base}/memory/*/interpreters/*; {command[-1]}"
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        [lock] = (moo.base / "memory").glob("*.lock")
        old = time.time() - 10
        os.utime(lock, (old, old))
        start(moo, prefix=WITHOUT_NAMESPACES)
        output, _ = process.communicate("go\n", timeout=60)
    assert output == "text"


def test_two_reasons_are_told_where_there_is_no_memory(moo: Application) -> None:
    inject = WITHOUT_NAMESPACES[-1]
    prefix = (*WITHOUT_NAMESPACES[:-1], inject, "-e", "inject=memfd_create:error=ENOSYS")
    done = start(moo, prefix=prefix)
    assert done.returncode == 1
    assert done.stderr == (
        "moo: error: found no directory to unpack into; tried:\n"
        "  memory (private tmpfs): unshare(2) of a user and mount namespace: EPERM\n"
        "  memory (memfd_create): memfd_create(2) is missing or forbidden\n"
        "hint: set CZSCIE_BASE to a writable directory that is not mounted noexec, "
        "or install the application into the image with the tool install\n"
    )


def test_a_word_that_means_nothing_is_an_error(moo: Application) -> None:
    done = start(moo, CZSCIE_MEMORY="yes")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "moo: error: CZSCIE_MEMORY has an unknown value\n"
        "hint: set it to fallback, always or never, or unset it\n"
    )


@pytest.mark.parametrize("word", ["never", "fallback", ""])
def test_a_directory_that_will_do_is_used_unless_memory_is_asked_for(moo: Application, word: str) -> None:
    done = start(moo, CZSCIE_MEMORY=word)
    assert done.stdout.split()[0] == f"{moo.root}/bin/say"
    assert moo.root.is_dir()
