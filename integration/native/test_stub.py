from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from czscie.container.manifest import Boot, Command, LiftManifest
from czscie.scie.stub import stub
from scie.factories import host_launcher
from scie.test_stub import LIFT


@pytest.mark.skipif(sys.platform != "linux", reason="starts /bin/echo")
def test_the_launcher_starts_what_a_stub_says(tmp_path: Path) -> None:
    base = tmp_path / "base"
    (base / "apps" / ("ab" * 32)).mkdir(parents=True)
    base.chmod(0o755)
    commands = {"one": Command(exe="/bin/echo", args=("{app}",)), "two": Command(exe="/bin/false")}
    lift = LiftManifest(name="moo", platform="linux-x86_64", files=LIFT.files, boot=Boot(commands))
    for command, arguments in (("one", ["x"]), (None, ["one", "x"])):
        path = tmp_path / f"stub-{command}"
        path.write_bytes(stub(host_launcher().read_bytes(), "1.2", lift, str(base), command))
        path.chmod(0o755)
        done = subprocess.run([path, *arguments], env={"PATH": os.defpath}, capture_output=True, text=True)
        assert done.stdout == f"{base}/apps/{'ab' * 32} x\n", done.stderr
