from __future__ import annotations

from pathlib import Path

from czscie.container.manifest import Boot, Command, LiftManifest, Part
from czscie.scie.inspect import read_manifest
from czscie.scie.stub import stub

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
