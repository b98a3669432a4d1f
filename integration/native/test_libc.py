"""Which C library the real launcher takes, and what it installs for the bundled one."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from czscie.container.manifest import LIBC, Needs, OwnLibc
from czscie.container.part import read_plan
from czscie.container.plan import Patch, PlannedBytes, PlannedCopy, PlannedLink, PlannedText
from czscie.libc.variant import PLAN
from integration.native.application import HOME, SHOW, Application
from scie.factories import Tree as TreeOf
from scie.factories import part, scie

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="starts Linux programs")

NOWHERE = "/nowhere/ld.so"
#: A loader, whatever this machine's C library is.
THERE = "/proc/self/exe"
PATCHES = (
    PlannedBytes("lib/data", 1, b"AB"),
    PlannedText("lib/data", 8, 400, "{base}/libcs:{root}"),
    PlannedCopy("lib/data", 408, 0, 3),
)
DATA = b"012345"

Make = Callable[..., Application]


@pytest.fixture
def make(tmp_path: Path, launcher: Path) -> Make:
    """A function to an application that brings a C library along, known by a `loader` of the host."""

    def make(
        loader: str = NOWHERE, patches: tuple[Patch, ...] = PATCHES, needs: Needs | None = None, **libc: Any
    ) -> Application:
        tree = TreeOf({"lib/data": DATA}, HOME.programs)
        interpreter = part(tmp_path, "cpython", tree)
        library = part(tmp_path, LIBC, TreeOf({"lib/libc.so.6": b"the library"}), "libc")
        plan = read_plan(interpreter.path)
        link = PlannedLink("libc", f"../../libcs/{library.digest}")
        own = replace(plan, links=(link,), patches=patches)
        interpreter = replace(interpreter, entries=((PLAN, own.render()),))
        manifest = scie(
            tmp_path / "moo",
            launcher,
            [interpreter, library],
            {"": SHOW},
            needs=needs,
            libc=OwnLibc(loader=loader, plans={"cpython": own.digest()}, **libc),
        )
        return Application(tmp_path / "moo", manifest, tmp_path / "base")

    return make


def installed(moo: Application, base: Path | None = None) -> dict[str, set[str]]:
    """The names of the installations by kind."""
    found = base or moo.base
    return {kind.name: {each.name for each in kind.iterdir()} for kind in found.iterdir() if kind.is_dir()}


def has_own(moo: Application, base: Path | None = None) -> bool:
    lift = moo.manifest.scie.lift
    assert lift.libc is not None
    names = installed(moo, base)
    own = lift.libc.plans["cpython"] in names["interpreters"]
    assert own != (lift.files[0].digest in names["interpreters"])
    assert own == (lift.files[1].digest in names.get("libcs", set()))
    return own


def start(moo: Application, **environment: str) -> str:
    done = moo.start(environment={"CZSCIE_BASE": str(moo.base), "PATH": os.environ["PATH"], **environment})
    return os.fsdecode(done.stdout if done.returncode == 0 else done.stderr)


def test_a_host_without_a_loader_gets_the_bundled_library(make: Make) -> None:
    moo = make()
    for _ in range(2):
        start(moo)
    assert has_own(moo)
    assert moo.manifest.scie.lift.libc is not None
    own = moo.base / "interpreters" / moo.manifest.scie.lift.libc.plans["cpython"]
    text = f"{moo.base}/libcs:{own}".encode()
    assert (own / "lib/data").read_bytes() == b"0AB345\0\0" + text.ljust(400, b"\0") + b"0AB"
    assert (own / "libc/lib/libc.so.6").read_bytes() == b"the library"


@pytest.mark.parametrize(
    ("settings", "own"),
    [
        ({"loader": THERE}, False),
        ({"loader": THERE, "always": True}, True),
        ({"loader": THERE, "needs": Needs(glibc="9.99")}, True),
        ({"loader": THERE, "libraries": ("libnobody-has.so.9",)}, True),
    ],
)
def test_a_host_whose_library_will_do_keeps_it(make: Make, settings: dict[str, Any], own: bool) -> None:
    moo = make(**settings)
    start(moo)
    assert has_own(moo) == own


def test_what_is_installed_is_what_is_started(make: Make) -> None:
    """A start looks at the version of a library only when it installs."""
    moo = make(THERE, needs=Needs(glibc="9.99"))
    start(moo, CZSCIE_LIBC="host")
    start(moo)
    assert not has_own(moo)


@pytest.mark.parametrize(("word", "loader", "own"), [("own", THERE, True), ("host", NOWHERE, False)])
def test_who_says_which_library_is_heeded(make: Make, word: str, loader: str, own: bool) -> None:
    moo = make(loader)
    start(moo, CZSCIE_LIBC=word)
    assert has_own(moo) == own


def test_a_word_that_means_nothing_is_an_error(make: Make) -> None:
    assert start(make(), CZSCIE_LIBC="mine") == (
        "moo: error: CZSCIE_LIBC has the unknown value 'mine'\nhint: set it to own or host, or unset it\n"
    )


def test_its_environment_comes_with_the_library_unless_it_is_set(make: Make) -> None:
    moo = make(env={"LOCPATH": "{.libc}/lib/locale"})
    settings = {"CZSCIE_BASE": str(moo.base), "PATH": os.environ["PATH"]}
    told = moo.start(environment=settings).stderr.split(b"\0")
    assert f"LOCPATH={moo.base}/libcs/{moo.manifest.scie.lift.files[1].digest}/lib/locale".encode() in told
    assert b"LOCPATH=/mine" in moo.start(environment={**settings, "LOCPATH": "/mine"}).stderr.split(b"\0")
    host = moo.start(environment={**settings, "CZSCIE_LIBC": "host"}).stderr
    assert b"LOCPATH" not in host


@pytest.mark.parametrize("character", [":", ";", "$"])
def test_a_path_that_loaders_would_take_for_another_is_not_used(
    make: Make, tmp_path: Path, character: str
) -> None:
    base = tmp_path / f"a{character}b"
    done = make().start(environment={"CZSCIE_BASE": str(base), "HOME": str(tmp_path)})
    said = done.stderr.decode()
    assert done.returncode == 0, said
    assert f"cannot use {base} (CZSCIE_BASE): the loader of the bundled C library cannot start from" in said
    assert not base.exists()


def test_a_path_that_does_not_fit_is_an_error(make: Make, tmp_path: Path) -> None:
    base = tmp_path / ("long" * 50) / ("long" * 50)
    said = start(make(), CZSCIE_BASE=str(base))
    assert "cannot unpack lib/data into" in said and "its path is too long" in said
    assert list((base / "interpreters").iterdir()) == []


@pytest.mark.parametrize(
    ("loader", "told"),
    [
        (NOWHERE, {"bundled": True, "missing_requirement": "/nowhere/ld.so: no such file or directory"}),
        (THERE, {"bundled": False, "missing_requirement": None}),
    ],
)
def test_the_doctor_tells_which_library_is_taken(make: Make, loader: str, told: dict[str, object]) -> None:
    assert json.loads(start_tool(make(loader), "doctor", "--json"))["libc"] == told


def test_verify_looks_at_what_is_patched_too(make: Make) -> None:
    moo = make()
    start(moo)
    assert start(moo, SCIE="verify").endswith("no problems found\n")
    assert moo.manifest.scie.lift.libc is not None
    data = moo.base / "interpreters" / moo.manifest.scie.lift.libc.plans["cpython"] / "lib/data"
    data.write_bytes(data.read_bytes().replace(b"/libcs:", b"/LIBCS:"))
    done = moo.start(environment={"CZSCIE_BASE": str(moo.base), "PATH": os.environ["PATH"], "SCIE": "verify"})
    assert b"lib/data: the content differs" in done.stdout


def test_a_library_that_the_host_has_no_use_for_is_verified_as_a_part(make: Make) -> None:
    moo = make(THERE)
    start(moo)
    assert start(moo, SCIE="verify").endswith("no problems found\n")
    lift = moo.manifest.scie.lift
    content = bytearray(moo.path.read_bytes())
    content[lift.files[1].offset + 50] ^= 1
    moo.path.write_bytes(content)
    done = moo.start(environment={"CZSCIE_BASE": str(moo.base), "PATH": os.environ["PATH"], "SCIE": "verify"})
    assert b".libc: " in done.stdout and b"download the file again" in done.stdout


def test_a_permanent_installation_has_the_library_or_not(make: Make, tmp_path: Path) -> None:
    for loader, own in ((NOWHERE, True), (THERE, False)):
        moo = make(loader)
        target = tmp_path / f"opt-{own}"
        assert (
            moo.start(str(target), environment={"PATH": os.environ["PATH"], "SCIE": "install"}).returncode
            == 0
        )
        assert has_own(moo, target) == own
        stub = replace(moo, path=target / "bin/moo", base=tmp_path / "none")
        assert stub.start().returncode == 0
        start_tool(stub, "uninstall")
        assert not target.exists()


def test_the_cache_keeps_a_library_that_an_interpreter_needs(make: Make) -> None:
    moo = make()
    start(moo)
    for kind in ("interpreters", "libcs"):
        for each in (moo.base / kind).iterdir():
            os.utime(each, (0, 0))
    listed = json.loads(start_tool(moo, "cache", "--json"))
    assert {item["kind"] for item in listed["items"]} == {"interpreter", "libc"}
    pruned = json.loads(start_tool(moo, "cache", "prune", "--max-size", "0", "--json"))
    assert [item["kind"] for item in pruned["removed"]] == ["interpreter", "libc"]


def test_the_file_is_split_with_its_library(make: Make, tmp_path: Path) -> None:
    moo = make(THERE)
    assert "libc.zip" in start_tool(moo, "split", str(tmp_path / "split")).splitlines()


def start_tool(moo: Application, tool: str, *arguments: str) -> str:
    done = moo.start(
        *arguments,
        environment={"CZSCIE_BASE": str(moo.base), "PATH": os.environ["PATH"], "SCIE": tool},
    )
    assert done.returncode == 0, done.stderr
    return os.fsdecode(done.stdout)
