from __future__ import annotations

import marshal
import random

import pytest

from czscie.pack.pack import MAGIC, REST, Bytecode, Module, render, render_in_two

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


def test_the_second_file_of_a_pack_depends_on_nothing_in_the_first() -> None:
    others = MODULES[1:], [(b"12345678", b"expression")]
    first, second = render_in_two((MODULES[:1], []), others, XZ)
    longer, same = render_in_two(
        ([Module("b.py", b"a longer code of b", b"")], [(b"abcdefgh", b"x")]), others, XZ
    )
    assert second == same
    assert first != longer


def test_offsets_go_on_in_the_second_file_of_a_pack() -> None:
    own, others = (MODULES[:1], [(b"own hash", b"own entry")]), (MODULES[1:], [(b"its hash", b"its entry")])
    first, second = render_in_two(own, others, XZ)
    size = int.from_bytes(first[12:16], "little")
    _, directories, table, rest = marshal.loads(first[16 : 16 + size])
    assert rest == (REST, len(first))
    both = first + second
    offset, length = map(int, directories["a/deep/"].split()[1:])
    assert both[offset : offset + length] == b"code of c"
    for at in (0, 16):
        offset, length = (int.from_bytes(table[at + 8 + x : at + 12 + x], "little") for x in (0, 4))
        assert both[offset : offset + length] == table[at : at + 3] + b" entry"
