from __future__ import annotations

from pathlib import Path

from czex.factories import CPYTHON_313
from czscie.czex.convert import Conversion, convert
from czscie.czex.pex import Pex
from czscie.czex.resolve import resolve
from czscie.czex.write import InstalledInterpreter
from czscie.platforms import find_platform
from integration.czex.conftest import MakeMoo

LINUX = find_platform("linux-x86_64")


def test_a_pex_that_pex_made_becomes_one_too(make_moo: MakeMoo, tmp_path: Path) -> None:
    interpreter = InstalledInterpreter("ab" * 32, CPYTHON_313, LINUX)
    made = convert(make_moo(), tmp_path / "moo.czex", Conversion(interpreter, 3))
    assert made.description == "2 wheels, 2 source files"
    assert "bin/moo-env" in {file.path for file in made.plan.files}


def test_a_real_pex_is_resolved_with_its_extra(make_moo: MakeMoo) -> None:
    with Pex.open(make_moo()) as made:
        assert [str(found) for found in resolve(made, LINUX, CPYTHON_313.implementation).wheels] == [
            "moo 1.0",
            "moo-bell 1.2",
        ]
        assert resolve(made, LINUX, CPYTHON_313.implementation).left_out == ()
