"""native/src/pe.zig, which reads signed executables on Windows and writes stubs, does what czscie.pe does."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from czscie import pe
from czscie.container.manifest import Command
from czscie.platforms import find_platform
from czscie.signature import payload_end
from integration.native.zig_program import compile_program
from pe_image import certificate, image, judged, sign
from scie.factories import Tree, part, scie

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="runs a program of this name")


@pytest.fixture(scope="module")
def sealing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_program("sealing", "pe", tmp_path_factory.mktemp("sealing"))


@pytest.mark.parametrize("by_developer", [False, True])
@pytest.mark.parametrize("tail", [b"what a stub ends with", b"\xff" * 70_001])
def test_a_stub_out_of_a_signed_executable(
    by_developer: bool, tail: bytes, sealing: Path, tmp_path: Path
) -> None:
    launcher = tmp_path / "launcher"
    launcher.write_bytes(pe.shaped(image(b"\x90" * 9000), b"resources", windowed=True))
    parts = [part(tmp_path, "payload", Tree({"large": os.urandom(1 << 20)}), "app")]
    moo = tmp_path / "moo.exe"
    scie(moo, launcher, parts, {"": Command(exe="moo")}, platform=find_platform("windows-x86_64"))
    if by_developer:
        sign(moo, tmp_path / "signed.exe", certificate(tmp_path))
        moo = tmp_path / "signed.exe"
    bare = launcher.read_bytes()
    (tmp_path / "tail").write_bytes(tail)
    stub = tmp_path / "stub.exe"
    command = [sealing, moo, str(len(bare)), tmp_path / "tail", stub]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    wanted = io.BytesIO(bare + tail)
    pe.seal(wanted)
    assert stub.read_bytes() == wanted.getvalue()
    with moo.open("rb") as file:
        assert int(done.stdout) == payload_end(file, moo.stat().st_size)
    pem = certificate(tmp_path)
    sign(stub, tmp_path / "again.exe", pem)
    assert judged(tmp_path / "again.exe", pem)
