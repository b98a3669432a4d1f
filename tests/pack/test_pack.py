from __future__ import annotations

import marshal
import random

import pytest

from czscie.pack.pack import MAGIC, Bytecode, Module, render

XZ = Bytecode(b"\x01\x02\r\n", xz=True)
MODULES = [
    Module("b.py", b"code of b", b"source of b"),
    Module("a/__init__.py", b"", b""),
    Module("a/deep/c.py", b"code of c"),
    Module("a/z.py", b"code of z", b"source of z"),
]


def index(pack: bytes) -> tuple[str, dict[str, bytes], bytes]:
    size = int.from_bytes(pack[12:16], "little")
    found: tuple[str, dict[str, bytes], bytes] = marshal.loads(pack[16 : 16 + size])
    return found


def test_the_header_says_whose_it_is() -> None:
    pack = render(MODULES, XZ)
    assert pack.startswith(MAGIC + XZ.magic)


@pytest.mark.parametrize("bytecode", [XZ, Bytecode(XZ.magic, xz=False)], ids=["xz", "zlib"])
def test_every_module_is_where_the_index_says(bytecode: Bytecode) -> None:
    pack = render(MODULES, bytecode)
    codec, directories, _ = index(pack)
    assert codec == ("xz" if bytecode.xz else "zlib")
    assert list(directories) == ["", "a/", "a/deep/"]
    codes = {}
    for directory, lines in directories.items():
        for line in lines.decode().splitlines()[1:]:
            name, _, fields = line.partition("\t")
            offset, size, *_ = map(int, fields.split())
            codes[f"{directory}{name}.py"] = pack[offset : offset + size]
    assert codes == {module.path: module.code for module in MODULES}


def test_modules_without_source_have_no_place_for_it() -> None:
    _, directories, _ = index(render(MODULES, XZ))
    assert len(directories["a/deep/"].split()) == 3
    assert all(len(line.split()) == 7 for line in directories["a/"].splitlines()[1:])


def test_the_order_of_modules_does_not_matter() -> None:
    shuffled = MODULES * 1
    random.Random(1).shuffle(shuffled)
    assert shuffled != MODULES
    assert render(shuffled, XZ) == render(MODULES, XZ)


def test_an_empty_pack_is_one() -> None:
    assert index(render([], XZ)) == ("xz", {"": b"\n"}, b"")


def test_complete_directories_are_marked() -> None:
    _, directories, _ = index(render(MODULES, XZ, (), {"a/"}))
    assert {name: lines[:1] for name, lines in directories.items()} == {
        "": b"\n",
        "a/": b"=",
        "a/deep/": b"\n",
    }


def test_regular_expressions_are_where_their_records_say() -> None:
    expressions = [(bytes([number]) * 8, b"entry %d" % number) for number in range(20)]
    pack = render(MODULES, XZ, expressions)
    _, _, table = index(pack)
    found = []
    for at in range(0, len(table), 16):
        offset, size = (int.from_bytes(table[at + 8 + x : at + 12 + x], "little") for x in (0, 4))
        found.append((table[at : at + 8], pack[offset : offset + size]))
    assert found == expressions


def test_offsets_hold_however_long_the_index_grows() -> None:
    many = [Module(f"package{n}/module{n}.py", b"%d" % n, b"#%d" % n) for n in range(3000)]
    pack = render(many, XZ)
    _, directories, _ = index(pack)
    for n in (0, 9, 999, 2999):
        offset, size, *_ = map(int, directories[f"package{n}/"].split()[1:])
        assert pack[offset : offset + size] == b"%d" % n
