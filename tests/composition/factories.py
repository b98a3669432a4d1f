"""Executables of everything that a page tells apart, made by hand."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import mach_o_image
import pe_image
from czex.factories import files, metadata
from czscie.container.content import Data, File
from czscie.container.manifest import PAYLOAD, Command, Needs
from czscie.container.packer import Packer
from czscie.container.part import PartFile
from czscie.container.plan import Plan, PlannedFile
from czscie.filesystem import write_atomically
from czscie.pack.pack import NAME, REST, Bytecode, Module, render, render_in_two
from czscie.platforms import find_platform
from scie.factories import Tree, part, scie

SITE = "lib/python3.13/site-packages"
BYTECODE = Bytecode(b"\x01\x02\r\n", xz=True)
EXPRESSIONS = [(b"8 bytes.", b"expression")]

COW = {
    "cow/__init__.py": b"",
    "cow/says.py": b"SAYS = 'moo'\n" * 200,
    "cow/looks.py": b"print(__file__)\n",
    "cow/cow.txt": b"  ^__^\n" * 100,
    **metadata("cow"),
    "cow-1.0.dist-info/RECORD": b"",
}
#: Nothing compresses it, so it is an entry by itself.
BIG = random.Random(1).randbytes(5 << 20)
HERD = {"herd/big.so": BIG, "herd/small.py": b"small = 1\n" * 50, **metadata("herd", "2.0")}
LIBRARY = {
    "os.py": b"# os\n" * 100,
    "json/__init__.py": b"# json\n" * 100,
    "json/decoder.py": b"# decoder\n" * 90,
}


def interpreter(directory: Path, name: str = "cpython") -> PartFile:
    """CPython with a packed library, of which `os` stays a file."""
    modules = [
        Module(path, b"code of " + path.encode() * 9, None if path == "os.py" else text)
        for path, text in LIBRARY.items()
    ]
    return part(
        directory,
        name,
        Tree(
            files={
                "lib/python3.13/os.py": LIBRARY["os.py"],
                f"lib/python3.13/{NAME}": render(modules, BYTECODE, EXPRESSIONS),
                "lib/python3.13/lib-dynload/_ssl.so": b"ssl" * 500,
            },
            programs={"bin/python3.13": b"python" * 1000},
            links={"bin/python3": "python3.13"},
        ),
    )


def payload(
    directory: Path,
    wheels: Mapping[str, Mapping[str, bytes]] | None = None,
    *,
    in_two: bool = False,
    sources: Mapping[str, bytes] | None = None,
    pack: bytes | None = None,
) -> PartFile:
    """Two wheels and a source. `cow/looks.py` and the source are files, the other modules are not."""
    if wheels is None:
        wheels = {"cow-1.0-py3-none-any.whl": COW, "herd-2.0-py3-none-any.whl": HERD}
    sources = {"main.py": b"print('main')\n"} if sources is None else sources
    packer = Packer(level=3)
    planned: list[PlannedFile] = []
    modules: list[Module] = []
    for filename, members in wheels.items():
        name = f".deps/{filename}"
        slices = packer.add(f"{name}/", files(members), whole=name)
        for path, text in members.items():
            if path.endswith(".py"):
                stays = path == "cow/looks.py"
                modules.append(Module(path, b"code of " + path.encode() * 5, None if stays else text))
            if not path.endswith((".py", "RECORD")) or path == "cow/looks.py":
                planned.append(PlannedFile(f"{SITE}/{path}", slices[path]))
    if sources:
        slices = packer.add(".czscie/sources/", files(sources), whole=".czscie/sources.zip")
        planned += [PlannedFile(f"{SITE}/{path}", slices[path]) for path in sources]
        modules += [Module(path, b"code of " + path.encode()) for path in sources]
    made = {"__main__.py": b"# start\n", f"{SITE}/cow-1.0.dist-info/RECORD": b"cow/looks.py,,\n"}
    if pack is not None:
        made[f"{SITE}/{NAME}"] = pack
    elif in_two:
        own = [module for module in modules if module.path == "main.py"], EXPRESSIONS
        others = [module for module in modules if module.path != "main.py"], EXPRESSIONS
        first, rest = render_in_two(own, others, BYTECODE)
        made[f"{SITE}/{NAME}"] = first
        apart = [File(REST, Data(rest))]
        slices = packer.add(".czscie/dependencies/", apart, whole=".czscie/dependencies.zip")
        planned.append(PlannedFile(f"{SITE}/{REST}", slices[REST]))
    else:
        made[f"{SITE}/{NAME}"] = render(modules, BYTECODE, EXPRESSIONS)
    slices = packer.add(".czscie/venv/", files(made), whole=".czscie/venv.zip")
    planned += [PlannedFile(path, slices[path]) for path in made]
    path = directory / "payload.zip"
    plan = write_atomically(
        path,
        lambda stream: packer.write(
            stream,
            lambda entries: Plan(entries, tuple(planned)),
            [("__main__.py", b"# main\n"), ("PEX-INFO", b"{}")],
        ),
    )
    return PartFile(path, PAYLOAD, "app", plan.digest(), plan.unpacked(), f"{len(wheels)} wheels")


def bill(*components: Mapping[str, Any]) -> bytes:
    """A bill of materials of `components`, by default that of the payload above."""
    default = [
        {
            "bom-ref": "payload/cow",
            "type": "library",
            "name": "Cow",
            "version": "1.0",
            "licenses": [{"license": {"id": "MIT"}}],
            "hashes": [{"alg": "SHA-256", "content": "ab" * 32}],
            "properties": [
                {"name": "czscie:wheel", "value": "cow-1.0-py3-none-any.whl"},
                {"name": "czscie:files", "value": "cow/looks.py uses __file__"},
            ],
        },
        {
            "bom-ref": "payload/herd",
            "type": "library",
            "name": "herd",
            "licenses": [{"expression": "MIT OR ISC"}],
        },
        {"bom-ref": ".files/data", "type": "file", "name": "data"},
    ]
    application = {"bom-ref": "application", "type": "application", "name": "moo"}
    document = {"metadata": {"component": application}, "components": list(components) or default}
    return json.dumps(document).encode()


def executable(
    path: Path,
    parts: Sequence[PartFile] | None = None,
    *,
    platform: str = "linux-x86_64",
    sbom: bytes | None = None,
    name: str = "moo",
    description: str | None = None,
) -> Path:
    """An executable of `parts`, by default of those above."""
    launcher = path.with_suffix(".launcher")
    system = find_platform(platform).os
    images = {"macos": mach_o_image.image, "windows": pe_image.image}
    launcher.write_bytes(images[system]() if system in images else b"launcher" * 100)
    scie(
        path,
        launcher,
        [interpreter(path.parent), payload(path.parent)] if parts is None else parts,
        {"": Command(exe="{cpython}/bin/python3.13")},
        name=name,
        platform=find_platform(platform),
        description=description,
        sbom=bill() if sbom is None else sbom,
        needs=Needs(glibc="2.17"),
    )
    return path
