from __future__ import annotations

from pathlib import Path

import pytest

from czex.factories import contents
from czscie.czex.pex import Pex
from integration.czex.conftest import MakeMoo

FORMS = {
    "zipapp": (),
    "zipapp of wheel files": ("--no-pre-install-wheels",),
    "zipapp with a shell script": ("--sh-boot",),
    "zipapp for a venv": ("--venv", "prepend"),
    "packed": ("--layout", "packed"),
    "packed with wheel files": ("--layout", "packed", "--no-pre-install-wheels"),
    "loose": ("--layout", "loose"),
    "loose with wheel files": ("--layout", "loose", "--no-pre-install-wheels"),
}


@pytest.mark.parametrize("options", FORMS.values(), ids=list(FORMS))
def test_every_form_that_pex_makes_holds_the_same(make_moo: MakeMoo, options: tuple[str, ...]) -> None:
    with Pex.open(make_moo()) as reference, Pex.open(make_moo(*options)) as pex:
        assert pex.info.entry_point == "moo:main"
        assert pex.info.requirements == reference.info.requirements
        assert pex.info.venv == ("--venv" in options)
        assert contents(pex.sources) == {"herd/__init__.py": b'NAME = "herd"\n', "herd/cows.txt": b"a cow\n"}
        assert [str(wheel) for wheel in pex.wheels] == ["moo 1.0", "moo-bell 1.2"]
        for wheel, expected in zip(pex.wheels, reference.wheels, strict=True):
            assert contents(wheel.members) == contents(expected.members)
            assert wheel.entry_points == expected.entry_points
            assert wheel.requires == expected.requires


def test_a_wheel_comes_out_of_a_pex_with_the_paths_it_had(make_moo: MakeMoo) -> None:
    with Pex.open(make_moo()) as pex:
        members = {file.path: file for file in pex.wheels[0].members}
        source = Path(__file__).parent / "moo" / "src"
        changed = "moo-1.0.data/scripts/moo-env"
        for path in source.rglob("*"):
            name = path.relative_to(source).as_posix()
            if path.is_file() and name != changed and "__pycache__" not in name:
                assert members[name].content.read() == path.read_bytes()
        assert members[changed].content.read() == b'#!python\nprint("env")\n'
        assert {name for name, member in members.items() if member.executable} == {
            "moo/ring.sh",
            "moo-1.0.data/scripts/moo-env",
            "moo-1.0.data/scripts/moo-script",
            "moo-1.0.data/scripts/moo.sh",
        }
