from __future__ import annotations

import marshal

import pytest

from czscie.pack.index import HEADER, Claim, index_size, read_index
from czscie.pack.pack import Bytecode, Module, render, render_in_two

XZ = Bytecode(b"\x01\x02\r\n", xz=True)
MODULES = [
    Module("b.py", b"code of b", b"source of b"),
    Module("a/__init__.py", b"", b""),
    Module("a/deep/c.py", b"code of c"),
    Module("a/z.py", b"code of z", b"source of z"),
]
EXPRESSIONS = [(b"8 bytes.", b"expression"), (b"8 others", b"another")]


def index(pack: bytes) -> bytes:
    return pack[HEADER : HEADER + index_size(pack)]


def test_every_byte_behind_the_index_is_claimed_once() -> None:
    pack = render(MODULES, XZ, EXPRESSIONS, {"a/"})
    found = read_index(index(pack))
    assert found.rest is None
    claims = sorted((claim.start, claim.end) for claim in found.claims if claim.end > claim.start)
    assert claims[0][0] >= HEADER + index_size(pack)
    assert [start for start, _ in claims[1:]] == [end for _, end in claims[:-1]]
    assert claims[-1][1] == len(pack)


def test_the_code_of_a_module_is_where_the_claim_says() -> None:
    pack = render(MODULES, XZ)
    claims = read_index(index(pack)).claims
    codes = {claim.path: pack[claim.start : claim.end] for claim in claims if claim.is_code}
    assert codes == {module.path: module.code for module in MODULES}


def test_a_pack_in_two_tells_where_the_second_begins() -> None:
    first, second = render_in_two((MODULES[:1], ()), (MODULES[1:], ()), XZ)
    found = read_index(index(first))
    assert found.rest == len(first)
    assert max(claim.end for claim in found.claims) == len(first) + len(second)


def test_an_empty_pack_has_no_claims() -> None:
    assert read_index(index(render([], XZ))).claims == ()


def test_sources_share_their_block_by_their_size() -> None:
    lines = b"\na\t0 0 100 50 0 30\nb\t0 0 100 50 30 70\n"
    claims = read_index(marshal.dumps(("xz", {"": lines}, b""), 2)).claims
    assert [claim for claim in claims if not claim.is_code] == [
        Claim(100, 115, "a.py", 30),
        Claim(115, 150, "b.py", 70),
    ]


@pytest.mark.parametrize(
    "value",
    [
        None,
        (),
        ("xz",),
        ("xz", {"": b""}),
        ("xz", {"": ""}, b""),
        ("xz", {"": b""}, b"short"),
        ("xz", {"": b"a\t1\n"}, b""),
        ("xz", {"": b"a\t-1 2\n"}, b""),
        ("xz", {"": b"a\t1 2 3\n"}, b""),
        ("xz", {"": b"a\t1 99999999999999999999\n"}, b""),
        ("xz", {"": b"\xff\t1 2\n"}, b""),
        ("xz", {(): b""}, b""),
        ("xz", {"": b""}, b"", ("rest", b"")),
        ("xz", {"": b""}, b"", ("rest", 5), ("rest", 5)),
        ("xz", {"": ((((((b"",),),),),),)}, b""),
        1.5,
    ],
)
def test_a_damaged_index_is_an_error(value: object) -> None:
    with pytest.raises(ValueError):
        read_index(marshal.dumps(value, 2))


def test_an_index_that_ends_early_is_an_error() -> None:
    text = index(render(MODULES, XZ, EXPRESSIONS))
    for size in range(len(text)):
        with pytest.raises(ValueError):
            read_index(text[:size])


@pytest.mark.parametrize("head", [b"", b"czpack1\n", b"czpack2\n" + bytes(8), bytes(16)])
def test_what_is_no_pack_is_an_error(head: bytes) -> None:
    with pytest.raises(ValueError, match="not a pack"):
        index_size(head)
