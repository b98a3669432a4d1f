from __future__ import annotations

from collections.abc import Mapping

import pytest

from czex.factories import contents, digest, files, metadata, record, wheel
from czscie.errors import CzscieError
from czscie.wheel.record import UNKNOWN, parse_record
from czscie.wheel.wheel import Wheel

MOO = "moo-1.0-py3-none-any.whl"


def read(members: Mapping[str, bytes], *, spread: bool = False, filename: str = MOO) -> Wheel:
    return Wheel.read(filename, files(members), spread=spread, label="a.pex")


def test_what_the_metadata_says_is_read() -> None:
    found = read(
        {
            "Foo_Bar-2.0.dist-info/METADATA": (
                b"Name: Foo.Bar\nVersion: 2.0\nRequires-Dist: cow>=1\nRequires-Dist: calf; extra == 'x'\n"
                b"Requires-Python: >=3.8\nProvides-Extra: X\n\nA description: not a header\n"
            ),
            "Foo_Bar-2.0.dist-info/WHEEL": b"Wheel-Version: 1.0\n\nRoot-Is-Purelib: false\n",
        },
        filename="Foo_Bar-2.0-3b-cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
    )
    assert (found.name, found.project, found.version) == ("Foo.Bar", "foo-bar", "2.0")
    assert [str(requirement) for requirement in found.requirements()] == ["cow>=1", 'calf; extra == "x"']
    assert str(found.python_versions()) == ">=3.8"
    assert found.extras == ("x",)
    assert found.build == (3, "b")
    assert {str(tag) for tag in found.tags} == {
        "cp313-cp313-manylinux_2_17_x86_64",
        "cp313-cp313-manylinux2014_x86_64",
    }
    assert str(found) == "foo-bar 2.0"


def test_prefixes_with_ordered_comparisons_mean_what_they_once_meant() -> None:
    old = wheel(MOO, requires=["cow (>=1.0.*,!=1.5.*)", "calf ~=2.1.*"], requires_python=">=3.*, !=3.1.*")
    assert [str(requirement) for requirement in old.requirements()] == ["cow!=1.5.*,>=1.0", "calf~=2.1"]
    assert str(old.python_versions()) in ("!=3.1.*,>=3", ">=3,!=3.1.*")


def test_metadata_that_nobody_understands_names_the_wheel_when_it_is_asked_for() -> None:
    broken = wheel(MOO, requires=["not a requirement at all"], requires_python="yes")
    with pytest.raises(CzscieError, match=f"{MOO} has an invalid requirement: not a"):
        broken.requirements()
    with pytest.raises(CzscieError, match=f"{MOO} has an invalid Requires-Python: yes"):
        broken.python_versions()


@pytest.mark.parametrize("filename", ["moo.egg", "moo-1.0.whl", "moo-1.0-py3.7.egg", "moo"])
def test_what_is_not_called_like_a_wheel_is_refused(filename: str) -> None:
    with pytest.raises(CzscieError) as error:
        read(metadata("moo"), filename=filename)
    assert error.value.what == f"{filename} in a.pex is not a wheel"


def test_a_wheel_without_metadata_is_refused() -> None:
    with pytest.raises(CzscieError, match=f"{MOO} in a.pex has no metadata directory"):
        read({"moo.py": b""})
    with pytest.raises(CzscieError, match=f"{MOO} in a.pex has no METADATA with a name and a version"):
        read({"moo-1.0.dist-info/METADATA": b"Name: moo\n"})


def test_of_several_metadata_directories_the_wheels_own_is_read() -> None:
    assert read({**metadata("aaa", "9"), **metadata("moo")}).project == "moo"


def test_bytecode_and_what_installers_noted_are_dropped() -> None:
    dropped = {
        "moo/__pycache__/x.cpython-311.pyc": b"",
        "moo-1.0.dist-info/INSTALLER": b"pip\n",
        "moo-1.0.dist-info/REQUESTED": b"",
        "moo-1.0.dist-info/direct_url.json": b'{"url": "file:///home/me/moo"}',
        "moo-1.0.dist-info/uv_cache.json": b"{}",
    }
    kept = {"moo/INSTALLER": b"", "moo/sourceless.pyc": b"", **metadata("moo")}
    found = contents(read({**dropped, **kept}).members)
    assert found.keys() == {*kept, "moo-1.0.dist-info/RECORD"}


def test_scripts_of_entry_points_are_dropped_and_others_are_programs_of_python() -> None:
    members = {
        "bin/moo": b"#!/build/python\ngenerated\n",
        "bin/moo.exe": b"MZ",
        "bin/moo-script.py": b"#!/build/python\ngenerated\n",
        "bin/other": b"#!/build/.venv/bin/python3.11\nprint(1)\n",
        "bin/tool.sh": b"#!/bin/sh\n",
        **metadata("moo", entry_points="[console_scripts]\nmoo = moo:main\n"),
    }
    found = {file.path: file for file in read(members, spread=True).members if "/scripts/" in file.path}
    assert found.keys() == {"moo-1.0.data/scripts/other", "moo-1.0.data/scripts/tool.sh"}
    assert found["moo-1.0.data/scripts/other"].content.read() == b"#!python\nprint(1)\n"
    assert all(file.executable for file in found.values())


def test_the_record_is_true_of_the_files_as_they_are_in_the_wheel() -> None:
    recorded = {
        "moo.py": b"1",
        "../../bin/same.sh": b"#!/bin/sh\n",
        "../../bin/changed": b"#!/build/python\n2\n",
        "moo-1.0.dist-info/INSTALLER": b"pip",
    }
    present = {
        "moo.py": b"1",
        "bin/same.sh": b"#!/bin/sh\n",
        "bin/changed": b"#!/build/python\n2\n",
        "unrecorded.py": b"3",
        "moo-1.0.dist-info/INSTALLER": b"pip",
        "moo-1.0.dist-info/RECORD": record(recorded, "moo-1.0.dist-info/RECORD"),
        **metadata("moo"),
    }
    found = contents(read(present, spread=True).members)
    rows = parse_record(found["moo-1.0.dist-info/RECORD"].decode())
    assert rows.keys() == found.keys()
    assert rows.pop("moo-1.0.dist-info/RECORD") == UNKNOWN
    assert {path: row[0] for path, row in rows.items()} == {path: digest(found[path]) for path in rows}
    assert {path: row[1] for path, row in rows.items()} == {path: str(len(found[path])) for path in rows}


def test_members_are_sorted() -> None:
    found = [file.path for file in wheel(MOO, {"z.py": b"", "a.py": b"", "moo-1.0.data/data/x": b""}).members]
    assert found == sorted(found)
