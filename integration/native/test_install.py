"""What the real launcher installs: files, modes, links, scripts, templates, whatever their size and name."""

from __future__ import annotations

import hashlib
import os
import random
import stat
import sys
import tempfile
from pathlib import Path

import pytest

from czscie.container import zip as zip_records
from czscie.container.content import Data, File
from czscie.container.manifest import Boot, Command, Launcher, LiftManifest, Manifest, Part, Scie
from czscie.container.packer import Packer
from czscie.container.part import PartFile
from czscie.container.plan import Plan, PlannedEntry, PlannedFile, PlannedLink
from czscie.filesystem import write_atomically
from integration.native.application import HOME, SHOW, Application, Make, said, say
from scie.factories import Tree, part, scie

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="starts Linux programs")


@pytest.mark.parametrize(("umask", "modes"), [(0o022, (0o644, 0o755)), (0o077, (0o600, 0o700))])
def test_modes_are_the_plans_less_the_umask(make: Make, umask: int, modes: tuple[int, int]) -> None:
    tree = Tree({"lib/data": b"data"}, programs={"bin/say": b"#!/bin/sh\n"})
    moo = make(tree)
    assert moo.start(umask=umask).returncode == 0
    found = [stat.S_IMODE((moo.root / name).stat().st_mode) for name in ("lib/data", "bin/say")]
    assert tuple(found) == modes
    assert stat.S_IMODE(moo.base.stat().st_mode) == 0o700


def test_links_and_empty_directories_are_made(make: Make) -> None:
    tree = Tree(
        {"lib/real": b"data"},
        links={"bin/link": "../lib/real", "dangling": "lib/none", "lib64": "lib"},
        directories=["empty", "deep/er"],
    )
    moo = make(tree)
    assert moo.start().returncode == 0
    assert (moo.root / "bin/link").readlink() == Path("../lib/real")
    assert (moo.root / "lib64/real").read_bytes() == b"data"
    assert (moo.root / "dangling").readlink() == Path("lib/none")
    assert list((moo.root / "empty").iterdir()) == list((moo.root / "deep/er").iterdir()) == []


def test_templates_are_filled_with_where_things_are(make: Make) -> None:
    template = b"home = {base}/x\nroot = {root}\n{other} {{base} {\xff"
    moo = make(Tree(templates={"pyvenv.cfg": template, "empty.cfg": b""}))
    assert moo.start().returncode == 0
    base, root = os.fsencode(moo.base), os.fsencode(moo.root)
    assert (moo.root / "pyvenv.cfg").read_bytes() == (
        b"home = " + base + b"/x\nroot = " + root + b"\n{other} {" + base + b" {\xff"
    )
    assert (moo.root / "empty.cfg").read_bytes() == b""


SCRIPT = b"import sys\nprint(sys.argv, sys.flags.no_user_site)\n"


@pytest.mark.parametrize(
    ("directory", "first"),
    [
        # The digest alone has 64 characters: only a short base leaves room for it in a kernel's line.
        ("short", "#!{root}/bin/python -sWerror"),
        ("a b", "#!/bin/sh"),
        ("long" * 40, "#!/bin/sh"),
        ("quo\"te $HOME `x` 'y' ''' \"\"\" !", "#!/bin/sh"),
        ("back\\slash \\x \\N \\\\", "#!/bin/sh"),
        ("tab\tand\ttab", "#!/bin/sh"),
    ],
)
def test_a_script_starts_python_wherever_it_is_installed(make: Make, directory: str, first: str) -> None:
    python = f'#!/bin/sh\nexec "{sys.executable}" "$@"\n'.encode()
    tree = Tree(scripts={"bin/tool": ("bin/python -sWerror", SCRIPT)}, programs={"bin/python": python})
    moo = make(tree, {"": Command(exe="{cpython}/bin/tool", args=("a b",))})
    with tempfile.TemporaryDirectory(dir="/tmp") as short:
        there = Application(moo.path, moo.manifest, Path(short, directory))
        done = there.start("c")
        assert done.stderr == b""
        tool = there.root / "bin/tool"
        assert tool.read_text().splitlines()[0] == first.format(root=there.root)
        assert done.stdout.decode() == f"{[str(tool), 'a b', 'c']} 1\n"


def test_large_files_are_written_piece_by_piece(make: Make) -> None:
    noise = random.Random(0).randbytes(1 << 20)
    large = {
        "noise": noise * 8 + b"odd" + noise * 9,
        "zeros": bytes(40 << 20),
        "just large": noise * 8 + b"x",
        "just whole": noise * 8,
    }
    moo = make(Tree(large, programs={"tool": noise * 17}))
    assert moo.start().returncode == 0
    for name, content in (*large.items(), ("tool", noise * 17)):
        digest = hashlib.sha256((moo.root / name).read_bytes()).digest()
        assert digest == hashlib.sha256(content).digest(), name
    assert (moo.root / "tool").stat().st_mode & 0o111


def test_many_files_in_several_groups_are_all_there(make: Make) -> None:
    contents = {f"d{n % 50}/{n}": random.Random(n).randbytes(n % 9000) for n in range(2500)}
    moo = make(Tree(contents))
    assert moo.start().returncode == 0
    found = {
        str(path.relative_to(moo.root)): path.read_bytes() for path in moo.root.rglob("*") if path.is_file()
    }
    assert found == contents


ODD_NAMES = [
    " ",
    "ä\u2028",
    "..a",
    "a..",
    "...",
    "{base}",
]


def test_every_name_that_python_plans_is_one_to_the_launcher(launcher: Path, tmp_path: Path) -> None:
    packer = Packer(3)
    content = packer.add("", [File("content", Data(b"same for all"))])["content"]
    files = tuple(PlannedFile(f"{name}/{name}", content) for name in ODD_NAMES)
    links = tuple(PlannedLink(f"link {name}", f"{name}/{name}") for name in ODD_NAMES)

    def plan(entries: tuple[PlannedEntry, ...]) -> Plan:
        return Plan(entries, files, links)

    planned = write_atomically(tmp_path / "odd.zip", lambda stream: packer.write(stream, plan))
    odd = PartFile(tmp_path / "odd.zip", "cpython", "interpreter", planned.digest(), planned.unpacked(), "")
    made = scie(tmp_path / "moo", launcher, [odd], {"": SHOW})
    moo = Application(tmp_path / "moo", made, tmp_path / "base")
    assert moo.start().returncode == 0
    for name in ODD_NAMES:
        assert (moo.root / name / name).read_bytes() == b"same for all"
        assert (moo.root / f"link {name}").read_bytes() == b"same for all"
    assert len(list(moo.root.iterdir())) == 2 * len(ODD_NAMES)


def test_nothing_is_written_through_a_link_of_the_plan(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Python refuses such a plan before the launcher gets to see it.
    monkeypatch.setattr(Plan, "check", lambda plan: None)
    (tmp_path / "outside").mkdir()
    tree = Tree({"out/file": b"data"}, links={"out": str(tmp_path / "outside")})
    done = make(tree).start()
    assert done.returncode == 1
    assert list((tmp_path / "outside").iterdir()) == []


def test_a_zip_beyond_4_gib_is_installed(launcher: Path, tmp_path: Path) -> None:
    """What Python writes in zip64 the launcher reads; the file is sparse."""
    tree = Tree({"lib/data": b"far away"})
    far = part(tmp_path, "cpython", tree)
    start = 5 << 30
    with (tmp_path / "moo").open("wb") as file:
        file.write(launcher.read_bytes())
        file.seek(start)
        with far.path.open("rb") as source:
            found = zip_records.read_directory(source, far.path.stat().st_size)
            source.seek(0)
            file.write(source.read(found.offset))
        entries = [entry.moved(start) for entry in found.entries]
        end = file.tell()
        records = zip_records.directory(entries, end)
        placed = Part(
            name="cpython",
            kind="interpreter",
            digest=far.digest,
            offset=start,
            size=end - start + len(records),
            unpacked=far.unpacked,
        )
        lift = LiftManifest(name="moo", platform="linux-x86_64", files=(placed,), boot=Boot({"": SHOW}))
        manifest = Manifest(Scie(1, Launcher("0", launcher.stat().st_size, ""), lift))
        file.write(zip_records.directory(entries, end, manifest.render()))
    (tmp_path / "moo").chmod(0o755)
    moo = Application(tmp_path / "moo", manifest, tmp_path / "base")
    assert moo.start().returncode == 0
    assert (moo.root / "lib/data").read_bytes() == b"far away"


def test_a_second_start_installs_nothing(make: Make) -> None:
    moo = make(commands={"": say()})
    moo.start()
    (moo.root / "bin/say").write_text("#!/bin/sh\necho mine\n")
    before = (moo.root / "bin/say").stat()
    assert said(moo.start()) == ["mine"]
    assert (moo.root / "bin/say").stat() == before


def test_what_was_deleted_is_installed_again(make: Make) -> None:
    moo = make(commands={"": say("hello")})
    moo.start()
    moo.root.rename(moo.base / "elsewhere")
    assert said(moo.start()) == [f"{moo.root}/bin/say", "hello"]


def test_scies_share_an_interpreter(launcher: Path, tmp_path: Path) -> None:
    shared = part(tmp_path, "cpython", HOME)
    base = tmp_path / "base"
    inodes = set()
    for name in ("one", "two"):
        own = part(tmp_path, "payload", Tree({"name": name.encode()}), "app")
        made = scie(tmp_path / name, launcher, [shared, own], {"": say("{payload}/name")})
        application = Application(tmp_path / name, made, base)
        program, data = said(application.start())
        assert Path(data).read_text() == name
        inodes.add(Path(program).stat().st_ino)
    assert len(inodes) == 1
    assert sorted(path.name for path in base.iterdir()) == ["CACHEDIR.TAG", "apps", "interpreters", "locks"]
    assert len(list((base / "apps").iterdir())) == 2


def test_backups_leave_the_base_out(make: Make) -> None:
    moo = make()
    moo.start()
    signature = "Signature: 8a477f597d28d172789f06886806bc55\n"
    assert (moo.base / "CACHEDIR.TAG").read_text().startswith(signature)


def test_a_scie_without_parts_starts_its_command(launcher: Path, tmp_path: Path) -> None:
    made = scie(tmp_path / "moo", launcher, [], {"": Command(exe="/bin/echo", args=("{scie.base}",))})
    moo = Application(tmp_path / "moo", made, tmp_path / "base")
    assert said(moo.start()) == [str(moo.base)]
    assert said(moo.start()) == [str(moo.base)]
