from __future__ import annotations

import json

import pytest

from czex.factories import files
from czscie.errors import CzscieError
from czscie.wheel.pex_wheel_layout import wheel_paths

DIST_INFO = "moo-1.0.dist-info"


def paths(*names: str, **layout: object) -> dict[str, str]:
    """The path in the wheel of each of `names`, by name."""
    contents = dict.fromkeys(names, b"")
    if layout:
        contents[".layout.json"] = json.dumps(layout).encode()
    return {file.path: path for path, file in wheel_paths(files(contents), DIST_INFO, "moo.whl")}


def test_before_there_was_a_layout_scripts_were_in_bin_and_all_else_in_one_tree() -> None:
    assert paths("bin/moo.sh", "share/cow.txt", "include/python/moo/moo.h", "moo/bin/x.py", "bin.py") == {
        "bin/moo.sh": "moo-1.0.data/scripts/moo.sh",
        "share/cow.txt": "share/cow.txt",
        "include/python/moo/moo.h": "include/python/moo/moo.h",
        "moo/bin/x.py": "moo/bin/x.py",
        "bin.py": "bin.py",
    }


def test_the_first_stash_is_laid_out_like_a_virtual_environment() -> None:
    assert paths(
        "moo/__init__.py",
        ".prefix/bin/moo.sh",
        ".prefix/share/cow.txt",
        ".prefix/data/x.txt",
        ".prefix/include/site/pythonX.Y/moo/sub/moo.h",
        stash_dir=".prefix",
        record_relpath=f"{DIST_INFO}/RECORD",
    ) == {
        "moo/__init__.py": "moo/__init__.py",
        ".prefix/bin/moo.sh": "moo-1.0.data/scripts/moo.sh",
        ".prefix/share/cow.txt": "moo-1.0.data/data/share/cow.txt",
        ".prefix/data/x.txt": "moo-1.0.data/data/data/x.txt",
        ".prefix/include/site/pythonX.Y/moo/sub/moo.h": "moo-1.0.data/headers/sub/moo.h",
    }


def test_the_later_stash_keeps_the_schemes_apart_and_pexs_own_notes_go() -> None:
    assert paths(
        "moo.py",
        ".prefix/Scripts/moo.bat",
        ".prefix/data/share/cow.txt",
        ".prefix/platlib/moo_platform.py",
        ".prefix/purelib/moo_pure.py",
        ".prefix/include/site/python3.11/Moo/moo.h",
        "moo-1.0.pex-info/original-whl-info.json",
        stash_dir=".prefix",
        sys_path_entries=["."],
    ) == {
        "moo.py": "moo.py",
        ".prefix/Scripts/moo.bat": "moo-1.0.data/scripts/moo.bat",
        ".prefix/data/share/cow.txt": "moo-1.0.data/data/share/cow.txt",
        ".prefix/platlib/moo_platform.py": "moo-1.0.data/platlib/moo_platform.py",
        ".prefix/purelib/moo_pure.py": "moo-1.0.data/purelib/moo_pure.py",
        ".prefix/include/site/python3.11/Moo/moo.h": "moo-1.0.data/headers/moo.h",
    }


@pytest.mark.parametrize("text", [b"{", b"[]", b'{"stash_dir": 1}'])
def test_a_layout_that_makes_no_sense_is_refused(text: bytes) -> None:
    with pytest.raises(CzscieError, match=r"\.layout\.json of moo\.whl"):
        wheel_paths(files({".layout.json": text}), DIST_INFO, "moo.whl")
