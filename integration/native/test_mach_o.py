"""native/src/mach_o.zig, which signs on a Mac, gives what czscie.mach_o gives, and reads what others sign."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from czscie import mach_o
from czscie.container.manifest import Command
from czscie.platforms import find_platform
from czscie.signature import payload_end
from integration.native.zig_program import compile_program
from mach_o_image import judge, layout_is_right, sign_as_developer
from scie.factories import Tree, launcher_of, part, scie

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="runs a program of this name")

TAIL = b"what a stub ends with" + b"\n" * 11


@pytest.fixture(scope="module")
def signing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_program("signing", "mach_o", tmp_path_factory.mktemp("signing"))


@pytest.mark.parametrize("platform", ["macos-x86_64", "macos-aarch64"])
@pytest.mark.parametrize("by_developer", [False, True])
def test_a_stub_out_of_a_signed_executable(
    platform: str, by_developer: bool, signing: Path, tmp_path: Path
) -> None:
    launcher = launcher_of(platform)
    parts = [part(tmp_path, "payload", Tree({"large": os.urandom(1 << 20)}), "app")]
    moo = tmp_path / "moo"
    scie(moo, launcher, parts, {"": Command(exe="moo")}, platform=find_platform(platform))
    if by_developer:
        sign_as_developer(moo, tmp_path / "signed")
        moo = tmp_path / "signed"
    bare = launcher.read_bytes()
    tail = TAIL + b"\n" * (-(len(bare) + len(TAIL)) % 16)
    (tmp_path / "tail").write_bytes(tail)
    stub = tmp_path / "stub"
    command = [signing, moo, str(len(bare)), tmp_path / "tail", stub, "moo"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert stub.read_bytes() == mach_o.signed(bare + tail, "moo")
    assert judge(stub) == ["no cryptographic signature present"]
    assert layout_is_right(stub)
    with moo.open("rb") as file:
        assert int(done.stdout) == payload_end(file, moo.stat().st_size)
