"""What is attacked: each reader with the kind of file it reads."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from czscie.errors import CzscieError
from czscie.implementation import CPYTHON, Implementation
from czscie.pbs.distribution import Layout
from czscie.platforms import current_platform, find_platform
from fuzz import formats
from fuzz.mutation import Mutator

#: Reads the file, and may write into the directory.
Reader = Callable[[Path, Path], object]
Change = Callable[[Mutator, str, bytes], bytes]

LAYOUTS = {
    "linux-x86_64": Layout(Implementation(CPYTHON, "3.13.9"), "bin/python3.13", "lib/python3.13"),
    "macos-aarch64": Layout(Implementation(CPYTHON, "3.13.9"), "bin/python3.13", "lib/python3.13"),
    "windows-x86_64": Layout(Implementation(CPYTHON, "3.13.9"), "python.exe", "Lib"),
}


@dataclass(frozen=True)
class Target:
    """`read` is every reader of such a file, `change` makes another file of one; `group` is run together."""

    name: str
    group: str
    suffix: str
    read: tuple[Reader, ...]
    change: Change


def change_content(mutator: Mutator, name: str, data: bytes) -> bytes:
    """A file within a file, changed as its name suggests."""
    last = name.rpartition("/")[2]
    if last.startswith("plan"):
        return mutator.lines(data)
    if last in ("PEX-INFO", "catalogue", "index.json", "manifest.json") or last.endswith(".json"):
        return mutator.json(data)
    if last in ("METADATA", "WHEEL", "entry_points.txt", "debian-binary"):
        return mutator.lines(data, fields=": " if mutator.chance(2) else " = ")
    if last == "RECORD":
        return mutator.lines(data, fields=",")
    if data.startswith(b"{"):
        return mutator.json(data)
    if data[-22:-18] == b"PK\5\6":
        return formats.change_zip(
            mutator, data, lambda inner, content: change_content(mutator, inner, content)
        )
    return mutator.bytes(data)


def _nested(of: Callable[[Mutator, bytes, formats.Change], bytes]) -> Change:
    return lambda mutator, name, data: of(
        mutator, data, lambda inner, content: change_content(mutator, inner, content)
    )


def _tar(mutator: Mutator, name: str, data: bytes) -> bytes:
    def inside(tar: bytes) -> bytes:
        return formats.change_tar(
            mutator, tar, lambda inner, content: change_content(mutator, inner, content)
        )

    kind = "gz" if data.startswith(b"\x1f\x8b") else "zst" if data.startswith(b"\x28\xb5\x2f\xfd") else ""
    return formats.change_packed(mutator, data, kind, inside) if kind else inside(data)


def _bytes(mutator: Mutator, name: str, data: bytes) -> bytes:
    return mutator.bytes(data)


def _json(mutator: Mutator, name: str, data: bytes) -> bytes:
    return mutator.json(data)


def _sums(mutator: Mutator, name: str, data: bytes) -> bytes:
    return mutator.lines(data, fields="  ") if not mutator.chance(5) else mutator.bytes(data)


def _toml(mutator: Mutator, name: str, data: bytes) -> bytes:
    from czscie.documents import DocumentError, parse_toml

    if mutator.chance(4):
        return mutator.lines(data, fields=" = ")
    try:
        document: Any = parse_toml(data.decode())
    except (DocumentError, UnicodeDecodeError):
        return mutator.bytes(data)
    for _ in range(1 + mutator.random.randrange(3)):
        document = mutator.document(document)
    return formats.toml(document)


def _script(mutator: Mutator, name: str, data: bytes) -> bytes:
    return mutator.lines(data, fields=" ") if mutator.chance(2) else mutator.bytes(data)


def _read_scie(path: Path, output: Path) -> None:
    from rich.console import Console

    from czscie.report import as_json, needs, print_contents, print_digests
    from czscie.scie.inspect import read_scie

    contents = read_scie(path)
    json.dumps(as_json(contents))
    needs(contents)
    console = Console(file=io.StringIO(), markup=False)
    print_contents(contents, console)
    print_digests(contents, console)


def _verify_scie(path: Path, output: Path) -> None:
    from czscie.verify.file import verify_file

    for problem in verify_file(path).problems:
        str(problem)


def _read_sbom(path: Path, output: Path) -> None:
    from czscie.sbom.read import read_bill
    from czscie.scie.inspect import read_sbom

    read_bill(read_sbom(path), path.name)


def _compare_with_lock(path: Path, output: Path) -> None:
    from czscie.lock.inventory.comparison import OwnLauncher
    from czscie.lock.lock import Lock
    from czscie.sbom.read import read_bill
    from czscie.scie.inspect import read_sbom, read_scie
    from czscie.verify.lock import compare_with_lock

    lock = Lock.parse((CORPUS / "lock" / "seed-lock.lock").read_text(), "lift.lock")
    bill = read_bill(read_sbom(path), path.name)
    compare_with_lock(read_scie(path), bill, lock, OwnLauncher("0" * 64, None))


def _write_page(path: Path, output: Path) -> None:
    from czscie.composition.comparison import compare
    from czscie.composition.write import composition, write_page

    write_page(path, output / "page.html", path)
    found = composition(path).whole
    assert found.packed == path.stat().st_size
    assert compare(found, found).parts == ()


def _eject(path: Path, output: Path) -> None:
    from czscie.czex.eject import eject

    eject(path, output / "out.pex")


def _open_pex(path: Path, output: Path) -> None:
    from czscie.czex.pex import Pex
    from czscie.czex.resolve import resolve
    from czscie.wheel.venv_layout import venv_items

    with Pex.open(path) as pex:
        for name, layout in LAYOUTS.items():
            platform = find_platform(name)
            try:
                wheels = resolve(pex, platform, layout.implementation, (2, 99)).wheels
            except CzscieError:
                wheels = pex.wheels
            items = venv_items(wheels, pex.sources, layout, platform)
            for placement in items.placements:
                placement.member.content.read()


def _inject(path: Path, output: Path) -> None:
    from czscie.czex.inject import Compression, inject

    launcher = output / "launcher"
    launcher.write_bytes(b"launcher")
    inject(path, output / "out.czex", (), lambda name: launcher, Compression(1, 1))


def _convert(path: Path, output: Path) -> None:
    from czscie.czex.convert import Conversion, convert
    from czscie.czex.write import InstalledInterpreter

    for name, layout in LAYOUTS.items():
        interpreter = InstalledInterpreter("0" * 64, layout, find_platform(name))
        convert(path, output / f"{name}.zip", Conversion(interpreter, 1, (2, 99)))


def _init(path: Path, output: Path) -> None:
    from czscie.init.detect import read_subject

    read_subject(path)


def _licences(path: Path, output: Path) -> None:
    from czscie.lock.inventory.licences import licences_of_wheel

    list(licences_of_wheel(path))


def _embedded(path: Path, output: Path) -> None:
    from czscie.lift.embedded_file import EmbeddedFile
    from czscie.scie.files import write_files

    file = EmbeddedFile(path.name, None, (path,), None, None, False, False, None)
    write_files([(file, path)], current_platform(), output / "files.zip", 1)


def _read_archive(path: Path, output: Path) -> None:
    from czscie.pbs.archive import read_archive
    from czscie.pbs.distribution import Distribution, detect_layout

    items = read_archive(path)
    for name in LAYOUTS:
        try:
            Distribution.of(items, detect_layout(items, path.name), find_platform(name), path.name)
        except CzscieError:
            continue


def _archive_licences(path: Path, output: Path) -> None:
    from czscie.lock.inventory.licences import licences_of_interpreter

    list(licences_of_interpreter(path))


def _read_deb(path: Path, output: Path) -> None:
    from czscie.libc.deb import DebianPackage

    package = DebianPackage.read(path.read_bytes(), path.name)
    for name in ("usr/lib/x86_64-linux-gnu/libc.so.6", "usr/lib64/ld-linux-x86-64.so.2"):
        package.file(name)


def _read_base(path: Path, output: Path) -> None:
    from czscie.image.base import read_base
    from czscie.image.manifest import render
    from czscie.image.platform import ImagePlatform

    base = read_base([path], ImagePlatform("amd64", "linux"))
    render(base.configuration)
    for layer in base.layers:
        for _ in layer.blob.chunks():
            pass


def _read_elf(path: Path, output: Path) -> None:
    from czscie.elf import Elf, is_elf
    from czscie.pbs.machine import machine_of

    data = path.read_bytes()
    machine_of(data, path.name)
    if is_elf(data):
        Elf.parse(data, path.name)


def _read_lock(path: Path, output: Path) -> None:
    from czscie.czex.target import Target as Wanted
    from czscie.lock.builder import remote_of
    from czscie.lock.lock import read_lock, write_lock
    from czscie.lock.packages import selected

    lock = read_lock(path)
    assert lock is not None
    write_lock(output / "again.lock", lock)
    for name, layout in LAYOUTS.items():
        for chosen in selected(lock, Wanted(find_platform(name), layout.implementation)):
            str(remote_of(chosen.wheel, output).path)


def _read_pylock(path: Path, output: Path) -> None:
    from czscie.czex.target import Target as Wanted
    from czscie.lock.pylock import read_pylock

    for name, layout in LAYOUTS.items():
        read_pylock(path, Wanted(find_platform(name), layout.implementation))


def _read_lift(path: Path, output: Path) -> None:
    from czscie.lift.manifest import read_manifest

    read_manifest(path)


def _read_vendor(path: Path, output: Path) -> None:
    from czscie.vendor_directory import faults, open_vendor, read_checksums

    directory = output / "vendor"
    (directory / "wheels").mkdir(parents=True)
    (directory / "launchers").mkdir()
    (directory / "wheels" / "a-1-py3-none-any.whl").write_bytes(b"")
    (directory / "SHA256SUMS").write_bytes(path.read_bytes())
    read_checksums(directory)
    faults(directory)
    open_vendor(directory)


def _read_release(path: Path, output: Path) -> None:
    from czscie.network.client import Client
    from czscie.network.network import Network
    from czscie.pbs.mirror import Mirror
    from czscie.pbs.releases import Releases
    from czscie.progress import Progress

    (output / "20251014").mkdir()
    name = "latest-release.json" if path.read_bytes()[:1] == b"{" else "20251014/SHA256SUMS"
    (output / name).write_bytes(path.read_bytes())
    with Client(Network.of()) as client:
        releases = Releases([Mirror(output.as_uri(), "the fuzzer")], client, Progress(None))
        if name.endswith("json"):
            releases.newest()
        else:
            releases.find("20251014")


def _read_table(path: Path, output: Path) -> None:
    from czscie.libc.packages import PackageTable

    table = PackageTable.read(path)
    for package in table.packages:
        str(table.remote(package, {}).path)


def _read_script(path: Path, output: Path) -> None:
    from czscie.czex.inline_metadata import InlineMetadata

    InlineMetadata.read(path)


def _read_pyproject(path: Path, output: Path) -> None:
    from czscie.init.detect import read_subject

    (output / "pyproject.toml").write_bytes(path.read_bytes())
    read_subject(output)


CORPUS = Path(__file__).with_name("corpus")

ZIPPED = _nested(formats.change_zip)

TARGETS = (
    Target(
        "scie",
        "executables",
        "",
        (_read_scie, _verify_scie, _read_sbom, _compare_with_lock, _write_page),
        _nested(formats.change_scie),
    ),
    Target("elf", "executables", ".so", (_read_elf,), _bytes),
    Target("czex", "czex", ".czex", (_eject, _write_page), ZIPPED),
    Target("pex", "pex", ".pex", (_open_pex, _inject, _convert, _init), ZIPPED),
    Target("wheel", "pex", ".whl", (_licences,), ZIPPED),
    Target("zip", "archives", ".zip", (_embedded,), ZIPPED),
    Target("tar", "archives", ".tar.gz", (_embedded,), _tar),
    Target("archive", "archives", ".tar.gz", (_read_archive, _archive_licences), _tar),
    Target("archive-zst", "archives", ".tar.zst", (_read_archive,), _tar),
    Target("deb", "archives", ".deb", (_read_deb,), _nested(formats.change_deb)),
    Target("image", "images", ".tar", (_read_base,), _nested(formats.change_oci)),
    Target("lock", "documents", ".lock", (_read_lock,), _toml),
    Target("pylock", "documents", ".toml", (_read_pylock,), _toml),
    Target("lift", "documents", ".toml", (_read_lift,), _toml),
    Target("vendor", "documents", "", (_read_vendor,), _sums),
    Target("release", "documents", "", (_read_release,), _sums),
    Target("latest", "documents", ".json", (_read_release,), _json),
    Target("table", "documents", ".json", (_read_table,), _json),
    Target("script", "documents", ".py", (_read_script, _init), _script),
    Target("pyproject", "documents", ".toml", (_read_pyproject,), _toml),
)

BY_NAME: Mapping[str, Target] = {target.name: target for target in TARGETS}
GROUPS = tuple(dict.fromkeys(target.group for target in TARGETS))
