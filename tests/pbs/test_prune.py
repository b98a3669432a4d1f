from __future__ import annotations

from collections.abc import Mapping

import pytest

from czscie.container.content import Data, File, Link
from czscie.container.tree import Item
from czscie.lift.interpreter import ALL, PARTS
from czscie.pbs.distribution import Distribution, detect_layout
from czscie.pbs.prune import PrunedPart, has_terminfo, prune
from czscie.platforms import find_platform
from elf_image import elf_image
from pbs.factories import MACOS_PYTHON, cpython, windows_cpython

#: One path or more of every part, as python-build-standalone has them on Linux.
LINUX = {
    "terminfo": ("share/terminfo/w/wyse60", "share/terminfo/x/xterm+256color"),
    "terminals": ("share/terminfo/x/xterm-256color", "share/terminfo/l/linux", "share/terminfo/78/xterm"),
    "libpython": ("lib/libpython3.13.so.1.0", "lib/libpython3.13.so", "lib/libpython3.so"),
    "headers": (
        "include/python3.13/patchlevel.h",
        "include/python3.13/pyconfig.h",
        "lib/python3.13/config-3.13-x86_64-linux-gnu/Makefile",
        "lib/pkgconfig/python-3.13-embed.pc",
        "bin/python3-config",
        "bin/python3.13-config",
    ),
    "tcltk": (
        "lib/python3.13/tkinter/__init__.py",
        "lib/python3.13/turtle.py",
        "lib/python3.13/turtledemo/clock.py",
        "lib/python3.13/lib-dynload/_tkinter.cpython-313-x86_64-linux-gnu.so",
        *("lib/tcl9/9.0/http-2.10.0.tm", "lib/tcl9.0/init.tcl", "lib/tk9.0/tk.tcl", "lib/tcl8.6/init.tcl"),
        *("lib/itcl4.3.8/libitcl.so", "lib/thread3.0.6/pkgIndex.tcl", "lib/Tix8.4.3/Tix.tcl"),
        *("lib/libtcl9.0.so", "lib/libtcl9tk9.0.so", "lib/libtk8.6.so"),
    ),
    "idlelib": ("lib/python3.13/idlelib/idle.py", "bin/idle3.13", "bin/idle3"),
    "pip": (
        "lib/python3.13/site-packages/pip/__init__.py",
        "lib/python3.13/site-packages/pip-26.2.1.dist-info/METADATA",
        *("bin/pip", "bin/pip3", "bin/pip3.13"),
    ),
    "setuptools": (
        "lib/python3.13/site-packages/setuptools/__init__.py",
        "lib/python3.13/site-packages/setuptools-79.0.1.dist-info/METADATA",
        "lib/python3.13/site-packages/pkg_resources/__init__.py",
        "lib/python3.13/site-packages/_distutils_hack/__init__.py",
        "lib/python3.13/site-packages/distutils-precedence.pth",
    ),
    "ensurepip": ("lib/python3.13/ensurepip/_bundled/pip-26.2.1-py3-none-any.whl",),
    "lib2to3": ("lib/python3.13/lib2to3/Grammar.txt", "bin/2to3", "bin/2to3-3.13"),
    "dbm": (
        "lib/libdb-5.3.so",
        "lib/python3.13/lib-dynload/_dbm.cpython-313-x86_64-linux-gnu.so",
        "lib/python3.13/lib-dynload/_gdbm.cpython-313-x86_64-linux-gnu.so",
    ),
    "topics": ("lib/python3.13/pydoc_data/topics.py",),
    "manual": ("share/man/man1/python3.13.1",),
    "tests": (
        "lib/python3.13/test/test_os.py",
        "lib/python3.13/unittest/test/testmock/support.py",
        "lib/python3.13/lib-dynload/_testcapi.cpython-313-x86_64-linux-gnu.so",
    ),
}

#: What must stay for the interpreter, and what only sounds like something that need not.
STAYS = (
    "bin/python3.13",
    "bin/pydoc3.13",
    "lib/libz.so.1",
    "lib/python3.13/LICENSE.txt",
    "lib/python3.13/_sysconfigdata__linux_x86_64-linux-gnu.py",
    "lib/python3.13/build-details.json",
    "lib/python3.13/curses/__init__.py",
    "lib/python3.13/distutils/core.py",
    "lib/python3.13/lib-dynload/.empty",
    "lib/python3.13/lib-dynload/_curses.cpython-313-x86_64-linux-gnu.so",
    "lib/python3.13/os.py",
    "lib/python3.13/dbm/ndbm.py",
    "lib/python3.13/pydoc_data/__init__.py",
    "lib/python3.13/site-packages/README.txt",
    "lib/python3.13/site-packages/pipeline/__init__.py",
    "lib/python3.13/sqlite3/__init__.py",
    "lib/python3.13/unittest/mock.py",
    "lib/python3.13/venv/__init__.py",
)

WINDOWS = {
    "headers": ("include/patchlevel.h", "libs/python313.lib"),
    "tcltk": (
        *("tcl/tcl8.6/init.tcl", "DLLs/_tkinter.pyd", "DLLs/tcl86t.dll", "DLLs/tk86t.dll"),
        *(
            "DLLs/tcl90.dll",
            "DLLs/tcl9tk90.dll",
            "DLLs/zlib1.dll",
            "Lib/tkinter/__init__.py",
            "Lib/turtle.py",
        ),
    ),
    "idlelib": ("Lib/idlelib/idle.pyw",),
    "pip": ("Lib/site-packages/pip/__init__.py", "Scripts/pip3.13.exe"),
    "ensurepip": ("Lib/ensurepip/__init__.py",),
    "tests": ("DLLs/_testcapi.pyd", "Lib/test/__init__.py"),
    "symbols": ("python313.pdb", "DLLs/_ssl.pdb"),
}

STAYS_ON_WINDOWS = (
    "DLLs/_ssl.pyd",
    "DLLs/libffi-8.dll",
    "DLLs/sqlite3.dll",
    "LICENSE.txt",
    "Lib/os.py",
    "Lib/venv/scripts/nt/venvlauncher.exe",
    "Scripts/.empty",
    "python.exe",
    "python3.dll",
    "python313.dll",
    "pythonw.exe",
    "vcruntime140.dll",
)


def make(files: Mapping[str, bytes], *links: Link, platform: str = "linux-x86_64") -> Distribution:
    items: list[Item] = [
        File(path, Data(content), path.startswith("bin/")) for path, content in files.items()
    ]
    tree = tuple(sorted([*items, *links], key=lambda item: item.path))
    return Distribution.of(tree, detect_layout(tree, "a tree", "3.13.9"), find_platform(platform), "a tree")


def paths(distribution: Distribution) -> list[str]:
    return [item.path for item in distribution.items]


def linux() -> Distribution:
    everything = [path for part in LINUX.values() for path in part]
    return make({**dict.fromkeys([*everything, *STAYS], b"12345"), **cpython()})


def windows() -> Distribution:
    everything = [path for part in WINDOWS.values() for path in part]
    files = {**dict.fromkeys([*everything, *STAYS_ON_WINDOWS], b"12345"), **windows_cpython()}
    return make(files, platform="windows-x86_64")


def test_what_an_application_hardly_ever_needs_is_left_out() -> None:
    pruned = prune(linux(), ())
    assert paths(pruned.distribution) == sorted(STAYS)
    assert {each.part: each.files for each in pruned.left_out} == {
        part: len(members) for part, members in LINUX.items()
    }


def test_so_it_is_on_windows() -> None:
    pruned = prune(windows(), ())
    assert paths(pruned.distribution) == sorted(STAYS_ON_WINDOWS)
    assert {each.part: each.files for each in pruned.left_out} == {
        part: len(members) for part, members in WINDOWS.items()
    }


@pytest.mark.parametrize("part", sorted({*LINUX} - {"idlelib", "terminfo"}))
def test_one_word_keeps_one_part(part: str) -> None:
    assert set(paths(prune(linux(), [part]).distribution)) == {*STAYS, *LINUX[part]}


@pytest.mark.parametrize(("part", "needed"), [("idlelib", "tcltk"), ("terminfo", "terminals")])
def test_a_part_brings_the_one_that_it_needs(part: str, needed: str) -> None:
    assert set(paths(prune(linux(), [part]).distribution)) == {*STAYS, *LINUX[part], *LINUX[needed]}


@pytest.mark.parametrize("keep", [[ALL], PARTS])
def test_everything_can_be_kept(keep: list[str]) -> None:
    pruned = prune(linux(), keep)
    assert (pruned.distribution, pruned.left_out) == (linux(), ())


def test_the_tests_of_a_part_go_with_it() -> None:
    """What is left of a package would be a namespace package: `import tkinter` would not fail."""
    files = {**cpython(), "lib/python3.13/tkinter/test/support.py": b"", "lib/python3.13/test/x.py": b""}
    assert "lib/python3.13/tkinter/test/support.py" not in paths(prune(make(files), ["tests"]).distribution)


def test_the_report_has_one_line_a_part() -> None:
    assert str(PrunedPart("terminfo", 2850, 2_219_433)) == "terminfo (2,850 files, 2.2 MB)"
    assert str(PrunedPart("manual", 1, 24_900)) == "manual (1 file, 24.9 kB)"


def test_the_bytes_of_a_part_are_those_of_its_files() -> None:
    files = {**cpython(), "share/man/man1/python3.13.1": bytes(700)}
    pruned = prune(make(files, Link("share/man/man1/python3.1", "python3.13.1")), ())
    assert PrunedPart("manual", 2, 700) in pruned.left_out


def test_the_layout_of_a_free_threaded_build_is_its_own() -> None:
    files = {**cpython(threads="t"), "lib/python3.13t/idlelib/idle.py": b"", "lib/python3.13t/site.py": b""}
    left = paths(prune(make(files), ()).distribution)
    assert left == ["bin/python3.13t", "lib/python3.13t/os.py", "lib/python3.13t/site.py"]


def test_no_link_loses_what_it_leads_to() -> None:
    """Aliases of terminals are links, of those in common use into the others as well."""
    links = (
        Link("share/terminfo/s/st", "../s/stterm-alias"),
        Link("share/terminfo/s/stterm-alias", "simpleterm"),
        Link("share/terminfo/w/wy60", "wyse60"),
    )
    files = {**cpython(), "share/terminfo/s/simpleterm": b"", "share/terminfo/w/wyse60": b""}
    kept = [path for path in paths(prune(make(files, *links), ["terminals"]).distribution) if "info" in path]
    assert kept == ["share/terminfo/s/" + name for name in ("simpleterm", "st", "stterm-alias")]
    assert not any("terminfo" in path for path in paths(prune(make(files, *links), ()).distribution))


@pytest.mark.parametrize(("keep", "has"), [((), False), (("terminals",), True), (("terminfo",), True)])
def test_an_interpreter_may_have_descriptions_of_terminals(keep: tuple[str, ...], has: bool) -> None:
    assert has_terminfo(prune(linux(), keep).distribution) is has


@pytest.mark.parametrize(
    "needed", ["libpython3.13.so.1.0", "$ORIGIN/../lib/libpython3.13.so.1.0"], ids=["name", "path"]
)
def test_libpython_stays_where_the_interpreter_is_linked_with_it(needed: str) -> None:
    python = elf_image(needed=[needed, "libc.so.6"])
    files = {**cpython(python=python), "lib/libpython3.13.so.1.0": elf_image()}
    links = (Link("lib/libpython3.13.so", "libpython3.13.so.1.0"),)
    pruned = prune(make(files, *links), ())
    assert {"lib/libpython3.13.so.1.0", "lib/libpython3.13.so"} <= {*paths(pruned.distribution)}
    assert "libpython" not in {each.part for each in pruned.left_out}


@pytest.mark.parametrize(("keep", "stays"), [((), False), (("tcltk",), True)])
def test_libpython_stays_only_for_what_stays_itself(keep: tuple[str, ...], stays: bool) -> None:
    files = {
        **cpython(),
        "lib/libpython3.13.so.1.0": elf_image(),
        "lib/libpython3.so": elf_image(needed=["libpython3.13.so.1.0"]),
        "lib/python3.13/lib-dynload/_tkinter.so": elf_image(needed=["libpython3.13.so.1.0"]),
    }
    left = paths(prune(make(files), keep).distribution)
    assert ("lib/libpython3.13.so.1.0" in left, "lib/libpython3.so" in left) == (stays, stays)


@pytest.mark.parametrize(("command", "stays"), [(b"@rpath/libpython3.13.dylib\0", True), (b"", False)])
def test_so_it_is_on_macos(command: bytes, stays: bool) -> None:
    files = {
        **cpython(python=MACOS_PYTHON + command),
        "lib/libpython3.13.dylib": MACOS_PYTHON + b"@rpath/libpython3.13.dylib\0",
    }
    left = paths(prune(make(files, platform="macos-aarch64"), ()).distribution)
    assert ("lib/libpython3.13.dylib" in left) == stays


def test_what_is_left_may_run_on_older_hosts() -> None:
    files = {**cpython(), "lib/libtcl9.0.so": elf_image(versions={"libc.so.6": ["GLIBC_2.34"]})}
    distribution = make(files)
    assert (distribution.glibc, prune(distribution, ()).distribution.glibc) == ((2, 34), (2, 17))
