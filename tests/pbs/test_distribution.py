from __future__ import annotations

from collections.abc import Mapping

import pytest

from czscie.container.content import Data, File, Link
from czscie.container.tree import Item
from czscie.errors import CzscieError
from czscie.implementation import CPYTHON, Implementation
from czscie.pbs.distribution import Distribution, Layout, detect_layout, glibc_floor
from czscie.platforms import find_platform
from elf_image import elf_image
from pbs.factories import LINUX_PYTHON, MACOS_PYTHON, MUSL_PYTHON, cpython, windows_cpython


def items(files: Mapping[str, bytes], *links: Link) -> tuple[Item, ...]:
    made: list[Item] = [File(path, Data(content), path.startswith("bin/")) for path, content in files.items()]
    return tuple(sorted([*made, *links], key=lambda item: item.path))


@pytest.mark.parametrize(
    ("files", "layout", "abi"),
    [
        (
            cpython("3.13.9"),
            Layout(Implementation(CPYTHON, "3.13.9"), "bin/python3.13", "lib/python3.13"),
            "cp313",
        ),
        (
            cpython("3.14.0rc2", threads="t"),
            Layout(Implementation(CPYTHON, "3.14.0rc2", True), "bin/python3.14t", "lib/python3.14t"),
            "cp314t",
        ),
        (
            cpython("3.10.20", python=MACOS_PYTHON),
            Layout(Implementation(CPYTHON, "3.10.20"), "bin/python3.10", "lib/python3.10"),
            "cp310",
        ),
        (windows_cpython("3.12.1"), Layout(Implementation(CPYTHON, "3.12.1"), "python.exe", "Lib"), "cp312"),
        (
            windows_cpython("3.13.9", threads="t"),
            Layout(Implementation(CPYTHON, "3.13.9", True), "python.exe", "Lib"),
            "cp313t",
        ),
    ],
)
def test_every_shape_of_tree_is_recognised(files: Mapping[str, bytes], layout: Layout, abi: str) -> None:
    found = detect_layout(items(files), "a tree")
    assert found == layout
    assert (found.implementation.abi_tag, found.implementation.python_tag) == (abi, abi.rstrip("t"))


def test_links_of_other_names_are_not_taken_for_the_interpreter() -> None:
    links = (Link("bin/python3.13", "python3.13t"), Link("bin/python3", "python3.13t"))
    found = detect_layout(items(cpython("3.13.9", threads="t"), *links), "a tree")
    assert (found.python, found.implementation.free_threaded) == ("bin/python3.13t", True)


def test_a_debug_build_has_the_same_standard_library() -> None:
    files = dict(cpython("3.13.9"))
    files["bin/python3.13d"] = files.pop("bin/python3.13")
    found = detect_layout(items(files, Link("bin/python3.13", "python3.13d")), "a tree")
    assert found == Layout(Implementation(CPYTHON, "3.13.9"), "bin/python3.13d", "lib/python3.13")


def test_a_version_that_is_known_is_not_looked_for() -> None:
    files = {path: content for path, content in cpython().items() if not path.startswith("include/")}
    assert detect_layout(items(files), "a tree", "3.13.4").version == "3.13.4"


@pytest.mark.parametrize("where", ["bin/python3.13", "lib/libpython3.13.so.1.0", "lib/libpython3.13.dylib"])
def test_without_headers_the_version_is_in_a_binary(where: str) -> None:
    files = {path: content for path, content in cpython().items() if not path.startswith("include/")}
    files[where] = files.get(where, b"") + b"\x003.13.90 (main)\x00" + b"\x003.13.7\x00"
    assert detect_layout(items(files), "a tree").version == "3.13.7"


def test_a_version_that_is_nowhere_is_an_error() -> None:
    files = {path: content for path, content in cpython().items() if not path.startswith("include/")}
    with pytest.raises(CzscieError) as caught:
        detect_layout(items(files), "/opt/python")
    assert str(caught.value) == "error: the version of the CPython 3.13 in /opt/python cannot be found"


def test_a_tree_without_an_interpreter_is_refused() -> None:
    with pytest.raises(CzscieError) as caught:
        detect_layout(items({"bin/bash": b""}), "/usr")
    assert str(caught.value) == (
        "error: there is no CPython in /usr\n"
        "  neither bin/python3.X with lib/python3.X/os.py nor python.exe with python3X.dll and Lib/os.py"
    )


def test_the_floor_is_the_highest_of_all_elf_files() -> None:
    files = dict(cpython())
    files["lib/libz.so.1"] = elf_image(versions={"libc.so.6": ["GLIBC_2.33"]})
    files["lib/README"] = elf_image(versions={"libc.so.6": ["GLIBC_2.99"]})
    files["lib/libnot.so"] = b"/* GNU ld script */"
    assert glibc_floor(items(files), "a tree") == (2, 33)


def test_a_distribution_knows_what_it_asks_of_its_host() -> None:
    tree = items(cpython())
    found = Distribution.of(tree, detect_layout(tree, "a tree"), find_platform("linux-x86_64"), "a tree")
    assert found.glibc == (2, 17)
    musl = items(cpython(python=MUSL_PYTHON))
    found = Distribution.of(musl, detect_layout(musl, "a tree"), find_platform("musl-linux-x86_64"), "a tree")
    assert found.glibc is None


@pytest.mark.parametrize("platform", ["linux-aarch64", "musl-linux-x86_64", "macos-x86_64", "windows-x86_64"])
def test_an_interpreter_for_another_platform_is_refused(platform: str) -> None:
    tree = items(cpython(python=LINUX_PYTHON))
    with pytest.raises(CzscieError) as caught:
        Distribution.of(tree, detect_layout(tree, "a tree"), find_platform(platform), "cpython.tar.gz")
    assert str(caught.value) == (
        f"error: the interpreter of cpython.tar.gz does not run on {platform}\n"
        "  bin/python3.13 is for linux, x86_64, gnu"
    )


def test_a_script_in_the_interpreters_place_is_refused() -> None:
    tree = items(cpython(python=b"#!/bin/sh\n"))
    with pytest.raises(CzscieError) as caught:
        Distribution.of(tree, detect_layout(tree, "a tree"), find_platform("linux-x86_64"), "/opt/python")
    assert caught.value.why == ("bin/python3.13 is for no system that czscie knows",)


def test_a_distribution_moves_into_a_directory_with_all_it_has() -> None:
    tree = items(cpython("3.13.9"), Link("bin/python3", "python3.13"))
    platform = find_platform("linux-x86_64")
    moved = Distribution(platform, detect_layout(tree, "a tree"), tree, None).below("python")
    assert (moved.layout.python, moved.layout.stdlib, moved.layout.root) == (
        "python/bin/python3.13",
        "python/lib/python3.13",
        "python",
    )
    assert [item.path for item in moved.items] == [f"python/{item.path}" for item in tree]
    assert {item.path: item.target for item in moved.items if isinstance(item, Link)} == {
        "python/bin/python3": "python3.13"
    }
    assert moved.layout.below_root("share") == "python/share"
    assert moved.below("a").layout.root == "a/python"
