"""Files that a binding prints at the first start that needs them."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from integration.lazy.app import LazyApp, digest
from network.server import MirrorServer

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="starts programs of Linux")

CONTENT = b"printed by a binding\n"


def lift(
    script: str = 'echo "$1" >> "$RUNS"; echo printed by a binding', content: bytes | None = CONTENT
) -> str:
    told = f"digest = {digest(content)}" if content is not None else "digest = {}"
    return f"""
[[lift.files]]
name = "words.txt"
source = "make"
{told}

[[lift.bindings]]
name = "make"
exe = "/bin/sh"
args = ["-c", '''{script}''', "sh"]
env.replace.OWN = "of the binding"

[[lift.commands]]
exe = "/bin/cat"
args = ["{{words.txt}}"]
"""


def runs(app: LazyApp) -> list[str]:
    file = app.directory / "runs"
    return file.read_text().split() if file.exists() else []


@pytest.fixture
def variables(app: LazyApp) -> dict[str, str]:
    return {"RUNS": str(app.directory / "runs")}


@pytest.mark.parametrize("content", [CONTENT, None], ids=["digest", "no-digest"])
def test_the_first_start_runs_the_binding(
    app: LazyApp, variables: dict[str, str], content: bytes | None
) -> None:
    app.build(lift(content=content))
    for _ in range(2):
        assert app.output(**variables) == CONTENT.decode()
    assert runs(app) == ["words.txt"]


def test_the_binding_has_its_own_environment(app: LazyApp, variables: dict[str, str]) -> None:
    app.build(lift('echo "$OWN"', None))
    assert app.output(**variables) == "of the binding\n"


def test_twenty_starts_at_once_run_it_once(app: LazyApp, variables: dict[str, str]) -> None:
    app.build(lift())
    starts = [app.begin(**variables) for _ in range(20)]
    assert [each.communicate(timeout=60)[0] for each in starts] == [CONTENT.decode()] * 20
    assert runs(app) == ["words.txt"]


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo printed by another", "prints a words.txt that differs from the manifest\n  it has 19 bytes"),
        ("echo printed by a kinding", "prints a words.txt that differs from the manifest\n  its SHA-256 is "),
        ("yes", "prints more than the 21 bytes of words.txt"),
        ("echo printed by a binding; exit 3", "cannot make words.txt\n  /bin/sh failed: exit status: 3"),
        ("kill -9 $$", "cannot make words.txt\n  /bin/sh was killed"),
    ],
)
def test_what_it_prints_is_compared(app: LazyApp, script: str, message: str) -> None:
    app.build(lift(script))
    assert message in app.failure()
    # Nothing of it is left that a start would use.
    assert message in app.failure()


def test_a_kill_leaves_nothing(app: LazyApp, variables: dict[str, str]) -> None:
    app.build(lift('echo begun >> "$RUNS"; echo printed; sleep "$PAUSE"', b"printed\n"))
    process = app.begin(PAUSE="60", **variables)
    deadline = time.monotonic() + 30
    while not runs(app):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert app.output(PAUSE="0", **variables) == "printed\n"


def test_a_program_that_is_missing_is_an_error(app: LazyApp) -> None:
    app.build(lift().replace('exe = "/bin/sh"', 'exe = "/nowhere/sh"'))
    assert "cannot start /nowhere/sh, which prints words.txt: no such file or directory" in app.failure()


def test_commands_can_call_ptex(app: LazyApp, server: MirrorServer, tmp_path: Path) -> None:
    server.files["/data"] = CONTENT
    server.files["/other"] = b"other"
    app.build(f"""
[lift.ptex]
id = "curl"
argv1 = "{{scie.env.URLS={{scie.lift}}}}"

[[lift.files]]
name = "data.txt"
source = {{ url = "{server.url}/data" }}
digest = {digest(CONTENT)}

[[lift.commands]]
exe = "{{curl}}"
args = ["-s", "-H", "X-Own: yes"]

[[lift.commands]]
name = "lift"
exe = "{{curl}}"
args = ["{{scie.lift}}", "data.txt"]

[[lift.commands]]
name = "cat"
exe = "/bin/cat"
args = ["{{data.txt}}"]
""")
    assert app.output(f"{server.url}/other") == "other"
    assert app.output(SCIE_BOOT="lift") == CONTENT.decode()
    assert "the server responds 404" in app.run(f"{server.url}/none").stderr
    named = app.begin("-O", f"{server.url}/other", path=None)
    assert named.communicate(timeout=60) == ("", "")
    assert (app.directory / "other").read_bytes() == b"other"
    # Other URLs take the place of the manifest's.
    urls = tmp_path / "urls.json"
    urls.write_text(json.dumps({"ptex": {"data.txt": f"{server.url}/moved"}}))
    server.files["/moved"] = server.files.pop("/data")
    assert "responds 404" in app.failure(SCIE_BOOT="cat")
    assert app.output(SCIE_BOOT="cat", URLS=str(urls)) == CONTENT.decode()


def test_a_lift_in_json_runs_its_own_ptex(app: LazyApp, server: MirrorServer) -> None:
    """As science exports it: the binding `fetch` reads the URL of the file from the manifest."""
    ptex = app.directory / "ptex"
    ptex.write_text('#!/bin/sh\ngrep -q "\\"$2\\":\\"https://example.org/words\\"" "$1" && echo fetched\n')
    ptex.chmod(0o755)
    content = b"fetched\n"
    lift = {
        "name": "app",
        "files": [
            {"name": "ptex", "executable": True},
            {
                "name": "words.txt",
                "size": len(content),
                "hash": hashlib.sha256(content).hexdigest(),
                "type": "blob",
                "source": "fetch",
            },
        ],
        "boot": {
            "commands": {"": {"exe": "/bin/cat", "args": ["{words.txt}"]}},
            "bindings": {"fetch": {"exe": "{ptex}", "args": ["{scie.lift}"]}},
        },
    }
    document = {"scie": {"lift": lift}, "ptex": {"words.txt": "https://example.org/words"}}
    app.build_text(json.dumps(document))
    assert app.output() == "fetched\n"
