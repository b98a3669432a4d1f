"""What a bare container lacks, an application finds in the executable; what the host has comes first."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from typing import Any

import pytest

from e2e.bare import BareRoot
from e2e.build import Scie
from e2e.conftest import PYTHONS, BuildScie, MakeRoot
from e2e.pexes import DESTITUTE, SURROUNDINGS

#: What xterm sends for the arrow that points up, once its keypad is switched on.
ARROW_UP = "\x1bOA"


@pytest.fixture(params=PYTHONS)
def program(
    request: pytest.FixtureRequest, build_scie: BuildScie, make_root: MakeRoot
) -> tuple[BareRoot, str]:
    root = make_root()
    root.add_shared_memory()  # for the pool
    return root, root.install(build_scie(Scie(SURROUNDINGS, request.param)))


#: What czscie adds where the payload has none.
BARE = "\n[lift.bare]\ncertificates = true\ntzdata = true\n"


def found(program: tuple[BareRoot, str], environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    root, path = program
    done = root.run(path, environment=environment)
    assert done.returncode == 0, done.stderr
    surroundings: dict[str, Any] = json.loads(done.stdout)
    return surroundings


def test_a_bare_root_has_terminals_certificates_and_time_zones(program: tuple[BareRoot, str]) -> None:
    surroundings = found(program)
    assert surroundings["arrow"] == ARROW_UP
    assert surroundings["roots"] > 100
    assert surroundings["roots of a child"] == surroundings["roots"]
    assert surroundings["noon"] == "2026-07-01T12:00:00+05:45"


def test_an_application_without_certificates_and_time_zones_is_given_them(
    build_scie: BuildScie, make_root: MakeRoot
) -> None:
    root = make_root()
    root.add_shared_memory()
    surroundings = found((root, root.install(build_scie(Scie(DESTITUTE, "3.13", pack=BARE)))))
    assert surroundings["roots"] > 100
    assert surroundings["roots of a child"] == surroundings["roots"]
    assert surroundings["noon"] == "2026-07-01T12:00:00+05:45"


def test_certificates_of_the_host_come_first(program: tuple[BareRoot, str]) -> None:
    root, _ = program
    (root.path / "etc/ssl").mkdir(parents=True)
    (root.path / "etc/ssl/cert.pem").write_text("")
    assert found(program)["roots"] == 0
    assert found(program, {"SSL_CERT_FILE": "/etc/ssl/cert.pem"})["roots"] == 0


def test_the_hosts_descriptions_of_terminals_come_first(program: tuple[BareRoot, str]) -> None:
    """Here the host's xterm is a Linux console, whose arrows are others."""
    root, _ = program
    assert found(program, {"TERM": "xterm"})["arrow"] == ARROW_UP
    (console,) = root.base.glob("**/interpreters/*/share/terminfo/l/linux")
    target = root.path / "usr/share/terminfo/x/xterm"
    target.parent.mkdir(parents=True)
    shutil.copy(console, target)
    assert found(program, {"TERM": "xterm"})["arrow"] == "\x1b[A"
    assert found(program, {"TERM": "linux"})["arrow"] == "\x1b[A"


def test_who_says_where_terminals_are_described_is_heeded(program: tuple[BareRoot, str]) -> None:
    assert found(program, {"TERMINFO_DIRS": "/nowhere"})["arrow"] is None


def test_terminals_that_hardly_anybody_has_are_left_out(program: tuple[BareRoot, str]) -> None:
    assert found(program, {"TERM": "wyse60"})["arrow"] is None
