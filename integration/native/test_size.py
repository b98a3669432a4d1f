"""Very much to install: a file beyond 4 GiB, an executable beyond 4 GiB, and tens of thousands of files."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import zlib
from pathlib import Path

import msgspec
import pytest

from czscie.container import plan as plans
from czscie.container import zip as zip_records
from czscie.container.content import OnDisk
from czscie.container.manifest import FORMAT, SBOM, Boot, Launcher, Manifest, Part, Scie
from czscie.container.packer import put_entry
from czscie.scie.inspect import read_sbom, read_scie
from czscie.verify.file import verify_file
from integration.native.application import SHOW, Application, Make
from scie.factories import Tree, manifest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="starts Linux programs")

#: More than 32 bits count, and what is beyond them.
LARGE = (4 << 30) + (8 << 20)
BEYOND = (4 << 30) + 12_345
FILES = 70_000


def tool(moo: Application, word: str) -> subprocess.CompletedProcess[str]:
    environment = {"CZSCIE_BASE": str(moo.base), "SCIE": word}
    return subprocess.run([moo.path], env=environment, capture_output=True, text=True, timeout=600)


def need_room(directory: Path, size: int) -> None:
    if shutil.disk_usage(directory).free < size:
        pytest.skip(f"this takes {size >> 30} GiB of {directory}")


def test_a_file_beyond_4_gib_is_packed_inspected_installed_mended_and_verified(
    make: Make, tmp_path: Path
) -> None:
    """Takes a minute of the processor, and as many bytes of the disk, twice while it is mended."""
    need_room(tmp_path, 2 * LARGE + (1 << 30))
    with (tmp_path / "large").open("wb") as file:  # a hole but for its end
        file.seek(LARGE - 3)
        file.write(b"end")
    moo = make(Tree({"lib/large": OnDisk(tmp_path / "large"), "lib/small": b"small"}))
    assert moo.path.stat().st_size < 50 << 20
    [part] = read_scie(moo.path).parts
    assert part.unpacked == LARGE + len(b"small")
    assert part.part.unpacked > LARGE

    done = moo.start(timeout=600)
    assert done.returncode == 0, done.stderr
    installed = moo.root / "lib/large"
    with installed.open("r+b") as file:
        file.seek(LARGE - 4)
        assert file.read() == b"\0end"
        file.seek(BEYOND)
        file.write(b"x")
    os.utime(moo.root, (0, 0))
    assert moo.start(timeout=600).returncode == 0
    with installed.open("rb") as file:
        file.seek(BEYOND)
        assert file.read(1) == b"\0"

    verified = tool(moo, "verify")
    assert (verified.returncode, verified.stderr) == (0, "")
    assert verify_file(moo.path).problems == ()
    shutil.rmtree(moo.base)


def with_a_hole(path: Path, launcher: Path) -> Manifest:
    """A scie whose files and records lie beyond 4 GiB, because its first entry is stored zeros: a hole."""
    hole = zlib.crc32(b"")
    for _ in range(LARGE >> 20):
        hole = zlib.crc32(bytes(1 << 20), hole)
    code, text, sbom = launcher.read_bytes(), b"one line of text\n" * 200, b"{}"
    with path.open("wb") as file:
        file.write(code)
        entries = [zip_records.Entry("hole", zip_records.STORED, hole, LARGE, LARGE, len(code))]
        file.write(entries[0].local_header())
        file.seek(LARGE, os.SEEK_CUR)
        entries.append(put_entry(file, "lib/text", text, 3))
        planned = plans.PlannedEntry(
            "lib/text", len(text), zlib.crc32(text), hashlib.sha256(text).hexdigest()
        )
        installed = plans.PlannedFile("lib/text", plans.Slice("lib/text", 0, len(text)))
        plan = plans.Plan((planned,), (installed,))
        entries.append(put_entry(file, plans.ENTRY_NAME, plan.render(), 3))
        entries.append(put_entry(file, SBOM, sbom, 3))
        size = file.tell() + len(zip_records.directory(entries, file.tell())) - len(code)
        part = Part(
            name="cpython",
            kind="interpreter",
            digest=plan.digest(),
            offset=len(code),
            size=size,
            unpacked=plan.unpacked(),
        )
        lift = manifest("moo", Boot({"": SHOW}))
        jump = Launcher("0", len(code), hashlib.sha256(code).hexdigest())
        whole = Manifest(Scie(FORMAT, jump, msgspec.structs.replace(lift, files=(part,))))
        file.write(zip_records.directory(entries, file.tell(), whole.render()))
    path.chmod(0o755)
    return whole


def test_what_lies_beyond_4_gib_of_an_executable_is_found(launcher: Path, tmp_path: Path) -> None:
    """The file is a hole but for its ends, and takes no room where there are holes."""
    moo = Application(tmp_path / "moo", with_a_hole(tmp_path / "moo", launcher), tmp_path / "base")
    if moo.path.stat().st_blocks * 512 > LARGE // 2:
        pytest.skip("the file system has no holes")
    assert moo.path.stat().st_size > LARGE
    with moo.path.open("rb") as file:
        [part] = moo.manifest.scie.lift.files
        found = zip_records.read_directory(file, part.offset + part.size, part.offset)
        assert [entry.name for entry in found.entries if entry.header_offset > LARGE] == [
            "lib/text",
            plans.ENTRY_NAME,
            SBOM,
        ]
        assert zip_records.read_entry(file, found.entry("lib/text")) == b"one line of text\n" * 200
    assert read_sbom(moo.path) == b"{}"
    for _ in ("cold", "warm"):
        done = moo.start()
        assert done.returncode == 0, done.stderr
        assert (moo.root / "lib/text").read_bytes() == b"one line of text\n" * 200
    assert tool(moo, "list").returncode == 0
    assert tool(moo, "sbom").stdout == "{}"
    moo.root.joinpath("lib/text").write_bytes(bytes(3400))
    os.utime(moo.root, (0, 0))
    assert moo.start().returncode == 0
    assert (moo.root / "lib/text").read_bytes() == b"one line of text\n" * 200


def test_70_000_files_are_installed_verified_and_mended(make: Make) -> None:
    moo = make(Tree({f"lib/{number // 500}/{number}": b"%d" % number for number in range(FILES)}))
    done = moo.start()
    assert done.returncode == 0, done.stderr
    for number in (0, 12_345, FILES - 1):
        assert (moo.root / f"lib/{number // 500}/{number}").read_bytes() == b"%d" % number
    assert sum(len(names) for _, _, names in os.walk(moo.root)) == FILES
    verified = tool(moo, "verify")
    assert (verified.returncode, verified.stderr) == (0, "")
    (moo.root / "lib/24/12345").unlink()
    shutil.rmtree(moo.root / "lib/3")
    os.utime(moo.root, (0, 0))
    assert moo.start().returncode == 0
    assert tool(moo, "verify").returncode == 0
