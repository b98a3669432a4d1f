"""What the manifest alone tells is refused before an index is asked, a lock written or a module packed."""

from __future__ import annotations

import json

import pytest

from building import Project
from czscie.errors import CzscieError
from network.server import MirrorServer

COMMAND = '[[lift.commands]]\nname = "other"\nexe = "{}"\n'


@pytest.mark.parametrize(
    ("rest", "told"),
    [
        ('[[lift.files]]\nname = "/etc/hostname"\n', "which is absolute"),
        ('[[lift.files]]\nname = "../secret"\n', "'..' component"),
        (
            '[[lift.files]]\nname = "a"\nkey = "b"\n[[lift.files]]\nname = "a"\n',
            "a path that no other file of the lift has",
        ),
        (
            '[[lift.files]]\nname = "a"\nsource = { url = "https://example.com/a", lazy = false }\n'
            "digest = { size = 1 }\n",
            "a fingerprint",
        ),
        ('[[lift.files]]\nname = "what?"\n', "a character that Windows reserves"),
        (COMMAND.format("{nothing}"), "does not know the placeholder {nothing}"),
        (COMMAND.format("{scie.env.HOME="), "a placeholder has no closing brace"),
        (COMMAND.format("#{cpython:pip}"), "#{cpython:pip} cannot be built"),
        ('[lift.libc]\nbundle = "always"\npackages = "table.json"\n', "no C library to bundle"),
    ],
)
def test_a_build_that_cannot_succeed_does_not_begin(
    project: Project, server: MirrorServer, rest: str, told: str
) -> None:
    table = {"release": "none", "url": "https://example.com/", "packages": []}
    (project.directory / "table.json").write_text(json.dumps(table))
    (project.directory / "a").write_text("a")
    project.manifest(platforms=("linux-x86_64", "windows-x86_64"), rest=rest)
    with pytest.raises(CzscieError) as caught:
        project.build()
    assert told in str(caught.value)
    assert server.requests == []
    assert not (project.directory / "lift.lock").exists()
    assert not (project.directory / "dist").exists()


def test_a_requirement_that_no_lock_can_pin_is_refused(project: Project, server: MirrorServer) -> None:
    project.manifest(payload='requirements = ["cow @ git+https://example.com/cow"]')
    with pytest.raises(CzscieError, match="what a lock can pin"):
        project.build()
    assert server.requests == []
