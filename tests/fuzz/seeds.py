"""The valid files of the corpus, made anew: `python -m tests.fuzz.seeds`."""

from __future__ import annotations

import io
import json
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

LIFT = """
[lift]
name = "moo"
description = "A cow."
platforms = ["linux-x86_64", "windows-x86_64"]

[[lift.interpreters]]
id = "cpython"
provider = "PythonBuildStandalone"
release = "20251014"
version = "3.13.9"

[[lift.files]]
name = "data.txt"
key = "data"
digest = { size = 3, fingerprint = "DIGEST" }
source = { url = "https://example.org/data.txt", lazy = false }

[[lift.commands]]
exe = "#{cpython:python}"
args = ["-m", "moo", "{data}"]

[lift.payload]
requirements = ["moo==1.0"]
entry_point = "moo:main"
""".replace("DIGEST", "ab" * 32)

LOCK = """
lock-version = "1.0"
created-by = "czscie"

[launcher]
source = "DIGEST"

[manifest.interpreters.cpython]
provider = "PythonBuildStandalone"
version = "3.13"

[manifest.payload]
requirements = ["moo"]

[[interpreters]]
id = "cpython"
platform = "linux-x86_64"
provider = "PythonBuildStandalone"
version = "3.13.9"
release = "20251014"
flavor = "install_only_stripped"
name = "cpython.tar.gz"
url = "https://example.org/cpython.tar.gz"
sha256 = "DIGEST"

[payload]
platforms = ["linux-x86_64"]

[[packages]]
name = "moo"
version = "1.0"
wheels = [
    { name = "moo-1.0-py3-none-any.whl", url = "https://example.org/moo-1.0-py3-none-any.whl", \
size = 10, hashes = { sha256 = "DIGEST" } },
]

[[packages]]
name = "cow"
version = "2.0"
sdist = { name = "cow-2.0.tar.gz", path = "cow-2.0.tar.gz", hashes = { sha256 = "DIGEST" } }
tool = { czscie = { built = [{ name = "cow-2.0-py3-none-any.whl", hashes = { sha256 = "DIGEST" } }] } }
""".replace("DIGEST", "ab" * 32)

PYLOCK = """
lock-version = "1.0"
created-by = "hand"
requires-python = ">=3.9"

[[packages]]
name = "cow"
version = "1.0"
marker = "sys_platform == 'linux'"
wheels = [{ name = "cow-1.0-py3-none-any.whl", url = "https://example.org/cow-1.0-py3-none-any.whl", \
hashes = { sha256 = "DIGEST" } }]

[[packages]]
name = "moo"
version = "1.0"
directory = { path = "moo" }

[[packages]]
name = "bell"
version = "1.0"
archive = { path = "bell.zip", hashes = { sha256 = "DIGEST" } }
""".replace("DIGEST", "ab" * 32)

SCRIPT = '''#!/usr/bin/env python3
# /// script
# requires-python = ">=3.9"
# dependencies = ["moo>=1 ; sys_platform == 'linux'"]
# ///
"""A script."""
print("moo")
'''

PYPROJECT = """
[project]
name = "moo"
version = "1.0"
description = "A cow."
requires-python = ">=3.9"
dependencies = ["bell"]

[project.scripts]
moo = "moo:main"
"""

SUMS = "".join(
    f"{'ab' * 32}  {name}\n" for name in ("lift.lock", "wheels/a-1-py3-none-any.whl", "launchers/x")
)
RELEASE = "".join(
    f"{'cd' * 32}  cpython-3.13.9+20251014-{triple}-install_only_stripped.tar.gz\n"
    for triple in ("x86_64-unknown-linux-gnu", "aarch64-apple-darwin", "x86_64-pc-windows-msvc")
)


def main() -> None:
    from fuzz.targets import BY_NAME, CORPUS

    def keep(target: str, name: str, data: bytes) -> None:
        directory = CORPUS / target
        directory.mkdir(parents=True, exist_ok=True)
        (directory / f"seed-{name}{BY_NAME[target].suffix}").write_bytes(data)

    keep("lift", "lift", LIFT.encode())
    keep("lock", "lock", LOCK.encode())
    keep("pylock", "pylock", PYLOCK.encode())
    keep("script", "script", SCRIPT.encode())
    keep("pyproject", "project", PYPROJECT.encode())
    keep("vendor", "sums", SUMS.encode())
    keep("release", "sums", RELEASE.encode())
    keep("latest", "latest", b'{"version": 1, "tag": "20251014"}')
    from mach_o_image import image
    from pe_image import image as windows_image

    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary)
        keep("scie", "scie", _scie(directory))
        keep("scie", "mach-o", _scie(directory, launcher=image()))
        windows = _scie(directory, launcher=windows_image())
        keep("scie", "pe", windows)
        keep("scie", "pe-signed", _signed(directory, windows))
        keep("scie", "wheels", _scie(directory, ".deps/moo-1.0-py3-none-any.whl"))
        keep("scie", "packed", _packed(directory))
        for layout, data in _pexes(directory).items():
            keep("pex", layout, data)
            keep("czex", layout, _czex(directory, data))
        keep("wheel", "wheel", _wheel())
        _archives(keep)
        _images(directory, keep)


def _scie(directory: Path, name: str = "lib/text", launcher: bytes = b"launcher") -> bytes:
    from czscie.container.manifest import Command, Needs, OwnLibc
    from czscie.platforms import find_platform
    from scie.factories import Tree, part, scie

    head = directory / "launcher"
    head.write_bytes(launcher)
    tree = Tree(
        {name: b"text\n" * 20, "lib/empty": b""},
        {"bin/python": b"#!"},
        {"pyvenv.cfg": b"home = {base}"},
        {"bin/tool": ("bin/python -sE", b"print()\n")},
        {"bin/python3": "python", "lib/up": ".."},
        ["empty/one"],
    )
    parts = [part(directory, "cpython", tree), part(directory, "payload", Tree({"moo.py": b"moo"}), "app")]
    component = {"bom-ref": "payload/moo", "name": "moo", "version": "1", "hashes": [], "properties": []}
    component["hashes"] = [{"alg": "SHA-256", "content": "ab" * 32}]
    sbom = {"metadata": {"component": {"bom-ref": "moo", "name": "moo"}}, "components": [component]}
    scie(
        directory / "moo",
        head,
        parts,
        {"": Command(exe="{cpython}/bin/python", args=("-m", "moo"), env={"A": "b", "=C": None})},
        platform=find_platform("linux-x86_64"),
        sbom=json.dumps(sbom).encode(),
        needs=Needs(glibc="2.17"),
        libc=OwnLibc(loader="/lib64/ld-linux-x86-64.so.2", plans={}),
    )
    return (directory / "moo").read_bytes()


def _packed(directory: Path) -> bytes:
    """An executable with import archives."""
    from composition.factories import COW, executable, interpreter, payload

    parts = [interpreter(directory), payload(directory, {"cow-1.0-py3-none-any.whl": COW}, in_two=True)]
    return executable(directory / "packed", parts).read_bytes()


def _signed(directory: Path, executable: bytes) -> bytes:
    from pe_image import certificate, sign

    unsigned, signed = directory / "unsigned.exe", directory / "signed.exe"
    unsigned.write_bytes(executable)
    sign(unsigned, signed, certificate(directory))
    return signed.read_bytes()


def _zip(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _wheel_files() -> dict[str, bytes]:
    from czex.factories import metadata, record

    files = {
        **metadata(
            "moo",
            requires=["cow>=1; python_version < '4'", "bell[loud]"],
            requires_python=">=3.6",
            entry_points="[console_scripts]\nmoo = moo:main\n[gui_scripts]\nwmoo = moo.gui:main\n",
        ),
        "moo/__init__.py": b"def main(): print('moo')\n",
        "moo/data.txt": b"data",
        "moo-1.0.data/scripts/tool": b"#!python\nprint()\n",
        "moo-1.0.data/headers/moo.h": b"int moo;\n",
        "moo-1.0.data/data/share/moo": b"share",
        "moo-1.0.dist-info/licenses/LICENSE": b"MIT",
    }
    files["moo-1.0.dist-info/RECORD"] = record(files, "moo-1.0.dist-info/RECORD")
    return files


def _wheel() -> bytes:
    return _zip(_wheel_files())


def _pexes(directory: Path) -> dict[str, bytes]:
    name = "moo-1.0-py3-none-any.whl"
    info = {
        "requirements": ["moo"],
        "distributions": {name: "0"},
        "entry_point": "moo:main",
        "ignore_errors": True,
        "interpreter_constraints": ["CPython>=3.9"],
        "overridden": [],
        "excluded": ["bell"],
        "pex_paths": [],
        "inject_env": {"A": "b"},
        "venv": True,
    }
    sources = {"app/__init__.py": b"x = 1\n", "__main__.py": b"", ".bootstrap/pex/__init__.py": b""}
    whole = {
        "PEX-INFO": json.dumps({**info, "deps_are_wheel_files": True}).encode(),
        f".deps/{name}": _wheel(),
    }
    layout = json.dumps({"stash_dir": ".prefix", "record_relpath": "moo-1.0.dist-info/RECORD"}).encode()
    spread = {
        path.replace("moo-1.0.data/scripts/", ".prefix/bin/"): data
        for path, data in _wheel_files().items()
        if ".data/headers" not in path and ".data/data" not in path
    }
    loose = {"PEX-INFO": json.dumps(info).encode(), f".deps/{name}/.layout.json": layout}
    loose |= {f".deps/{name}/{path}": data for path, data in spread.items()}
    return {"wheels": _zip({**whole, **sources}), "spread": _zip({**loose, **sources})}


def _czex(directory: Path, pex: bytes) -> bytes:
    from czscie.czex.inject import Compression, inject

    source, launcher = directory / "x.pex", directory / "launcher"
    source.write_bytes(b"#!/usr/bin/env python3\n" + pex)
    launcher.write_bytes(b"launcher")
    inject(source, directory / "x.czex", (), lambda name: launcher, Compression(3))
    return (directory / "x.czex").read_bytes()


def _archives(keep) -> None:  # type: ignore[no-untyped-def]
    from libc.factories import deb, library
    from pbs.factories import MACOS_PYTHON, cpython, member, members, tar_gz, tar_zst, windows_cpython

    link = member("python/bin/python3", kind=tarfile.SYMTYPE, target="python3.13")
    twin = member("python/bin/python", kind=tarfile.LNKTYPE, target="python/bin/python3.13")
    licence = member("python/LICENSE", b"PSF")
    keep("archive", "linux", tar_gz([*members(cpython()), link, twin, licence]))
    keep("archive", "macos", tar_gz([*members(cpython(python=MACOS_PYTHON)), link]))
    keep("archive", "windows", tar_gz(members(windows_cpython())))
    full = [member("python/PYTHON.json", b"{}"), *members(cpython(), "python/install/")]
    keep("archive-zst", "full", tar_zst(full))
    keep(
        "tar", "files", tar_gz([member("a", b"1"), member("b/c", b"2"), member("l", kind=b"2", target="b/c")])
    )
    keep("zip", "files", _zip({"a": b"1", "b/c": b"2" * 500, "d/": b""}))
    directory = "usr/lib/x86_64-linux-gnu"
    files = {f"{directory}/ld-linux-x86-64.so.2": library(), f"{directory}/libc.so.6": library("x")}
    links = {"usr/lib64/ld-linux-x86-64.so.2": "../lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"}
    for compression in ("xz", "zst", "gz"):
        keep("deb", compression, deb(files, links, compression))
    keep("elf", "library", library("libc.so.6"))
    for name, data in (("linux", cpython()["bin/python3.13"]), ("macos", MACOS_PYTHON)):
        keep("elf", name, data)
    keep("elf", "windows", windows_cpython()["python.exe"])


def _images(directory: Path, keep) -> None:  # type: ignore[no-untyped-def]
    from czscie.image.archive import write_archive
    from czscie.libc.packages import builtin_table
    from czscie.lift.image_reference import ImageReference
    from image.factories import ARM64, image, saved, tar

    layer = tar({"etc/os-release": b"ID=moo"})
    keep(
        "image", "docker", saved({"layer/layer.tar": layer}, links={"again/layer.tar": "../layer/layer.tar"})
    )
    (directory / "arm").mkdir()
    both = [image(directory), image(directory / "arm", ARM64)]
    write_archive(both, ImageReference.parse("moo:1"), directory / "image.tar")
    keep("image", "oci", (directory / "image.tar").read_bytes())
    table = json.loads(builtin_table())
    table["packages"] = table["packages"][:2]
    keep("table", "table", json.dumps(table).encode())


if __name__ == "__main__":
    main()
