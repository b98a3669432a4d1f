from __future__ import annotations

import pytest

from building import STANDALONE, Project
from czscie.build import build
from czscie.console import Console, Detail
from czscie.session import Session
from czscie.trace import listening, traced_command, traced_url
from network.server import MirrorServer


def test_commands_and_urls_are_told_without_secrets() -> None:
    told: list[str] = []
    with listening(told.append):
        with traced_url("https://user:password@example.com/simple/?token=secret"):
            pass
        with pytest.raises(ValueError), traced_command(["pip", "a b", "x @ https://t0ken@example.com/x.whl"]):
            raise ValueError
    with traced_url("https://example.com/nobody/listens"):
        pass
    assert [line.rpartition(" (")[0] for line in told] == [
        "https://example.com/simple/",
        "pip 'a b' 'x @ https://example.com/x.whl'",
    ]
    assert all(line.endswith(" s)") for line in told)


@pytest.mark.parametrize("detail", list(Detail))
def test_only_a_console_of_every_detail_tells_urls(
    project: Project, server: MirrorServer, capsys: pytest.CaptureFixture[str], detail: Detail
) -> None:
    project.manifest(STANDALONE)
    console = Console(detail=detail)
    with console.command("Building"):
        build(project.directory / "lift.toml", project.directory / "dist", [], Session.of(console))
    told = capsys.readouterr().err
    assert (f"  {server.url}/" in told) == (detail is Detail.TRACE)
