from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from czscie.container.manifest import Boot, Command, LiftManifest, Part
from czscie.scie.inspect import read_manifest
from czscie.scie.stub import stub
from scie.factories import host_launcher

LIFT = LiftManifest(
    name="moo",
    platform="linux-x86_64",
    files=(Part(name="app", kind="app", digest="ab" * 32, offset=9, size=9, unpacked=9),),
    boot=Boot({"": Command(exe="/bin/echo", args=("default",)), "other": Command(exe="/bin/echo")}),
)


def test_a_stub_is_a_scie_without_parts_that_starts_its_command(tmp_path: Path) -> None:
    data = stub(b"launcher", "1.2", LIFT, "/opt/moo", "other")
    (tmp_path / "stub").write_bytes(data)
    with (tmp_path / "stub").open("rb") as file:
        manifest = read_manifest(file, len(data), "stub")
    lift = manifest.scie.lift
    assert (lift.base, lift.files[0].size, lift.files[0].offset) == ("/opt/moo", 0, 0)
    assert lift.boot.commands[""] == Command(exe="/bin/echo")
    assert manifest.scie.jump.size == len(b"launcher")


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
