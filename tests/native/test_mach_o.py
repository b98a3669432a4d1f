"""native/src/mach_o.zig, which signs on a Mac, gives what czscie.mach_o gives, and reads what others sign."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from czscie import mach_o
from czscie.cache import cache_directory
from czscie.launchers.build import TARGETS, compile_launcher, find_launcher, native_source
from czscie.platforms import current_launcher, find_platform
from czscie.scie.manifest import Command
from czscie.signature import payload_end
from mach_o_image import judge, layout_is_right, sign_as_developer
from scie.making import Tree, part, scie

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="runs a program of this name")

TAIL = b"what a stub ends with" + b"\n" * 11


@pytest.fixture(scope="module")
def signing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """signing.zig, compiled for this machine."""
    built = tmp_path_factory.mktemp("signing") / "signing"
    cache = cache_directory("launchers") / "zig"
    command = [sys.executable, "-m", "ziglang", "build-exe", "-OReleaseSafe", "--dep", "mach_o"]
    command += [f"-Mroot={Path(__file__).with_name('signing.zig')}"]
    command += [f"-Mmach_o={native_source() / 'src' / 'mach_o.zig'}"]
    command += ["-target", TARGETS[current_launcher()], f"-femit-bin={built}"]
    command += ["--cache-dir", str(cache), "--global-cache-dir", str(cache)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return built


@pytest.mark.parametrize("platform", ["macos-x86_64", "macos-aarch64"])
@pytest.mark.parametrize("by_developer", [False, True])
def test_a_stub_out_of_a_signed_executable(
    platform: str, by_developer: bool, signing: Path, tmp_path: Path
) -> None:
    cache = cache_directory("launchers")
    launcher = find_launcher(platform, cache) or compile_launcher(platform, cache, cache)
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
