from __future__ import annotations

from pathlib import Path

import pytest

from czscie.container.content import File, Link
from czscie.container.part import read_plan
from czscie.errors import CzscieError
from czscie.image.installation import Place, installed
from czscie.image.layer import LayerDirectory
from scie.factories import Tree

PLACE = Place("/app", "/app/apps/x")
TREE = Tree(
    files={"lib/a.py": b"a", "lib/big.so": bytes(range(256)) * 5000},
    programs={"bin/tool": b"\x7fELF"},
    templates={"pyvenv.cfg": b"home = {base}/interpreters\nroot = {root}{other}\n"},
    scripts={"bin/script": ("bin/python -I", b"import moo\n")},
    links={"bin/python": "../../../interpreters/y/bin/python3"},
    directories=("lib/empty",),
)


def test_an_installation_is_what_the_launcher_would_make(tmp_path: Path) -> None:
    TREE.write(tmp_path / "part")
    items = list(installed(tmp_path / "part", read_plan(tmp_path / "part"), PLACE))
    contents = {item.path: item.content.read() for item in items if isinstance(item, File)}
    assert contents == {
        "app/apps/x/lib/a.py": b"a",
        "app/apps/x/lib/big.so": bytes(range(256)) * 5000,
        "app/apps/x/bin/tool": b"\x7fELF",
        "app/apps/x/pyvenv.cfg": b"home = /app/interpreters\nroot = /app/apps/x{other}\n",
        "app/apps/x/bin/script": b"#!/app/apps/x/bin/python -I\nimport moo\n",
    }
    programs = {item.path for item in items if isinstance(item, File) and item.executable}
    assert programs == {"app/apps/x/bin/tool", "app/apps/x/bin/script"}
    assert items[-2:] == [
        LayerDirectory("app/apps/x/lib/empty"),
        Link("app/apps/x/bin/python", "../../../interpreters/y/bin/python3"),
    ]


def test_a_damaged_part_is_named(tmp_path: Path) -> None:
    TREE.write(tmp_path / "part")
    plan = read_plan(tmp_path / "part")
    data = bytearray((tmp_path / "part").read_bytes())
    data[len(data) // 3] ^= 1
    (tmp_path / "part").write_bytes(data)
    with pytest.raises(CzscieError, match="part is damaged"):
        list(installed(tmp_path / "part", plan, PLACE))
