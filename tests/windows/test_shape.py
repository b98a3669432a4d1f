"""Resources of launchers, read by a parser that knows nothing of czscie."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lief
import pytest

from building import Project
from czscie import pe
from czscie.errors import CzscieError
from czscie.lift.lift import Lift
from czscie.lift.manifest import read_manifest
from czscie.windows.shape import shape
from pe_image import icon, image

BITMAP = (40).to_bytes(4, "little") + b"bitmap"
PNG = b"\x89PNG\r\n\x1a\nsmall"


def lift_of(directory: Path, keys: str = "", lift: str = "") -> Lift:
    path = directory / "lift.toml"
    path.write_text(
        f'[lift]\nname = "moo"\nplatforms = ["windows-x86_64"]\n{lift}\n'
        f'commands = [{{ exe = "b" }}]\n[lift.windows]\n{keys}\n'
    )
    return read_manifest(path)


def shaped(directory: Path, keys: str = "", lift: str = "") -> Any:
    launcher = directory / "launcher"
    launcher.write_bytes(image())
    data = shape(launcher, lift_of(directory, keys, lift))
    assert data == shape(launcher, lift_of(directory, keys, lift))
    assert pe.compiled(data) == image()
    (directory / "moo.exe").write_bytes(data)
    binary = lief.PE.parse(str(directory / "moo.exe"))
    assert binary is not None
    assert lief.PE.check_layout(binary) == (True, "")
    return binary


def strings(binary: Any) -> dict[str, str]:
    [version] = binary.resources_manager.version
    [table] = version.string_file_info.children
    return {entry.key: entry.value for entry in table.entries}


def test_every_launcher_has_a_manifest_and_no_more(tmp_path: Path) -> None:
    binary = shaped(tmp_path)
    manager = binary.resources_manager
    assert (manager.has_manifest, manager.has_version, manager.has_icons) == (True, False, False)
    assert 'level="asInvoker"' in manager.manifest
    assert "longPathAware" in manager.manifest and ">UTF-8<" in manager.manifest
    assert "dpiAware" not in manager.manifest
    assert binary.optional_header.subsystem == lief.PE.OptionalHeader.SUBSYSTEM.WINDOWS_CUI


def test_a_windowed_one_is_of_the_graphical_subsystem(tmp_path: Path) -> None:
    binary = shaped(tmp_path, lift="windowed = true")
    assert binary.optional_header.subsystem == lief.PE.OptionalHeader.SUBSYSTEM.WINDOWS_GUI


@pytest.mark.parametrize("level", ["asInvoker", "highestAvailable", "requireAdministrator"])
@pytest.mark.parametrize(
    ("awareness", "old", "new"),
    [
        ("unaware", "false", "unaware"),
        ("system", "true", "system"),
        ("PerMonitor", "true/pm", "PerMonitor"),
        ("PerMonitorV2", "true/pm", "PerMonitorV2, PerMonitor"),
    ],
)
def test_the_manifest_says_what_the_keys_say(
    tmp_path: Path, level: str, awareness: str, old: str, new: str
) -> None:
    keys = f'execution_level = "{level}"\ndpi_awareness = "{awareness}"'
    text = shaped(tmp_path, keys).resources_manager.manifest
    assert f'level="{level}"' in text
    assert f'2005/WindowsSettings">{old}</dpiAware>' in text
    assert f'2016/WindowsSettings">{new}</dpiAwareness>' in text


def test_the_version_resource_has_what_is_given(tmp_path: Path) -> None:
    keys = """
    company = "Moo & Söhne 牛"
    product = "The Cow"
    version = "1.20.65535"
    description = "A talking cow"
    copyright = "© 2026 Moo"
    """
    binary = shaped(tmp_path, keys)
    assert strings(binary) == {
        "CompanyName": "Moo & Söhne 牛",
        "FileDescription": "A talking cow",
        "FileVersion": "1.20.65535",
        "InternalName": "moo",
        "LegalCopyright": "© 2026 Moo",
        "OriginalFilename": "moo.exe",
        "ProductName": "The Cow",
        "ProductVersion": "1.20.65535",
    }
    [version] = binary.resources_manager.version
    fixed = version.file_info
    assert (fixed.file_version_ms, fixed.file_version_ls) == (1 << 16 | 20, 65535 << 16)


def test_what_is_not_given_is_the_lifts(tmp_path: Path) -> None:
    found = strings(shaped(tmp_path, 'company = "Moo"', lift='description = "A cow"'))
    assert (found["ProductName"], found["FileDescription"], found["FileVersion"]) == ("moo", "A cow", "0")
    assert "LegalCopyright" not in found
    assert strings(shaped(tmp_path, 'version = "1"'))["FileDescription"] == "moo"


def test_the_icon_is_there_image_by_image(tmp_path: Path) -> None:
    (tmp_path / "moo.ico").write_bytes(icon(PNG, BITMAP))
    found = list(shaped(tmp_path, 'icon = "moo.ico"').resources_manager.icons)
    assert [(each.id, bytes(each.pixels)) for each in found] == [(1, PNG), (2, BITMAP)]
    assert {(each.width, each.height, each.bit_count) for each in found} == {(16, 16, 32)}


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "it is too short"),
        (PNG, "it is a PNG file"),
        (b"\0\0\2\0\1\0" + bytes(30), "it does not begin with an icon's header"),
        (b"\0\0\1\0\0\0", "its header counts 0 images"),
        (b"\0\0\1\0\xff\xff" + bytes(100), "its header counts 65535 images"),
        (icon(PNG)[:-1], "image 1 of it is damaged"),
        (icon(PNG, b"GIF89a"), "image 2 of it is damaged"),
    ],
)
def test_what_is_no_icon_is_refused_by_the_name_of_its_key(tmp_path: Path, data: bytes, why: str) -> None:
    (tmp_path / "moo.ico").write_bytes(data)
    with pytest.raises(
        CzscieError, match=r"^error: lift\.windows\.icon: .*moo\.ico is not a valid icon"
    ) as caught:
        shaped(tmp_path, 'icon = "moo.ico"')
    assert f"\n  {why}\n" in str(caught.value)


def test_an_icon_that_is_not_there_is_told_before_anything_is_made(project: Project) -> None:
    project.manifest(platforms=("windows-x86_64",), rest='[lift.windows]\nicon = "moo.ico"\n')
    with pytest.raises(CzscieError, match=r"lift\.windows\.icon: there is nothing at .*moo\.ico"):
        project.build()
    assert not (project.directory / "dist").exists()
    assert not (project.directory / "lift.lock").exists()


def test_an_executable_has_them_and_the_lock_has_the_icon(project: Project) -> None:
    path = project.directory / "moo.ico"
    path.write_bytes(icon(PNG))
    project.manifest(
        platforms=("windows-x86_64",), rest='[lift.windows]\nicon = "moo.ico"\ncompany = "Moo"\n'
    )
    [made] = project.build()
    binary = lief.PE.parse(str(made.path))
    assert binary is not None
    manager = binary.resources_manager
    assert isinstance(manager, lief.PE.ResourcesManager)
    assert manager.has_icons and manager.has_version
    assert binary.optional_header.checksum == binary.compute_checksum()
    before = (project.directory / "lift.lock").read_text()
    path.write_bytes(icon(BITMAP))
    project.build()
    after = (project.directory / "lift.lock").read_text()
    assert before != after and "[windows]" in after
