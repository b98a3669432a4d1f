from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from czex.factories import CPYTHON_313, WINDOWS_313, contents, files, wheel
from czscie.container.content import Data, File
from czscie.container.plan import ENTRY_NAME, Plan, PlannedFile, PlannedLink, parse
from czscie.container.zip import read_directory, read_entry
from czscie.czex.info import PexInfo
from czscie.czex.windows_options import WindowsOptions
from czscie.czex.write import CzexContents, InstalledInterpreter, write_czex
from czscie.platforms import find_platform
from czscie.wheel.venv_layout import Installed, venv_items
from czscie.wheel.wheel import Wheel

LINUX = InstalledInterpreter("ab" * 32, CPYTHON_313, find_platform("linux-x86_64"))
WINDOWS = InstalledInterpreter("ab" * 32, WINDOWS_313, find_platform("windows-x86_64"))
SITE = "lib/python3.13/site-packages"
MOO = "moo-1.0-py3-none-any.whl"
COW = "cow-2.0-py3-none-any.whl"
INFO = PexInfo(entry_point="moo:main")
POINTS = "[console_scripts]\nmoo = moo:main\n"


@dataclass(frozen=True)
class Czex:
    """A CZEX that was written, read again without what wrote it."""

    data: bytes
    plan: Plan

    def entry(self, name: str) -> bytes:
        directory = read_directory(io.BytesIO(self.data), len(self.data))
        return read_entry(io.BytesIO(self.data), directory.entry(name))

    @property
    def names(self) -> set[str]:
        return {entry.name for entry in read_directory(io.BytesIO(self.data), len(self.data)).entries}

    def planned(self, path: str) -> PlannedFile:
        [found] = [file for file in self.plan.files if file.path == path]
        return found

    def installed(self) -> dict[str, bytes]:
        """What the launcher would write, before it fills and starts anything."""
        found = {}
        for file in self.plan.files:
            where = file.content
            found[file.path] = self.entry(where.entry)[where.offset :][: where.size]
        return found


def write(
    directory: Path,
    *wheels: Wheel,
    sources: Mapping[str, bytes] | None = None,
    info: PexInfo = INFO,
    interpreter: InstalledInterpreter = LINUX,
    windows: WindowsOptions | None = None,
    order: int = 1,
    own: Collection[Wheel] | None = None,
) -> Czex:
    users = files(sources or {})
    items = venv_items(wheels, users, interpreter.layout, interpreter.platform)
    installed = Installed(items.placements[::order])
    path = directory / "moo.czex"
    plan = write_czex(
        CzexContents(info, wheels[::order], users, installed, own), interpreter, path, 3, windows
    )
    czex = Czex(path.read_bytes(), plan)
    assert parse(czex.entry(ENTRY_NAME)).render() == plan.render()
    return czex


def test_a_wheel_is_an_entry_that_is_a_wheel(tmp_path: Path) -> None:
    moo = wheel(MOO, {"moo/__init__.py": b"def main(): ...\n"})
    czex = write(tmp_path, moo)
    assert czex.names == {
        f".deps/{MOO}",
        ".czscie/venv.zip",
        ".czscie/plan",
        "__main__.py",
        "PEX-INFO",
    }
    archive = zipfile.ZipFile(io.BytesIO(czex.entry(f".deps/{MOO}")))
    assert {name: archive.read(name) for name in archive.namelist()} == contents(moo.members)


def test_a_large_wheel_is_a_folder_of_entries(tmp_path: Path) -> None:
    noise = random.Random(0).randbytes(3 << 20)
    czex = write(tmp_path, wheel(MOO, {"moo/big.so": noise, "moo/small.py": b"", "moo/other.so": noise[1:]}))
    assert {name for name in czex.names if name.startswith(".deps")} == {
        f".deps/{MOO}/moo/big.so",
        f".deps/{MOO}/moo/other.so",
        f".deps/{MOO}/.group-000.zip",
    }
    assert czex.installed()[f"{SITE}/moo/big.so"] == noise


def test_readers_that_know_no_zstd_see_what_it_is(tmp_path: Path) -> None:
    czex = write(tmp_path, wheel(MOO))
    archive = zipfile.ZipFile(io.BytesIO(czex.data))
    assert archive.namelist()[:2] == ["__main__.py", "PEX-INFO"]
    assert PexInfo.parse(archive.read("PEX-INFO"), "moo") == INFO
    assert b"os.execv(scie" in archive.read("__main__.py")


def test_everything_is_installed_where_it_belongs(tmp_path: Path) -> None:
    moo = wheel(
        MOO,
        {
            "moo/__init__.py": b"import sys\n",
            "moo-1.0.data/scripts/tool": b"#!python\nprint('tool')\n",
            "moo-1.0.data/scripts/shell": b"#!/bin/sh\n",
            "moo-1.0.data/data/share/words": b"moo\n",
        },
        entry_points=POINTS,
    )
    czex = write(tmp_path, moo, sources={"herd.py": b"HERD = 1\n"})
    found = czex.installed()
    assert found[f"{SITE}/moo/__init__.py"] == b"import sys\n"
    assert found[f"{SITE}/herd.py"] == b"HERD = 1\n"
    assert found["share/words"] == b"moo\n"
    assert found["bin/tool"] == b"print('tool')\n", "the launcher writes the first line"
    assert found["bin/shell"] == b"#!/bin/sh\n"
    assert b"from moo import main" in found["bin/moo"]
    assert found["PEX-INFO"] == INFO.render()
    assert b"from czscie_boot import Application, boot" in found["__main__.py"]
    assert b"def boot(" in found["czscie_boot.py"]
    assert f"{SITE}/PEX_EXTRA_SYS_PATH.pth" in found


def test_scripts_start_the_environments_python_hermetically(tmp_path: Path) -> None:
    moo = wheel(MOO, {"moo-1.0.data/scripts/tool": b"#!pythonw\n"}, entry_points=POINTS)
    for hermetic, interpreter in ((True, "bin/python -I"), (False, "bin/python")):
        czex = write(tmp_path, moo, info=PexInfo(script="moo", venv_hermetic_scripts=hermetic))
        for name in ("bin/moo", "bin/tool"):
            script = czex.planned(name)
            assert (script.kind, script.interpreter, script.executable) == ("script", interpreter, True)


def test_pyvenv_configuration_is_filled_in_by_the_launcher(tmp_path: Path) -> None:
    czex = write(tmp_path, wheel(MOO))
    assert czex.planned("pyvenv.cfg").kind == "fill"
    assert czex.installed()["pyvenv.cfg"].startswith(b"home = {base}/interpreters/abab")
    seeing = write(tmp_path, wheel(MOO), info=PexInfo(entry_point="moo", venv_system_site_packages=True))
    assert b"include-system-site-packages = true\n" in seeing.installed()["pyvenv.cfg"]


def test_python_is_a_relative_link_so_that_the_base_can_be_moved(tmp_path: Path) -> None:
    assert write(tmp_path, wheel(MOO)).plan.links == (
        PlannedLink("bin/python", f"../../../interpreters/{'ab' * 32}/bin/python3.13"),
        PlannedLink("bin/python3", "python"),
        PlannedLink("bin/python3.13", "python"),
    )


def test_another_interpreter_is_another_installation(tmp_path: Path) -> None:
    other = InstalledInterpreter("cd" * 32, CPYTHON_313, LINUX.platform)
    one, two = write(tmp_path, wheel(MOO)), write(tmp_path, wheel(MOO), interpreter=other)
    assert one.plan.digest() != two.plan.digest()


def test_on_windows_a_program_stands_for_python(tmp_path: Path) -> None:
    launchers = [
        File(name, Data(f"MZ {name}".encode()), executable=True) for name in ("python.exe", "pythonw.exe")
    ]
    czex = write(
        tmp_path, wheel(MOO, entry_points=POINTS), interpreter=WINDOWS, windows=WindowsOptions(launchers)
    )
    found = czex.installed()
    assert czex.plan.links == ()
    assert found["Scripts/python.exe"] == b"MZ python.exe"
    assert found["Scripts/pythonw.exe"] == b"MZ pythonw.exe"
    assert czex.planned("Scripts/moo-script.py").interpreter == "Scripts/python.exe -I"
    assert "Lib/site-packages/moo-1.0.dist-info/METADATA" in found


def test_the_start_says_what_its_windows_know_of_resolutions(tmp_path: Path) -> None:
    for windows, said in ((WindowsOptions(), False), (WindowsOptions(dpi_awareness="PerMonitorV2"), True)):
        czex = write(tmp_path, wheel(MOO), interpreter=WINDOWS, windows=windows)
        assert (b"dpi_awareness='PerMonitorV2'" in czex.installed()["__main__.py"]) is said


def test_site_packages_are_there_even_if_nothing_is_in_them(tmp_path: Path) -> None:
    assert SITE in write(tmp_path).plan.directories


def test_the_starts_own_files_win_over_those_of_wheels(tmp_path: Path) -> None:
    rude = {f"moo-1.0.data/data/{name}": b"mine" for name in ("__main__.py", "PEX-INFO", "czscie_boot.py")}
    czex = write(tmp_path, wheel(MOO, rude))
    assert b"czscie_boot" in czex.installed()["__main__.py"]
    assert czex.installed()["PEX-INFO"] == INFO.render()
    czex.planned("czscie_boot.py")


def test_no_two_files_are_planned_at_one_path(tmp_path: Path) -> None:
    rude = {
        "moo-1.0.data/data/pyvenv.cfg": b"home = /elsewhere\n",
        "moo-1.0.data/data/bin/python": b"mine",
        "moo-1.0.data/scripts/python3": b"#!/bin/sh\n",
    }
    plan = write(tmp_path, wheel(MOO, rude)).plan
    paths = [file.path for file in plan.files] + [link.path for link in plan.links]
    assert sorted(paths) == sorted(set(paths))


def test_setproctitle_is_used_where_the_application_brings_it(tmp_path: Path) -> None:
    without = write(tmp_path, wheel(MOO)).installed()["__main__.py"]
    assert b"has_setproctitle=False" in without
    titled = write(tmp_path, wheel("setproctitle-1.3-cp313-cp313-manylinux1_x86_64.whl"))
    assert b"has_setproctitle=True" in titled.installed()["__main__.py"]


def test_certificates_are_used_where_the_application_brings_them(tmp_path: Path) -> None:
    certifi = wheel("certifi-2026.1.1-py3-none-any.whl", {"certifi/cacert.pem": b"roots"})
    place = f"certificates=here + '/{SITE}/certifi/cacert.pem'".encode()
    assert place in write(tmp_path, certifi).installed()["__main__.py"]
    for other in (write(tmp_path, wheel(MOO)), write(tmp_path, certifi, interpreter=WINDOWS)):
        assert b"certificates" not in other.installed()["__main__.py"]


def test_sources_are_an_entry_of_their_own(tmp_path: Path) -> None:
    czex = write(tmp_path, wheel(MOO), sources={"herd/a.py": b"a", "herd/b.txt": b"b"})
    archive = zipfile.ZipFile(io.BytesIO(czex.entry(".czscie/sources.zip")))
    assert {name: archive.read(name) for name in archive.namelist()} == {
        "herd/a.py": b"a",
        "herd/b.txt": b"b",
    }


def test_equal_inputs_give_equal_bytes_in_whatever_order(tmp_path: Path) -> None:
    wheels = (wheel(MOO, {"moo.py": b"moo"}, entry_points=POINTS), wheel(COW, {"cow.py": b"cow"}))
    sources = {"b.py": b"b", "a.py": b"a"}
    one = write(tmp_path, *wheels, sources=sources)
    assert write(tmp_path, *wheels, sources=sources, order=-1).data == one.data


def test_equal_wheels_are_equal_entries_in_every_czex(tmp_path: Path) -> None:
    def entry(*wheels: Wheel) -> tuple[bytes, str]:
        czex = write(tmp_path, *wheels)
        [planned] = [entry for entry in czex.plan.entries if entry.name == f".deps/{MOO}"]
        return czex.entry(f".deps/{MOO}"), planned.sha256

    moo = wheel(MOO, {"moo.py": b"moo"})
    assert entry(moo) == entry(moo, wheel(COW, {"cow.py": b"cow"}))


def test_what_is_made_for_dependencies_is_apart_from_what_is_made_for_the_application(tmp_path: Path) -> None:
    moo = wheel(MOO, {"moo.py": b""}, entry_points=POINTS)
    cow = wheel(COW, {"cow.py": b""}, entry_points="[console_scripts]\ncow = cow:main\n")
    czex = write(tmp_path, moo, cow, own=[moo])
    assert czex.planned("bin/cow").content.entry == ".czscie/dependencies.zip"
    assert czex.planned(f"{SITE}/cow-2.0.dist-info/RECORD").content.entry == ".czscie/dependencies.zip"
    for path in ("bin/moo", f"{SITE}/moo-1.0.dist-info/RECORD", "__main__.py", "pyvenv.cfg"):
        assert czex.planned(path).content.entry == ".czscie/venv.zip"
