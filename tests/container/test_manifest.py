from __future__ import annotations

import json
import zlib

import pytest

from czscie.container.manifest import (
    Boot,
    Command,
    Launcher,
    LiftManifest,
    Manifest,
    Needs,
    Part,
    Scie,
)
from czscie.errors import CzscieError

INTERPRETER = Part(
    name="cpython",
    kind="interpreter",
    digest="ab" * 32,
    offset=300_000,
    size=18_000_000,
    unpacked=60_000_000,
    description="cpython 3.13.9",
)
MANIFEST = Manifest(
    Scie(
        format=1,
        jump=Launcher("0.1.0", 300_000, "cd" * 32),
        lift=LiftManifest(
            name="moo",
            platform="linux-x86_64",
            files=(INTERPRETER,),
            boot=Boot(
                {
                    "": Command(
                        exe="{cpython}/bin/python3.13",
                        args=("-s", "a\nb", 'quo"ted', "ä\u2028"),
                        env={"=PYTHONPATH": None, "=PEX": "{scie}", "LANG": "C"},
                        description="moos",
                    )
                }
            ),
            needs=Needs(glibc="2.17"),
        ),
    )
)


def test_a_manifest_is_the_last_line_and_one_line_only() -> None:
    text = MANIFEST.render()
    assert text.startswith(b"\n{") and text.endswith(b"}\n")
    assert text.count(b"\n") == 2
    assert text.decode().splitlines()[-1] != ""


def test_a_manifest_says_what_the_format_describes() -> None:
    document = json.loads(MANIFEST.render())
    assert list(document) == ["scie", "crc32"]
    assert document["scie"] == {
        "format": 1,
        "jump": {"version": "0.1.0", "size": 300_000, "hash": "cd" * 32},
        "lift": {
            "name": "moo",
            "platform": "linux-x86_64",
            "files": [
                {
                    "name": "cpython",
                    "kind": "interpreter",
                    "digest": "ab" * 32,
                    "offset": 300_000,
                    "size": 18_000_000,
                    "unpacked": 60_000_000,
                    "description": "cpython 3.13.9",
                }
            ],
            "boot": {
                "commands": {
                    "": {
                        "exe": "{cpython}/bin/python3.13",
                        "args": ["-s", "a\nb", 'quo"ted', "ä\u2028"],
                        "env": {"=PYTHONPATH": None, "=PEX": "{scie}", "LANG": "C"},
                        "description": "moos",
                    }
                }
            },
            "needs": {"glibc": "2.17"},
        },
    }


def test_the_checksum_is_that_of_everything_before_it() -> None:
    text = MANIFEST.render()
    end = text.rindex(b',"crc32"')
    assert json.loads(text)["crc32"] == f"{zlib.crc32(text[1:end]):08x}"


def test_a_rendered_manifest_parses_to_the_same_manifest() -> None:
    assert Manifest.parse(MANIFEST.render(), "moo") == MANIFEST


def test_every_altered_byte_is_found() -> None:
    text = MANIFEST.render()
    for place in range(1, len(text) - 1):
        for bit in (0x01, 0x20, 0x80):
            altered = bytearray(text)
            altered[place] ^= bit
            with pytest.raises(CzscieError):
                Manifest.parse(bytes(altered), "moo")


def test_a_damaged_manifest_is_told_with_what_mends_it() -> None:
    with pytest.raises(CzscieError) as caught:
        Manifest.parse(MANIFEST.render().replace(b"moo", b"boo"), "dist/moo")
    assert str(caught.value) == (
        "error: the manifest of dist/moo is damaged\nhint: copy or build the file again"
    )


def test_a_manifest_that_lacks_something_is_refused() -> None:
    body = b'{"scie":{"format":1}'
    with pytest.raises(CzscieError) as caught:
        Manifest.parse(b'\n%b,"crc32":"%08x"}\n' % (body, zlib.crc32(body)), "moo")
    assert str(caught.value).startswith(
        "error: the manifest of moo cannot be read\n  Object missing required"
    )


def test_members_of_a_newer_czscie_are_ignored() -> None:
    document = json.loads(MANIFEST.render())
    del document["crc32"]
    document["scie"]["lift"]["mood"] = document["scie"]["new"] = "something"
    body = json.dumps(document).encode()[:-1]
    assert Manifest.parse(b'\n%b,"crc32":"%08x"}\n' % (body, zlib.crc32(body)), "moo") == MANIFEST


def test_a_manifest_of_another_format_is_refused() -> None:
    document = json.loads(MANIFEST.render())
    del document["crc32"]
    document["scie"]["format"] = 2
    body = json.dumps(document).encode()[:-1]
    with pytest.raises(CzscieError) as caught:
        Manifest.parse(b'\n%b,"crc32":"%08x"}\n' % (body, zlib.crc32(body)), "moo")
    assert str(caught.value) == (
        "error: moo has format 2\n  this czscie reads format 1\nhint: use the czscie that it was built with"
    )
