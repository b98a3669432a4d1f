from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from czex.factories import CPYTHON_313, CPYTHON_313T, WINDOWS_313, digest, files, wheel
from czscie.errors import CzscieError
from czscie.platforms import find_platform
from czscie.wheel.record import UNKNOWN, parse_record
from czscie.wheel.venv_layout import Placement, VenvItems, describe, venv_items
from czscie.wheel.wheel import Wheel

LINUX = find_platform("linux-x86_64")
SITE = "lib/python3.13/site-packages"
MOO = "moo-1.0-py3-none-any.whl"


def spread(*wheels: Wheel, sources: Mapping[str, bytes] | None = None) -> VenvItems:
    return venv_items(wheels, files(sources or {}), CPYTHON_313, LINUX)


def by_destination(items: VenvItems) -> dict[str, Placement]:
    return {placement.destination: placement for placement in items.placements}


def write(items: VenvItems, root: Path) -> None:
    """Installs as the launcher does, with the Python that runs the tests."""
    for placement in items.placements:
        path = root / placement.destination
        path.parent.mkdir(parents=True, exist_ok=True)
        data = placement.member.content.read()[placement.skip :]
        shebang = f"#!{sys.executable}\n".encode() if placement.kind == "script" else b""
        path.write_bytes(shebang + data)
        path.chmod(0o755 if placement.executable else 0o644)


def test_every_scheme_has_its_place() -> None:
    made = wheel(
        MOO,
        {
            "moo/__init__.py": b"",
            "moo-1.0.data/purelib/pure.py": b"",
            "moo-1.0.data/platlib/plat.so": b"",
            "moo-1.0.data/scripts/moo.sh": b"#!/bin/sh\n",
            "moo-1.0.data/headers/sub/moo.h": b"",
            "moo-1.0.data/data/share/cow.txt": b"",
        },
    )
    metadata = {f"{SITE}/moo-1.0.dist-info/{name}" for name in ("METADATA", "RECORD", "WHEEL")}
    assert by_destination(spread(made)).keys() - metadata == {
        f"{SITE}/moo/__init__.py",
        f"{SITE}/pure.py",
        f"{SITE}/plat.so",
        "bin/moo.sh",
        "include/site/python3.13/moo/sub/moo.h",
        "share/cow.txt",
    }


def test_windows_and_free_threaded_pythons_have_directories_of_their_own() -> None:
    made = wheel(
        MOO,
        {"moo.py": b"", "moo-1.0.data/scripts/moo.py": b"#!python\n"},
        entry_points="[console_scripts]\ncow = moo:main\n[gui_scripts]\nwindow = moo\n",
    )
    windows = by_destination(venv_items([made], (), WINDOWS_313, find_platform("windows-x86_64")))
    scripts = {"Scripts/cow-script.py", "Scripts/window-script.pyw", "Scripts/moo.py"}
    assert {path for path in windows if not path.startswith("Lib/site-packages/moo")} == scripts
    free_threaded = by_destination(venv_items([made], (), CPYTHON_313T, LINUX))
    assert "lib/python3.13t/site-packages/moo.py" in free_threaded
    assert "bin/cow" in free_threaded


def test_a_script_of_python_loses_its_first_line_and_keeps_its_bytes_in_the_wheel() -> None:
    script = b"#!python\n# coding: utf-8\nprint(1)\n"
    made = wheel(
        MOO, {"moo-1.0.data/scripts/a": script, "moo-1.0.data/scripts/b": b"#!/bin/sh\n", "c": b"#!python\n"}
    )
    placed = by_destination(spread(made))
    assert (placed["bin/a"].kind, placed["bin/a"].skip) == ("script", len(b"#!python\n"))
    assert placed["bin/a"].origin is made
    assert placed["bin/a"].member in made.members
    assert (placed["bin/b"].kind, placed["bin/b"].skip, placed["bin/b"].executable) == ("file", 0, True)
    assert placed[f"{SITE}/c"].kind == "file"


def test_entry_points_become_scripts_that_import_and_call(tmp_path: Path) -> None:
    made = wheel(
        MOO,
        {
            "moo/__init__.py": b"class Cow:\n  @staticmethod\n  def moo(): return 'loud'\n",
            "moo/__main__.py": b"import sys; print(__name__, sys.argv[0].endswith('bin/run'))\n",
        },
        entry_points="[console_scripts]\ncall = moo:Cow.moo\n[gui_scripts]\nrun = moo.__main__\n",
    )
    placed = by_destination(spread(made))
    assert placed["bin/call"].origin == placed["bin/run"].origin == "generated"
    assert (placed["bin/call"].kind, placed["bin/call"].skip) == ("script", 0)
    write(spread(made), tmp_path)
    environment = {"PYTHONPATH": str(tmp_path / SITE)}
    call = subprocess.run(
        [tmp_path / "bin/call"], env=environment, capture_output=True, text=True, check=False
    )
    assert (call.returncode, call.stderr) == (1, "loud\n")
    run = subprocess.run([tmp_path / "bin/run"], env=environment, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (0, "__main__ False\n")


def test_sources_lie_beside_the_wheels() -> None:
    placement = by_destination(spread(sources={"app/__init__.py": b"", "app/data/x.txt": b"x"}))
    assert placement.keys() == {f"{SITE}/app/__init__.py", f"{SITE}/app/data/x.txt"}
    assert {item.origin for item in placement.values()} == {"sources"}


def test_where_nothing_moves_the_wheels_own_record_is_installed() -> None:
    made = wheel(MOO, {"moo.py": b""})
    record = by_destination(spread(made))[f"{SITE}/moo-1.0.dist-info/RECORD"]
    assert record.origin is made
    assert record.member in made.members


def test_a_record_lists_what_is_installed_where_it_is() -> None:
    first = wheel("aaa-1.0-py3-none-any.whl", {"shared.py": b"1"})
    second = wheel(
        MOO,
        {
            "shared.py": b"2",
            "moo.py": b"3",
            "moo-1.0.data/scripts/x": b"#!python\n",
            "moo-1.0.data/data/d": b"4",
        },
        entry_points="[console_scripts]\nmoo = moo:main\n",
    )
    record = by_destination(spread(first, second))[f"{SITE}/moo-1.0.dist-info/RECORD"]
    assert record.origin == "generated"
    rows = parse_record(record.member.content.read().decode())
    assert rows["moo.py"] == (digest(b"3"), "1")
    assert rows["../../../d"] == (digest(b"4"), "1")
    assert rows["../../../bin/moo"] == rows["../../../bin/x"] == rows["moo-1.0.dist-info/RECORD"] == UNKNOWN
    assert "shared.py" not in rows
    assert list(rows) == sorted(rows)


def test_sources_win_over_wheels_and_earlier_wheels_over_later_ones() -> None:
    first = wheel("bbb-1.0-py3-none-any.whl", {"one.py": b"1", "two.py": b"1"})
    second = wheel("aaa-1.0-py3-none-any.whl", {"one.py": b"2", "two.py": b"2"})
    items = spread(first, second, sources={"one.py": b"0"})
    placed = by_destination(items)
    assert placed[f"{SITE}/one.py"].origin == "sources"
    assert placed[f"{SITE}/two.py"].origin is first
    assert [
        (item.destination, describe(item.taken), describe(item.refused)) for item in items.collisions
    ] == [
        (f"{SITE}/one.py", "the PEX's own files", "bbb-1.0-py3-none-any.whl"),
        (f"{SITE}/one.py", "the PEX's own files", "aaa-1.0-py3-none-any.whl"),
        (f"{SITE}/two.py", "bbb-1.0-py3-none-any.whl", "aaa-1.0-py3-none-any.whl"),
    ]


def test_a_collision_of_scripts_names_the_wheels_that_they_are_for() -> None:
    points = "[console_scripts]\ncow = {}:main\n"
    first = wheel("aaa-1.0-py3-none-any.whl", {"a.py": b""}, entry_points=points.format("a"))
    second = wheel("bbb-1.0-py3-none-any.whl", {"b.py": b""}, entry_points=points.format("b"))
    [collision] = spread(first, second).collisions
    assert collision.destination == "bin/cow"
    assert (describe(collision.taken), describe(collision.refused)) == (first.filename, second.filename)


@pytest.mark.parametrize(
    ("path", "one", "other", "collide"),
    [
        ("x/y.txt", b"same", b"same", False),
        ("x/y.txt", b"same", b"else", True),
        ("x/y.py", b"a = 1\n", b"a=1\n", True),
        ("x/__init__.py", b"a = 1  # comment\n", b"\n\na=1\n", False),
        ("x/__init__.py", b"a = 1\n", b"a = 2\n", True),
        ("x/__init__.py", b"a = (\n", b"a = 2\n", True),
    ],
)
def test_what_makes_no_difference_is_no_collision(path: str, one: bytes, other: bytes, collide: bool) -> None:
    wheels = wheel("aaa-1.0-py3-none-any.whl", {path: one}), wheel("bbb-1.0-py3-none-any.whl", {path: other})
    assert bool(spread(*wheels).collisions) == collide


def test_where_case_is_ignored_paths_that_differ_in_it_collide() -> None:
    wheels = (
        wheel("aaa-1.0-py3-none-any.whl", {"Cow.py": b"1"}),
        wheel("bbb-1.0-py3-none-any.whl", {"cow.py": b"2"}),
    )
    assert not spread(*wheels).collisions
    macos = venv_items(wheels, (), CPYTHON_313, find_platform("macos-aarch64"))
    assert [item.destination for item in macos.collisions] == [f"{SITE}/Cow.py"]
    assert f"{SITE}/cow.py" not in by_destination(macos)


def test_a_path_that_is_a_file_here_and_a_directory_there_is_an_error() -> None:
    wheels = wheel("aaa-1.0-py3-none-any.whl", {"x": b""}), wheel("bbb-1.0-py3-none-any.whl", {"x/y": b""})
    with pytest.raises(CzscieError) as error:
        spread(*wheels)
    assert error.value.what == f"{SITE}/x would be both a file and a directory"
    why = f"aaa-1.0-py3-none-any.whl has the file, bbb-1.0-py3-none-any.whl has {SITE}/x/y"
    assert error.value.why == (why,)


@pytest.mark.parametrize("path", ["moo-1.0.data/shared/x", "moo-1.0.data/scripts", "moo-1.0.data/x"])
def test_a_scheme_that_nobody_knows_is_an_error(path: str) -> None:
    with pytest.raises(CzscieError, match=f"{MOO} has a file in an unknown scheme: {path}"):
        spread(wheel(MOO, {path: b""}))


def test_the_order_of_things_is_always_the_same() -> None:
    wheels = [wheel(MOO, {"b.py": b"", "a.py": b""}), wheel("aaa-1.0-py3-none-any.whl", {"c.py": b""})]
    found = [placement.destination for placement in spread(*wheels, sources={"0.py": b""}).placements]
    assert found == sorted(found)
