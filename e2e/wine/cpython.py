"""A mirror with a CPython for Windows: real files in python-build-standalone's layout.

Maven Central's `org.bytedeco:cpython` holds what CPython's own build makes, but for two files that are
made here: `python3.dll` only hands on what `python313.dll` exports, and `venvlauncher.exe` is compiled of the
source of the same version. It has no Tcl/Tk.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import lief

from e2e.cache import cached
from e2e.mirror.apt import Apt
from e2e.mirror.release import TAG, Asset, add_asset, write_index
from e2e.wine.compiler import compile_c, import_library

VERSION = "3.13.5"
TRIPLE = "x86_64-pc-windows-msvc"

ARTIFACT = f"org.bytedeco:cpython:{VERSION}-1.5.12:jar:windows-x86_64"
SHA256 = "cfe5502ffa7ea369be707b6d88bf68344732a7800450665080fb4267c01bfeae"
_IN_JAR = "org/bytedeco/cpython/windows-x86_64/"

#: Raised when what is made here changes.
_REVISION = "2"

#: Maven tries a download once.
_ATTEMPTS = 3

#: What PBS's install_only has not, and what ends programs under wine 8, which lacks a function for it
#: (propsys.VariantToString): `platform` does without _wmi.
_LEFT_OUT = (
    *("Lib/test/", "Lib/idlelib/idle_test/", "DLLs/_test", "DLLs/_ctypes_test", "DLLs/_tkinter"),
    "DLLs/_wmi",
)

_FORWARDER = """\
int DllMain(void *module, int reason, void *reserved) {{ return 1; }}
__asm__(".section .drectve,\\"yn\\"\\n.ascii \\"{directives}\\"\\n");
"""


def mirror_with_windows(mirror: Path) -> Path:
    """`mirror` and the CPython for Windows. Raises RuntimeError where Maven is missing or cannot get it."""
    checksums = (mirror / TAG / "SHA256SUMS").read_text()
    asset = Asset(VERSION, TRIPLE)

    def make(out: Path) -> None:
        (out / TAG).mkdir(parents=True)
        for archive in (mirror / TAG).glob("*.tar.gz"):
            (out / TAG / archive.name).hardlink_to(archive)
        with tempfile.TemporaryDirectory() as work:
            _make_tree(Path(work))
            add_asset(out, asset, Path(work, "python"))
        write_index(out)

    return cached("mirror-windows", [checksums, SHA256, _REVISION], make)


def unpack(mirror: Path) -> Path:
    """The `python.exe` of the mirror, unpacked as a user would."""
    archive = mirror / TAG / Asset(VERSION, TRIPLE).name

    def extract(target: Path) -> None:
        with tarfile.open(archive) as tar:
            tar.extractall(target)

    return cached("windows-python", [archive.read_bytes()], extract) / "python/python.exe"


def _make_tree(work: Path) -> None:
    """Fills `work/python`."""
    python = work / "python"
    with zipfile.ZipFile(_fetch_jar(work)) as jar:
        for member in jar.infolist():
            path = _place(member.filename)
            if path is None or path.startswith(_LEFT_OUT):
                continue
            target = python / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(jar.read(member))
            if target.suffix in (".exe", ".dll", ".pyd"):
                target.chmod(0o755)
    _make_forwarder(python, work)
    _make_venv_launchers(python, work)


def _place(member: str) -> str | None:
    """Where PBS has a member of the jar; None for what it has not."""
    if not member.startswith(_IN_JAR) or member.endswith("/"):
        return None
    path = PurePosixPath(member.removeprefix(_IN_JAR))
    if path.parts[0] == "bin":
        return path.name
    if path.parts[0] == "lib":
        below = PurePosixPath(*path.parts[1:])
        if below.name.startswith("vcruntime"):
            return below.name
        is_library = len(below.parts) == 1 and below.suffix in (".pyd", ".dll")
        return f"{'DLLs' if is_library else 'Lib'}/{below}"
    return str(path) if path.parts[0] in ("include", "libs") or path.name == "python313.dll" else None


def _fetch_jar(work: Path) -> Path:
    if shutil.which("mvn") is None:
        raise RuntimeError("there is no mvn: apt-get install maven")
    goal = ["dependency:copy", f"-Dartifact={ARTIFACT}", f"-DoutputDirectory={work}"]
    for _ in range(_ATTEMPTS):
        done = subprocess.run(
            ["mvn", "-B", "-q", *goal],
            cwd=work,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        if done.returncode == 0:
            break
    else:
        raise RuntimeError(f"Maven could not get {ARTIFACT}:\n{done.stdout}{done.stderr}")
    (jar,) = work.glob("*.jar")
    if (digest := hashlib.sha256(jar.read_bytes()).hexdigest()) != SHA256:
        raise RuntimeError(f"{ARTIFACT} has the SHA-256 {digest} and not {SHA256}")
    return jar


def _make_forwarder(python: Path, work: Path) -> None:
    directives = "".join(
        f" -export:{name}=python313.{name}" for name in sorted(_exports(python / "python313.dll"))
    )
    source = work / "python3.c"
    source.write_text(_FORWARDER.format(directives=directives))
    compile_c("-shared", "-nostdlib", "-Wl,--entry,DllMain", "-o", python / "python3.dll", source)


def _exports(library: Path) -> Iterator[str]:
    """What of CPython's interface a library exports."""
    binary = lief.parse(library)
    assert isinstance(binary, lief.PE.Binary)
    exported = binary.get_export()
    assert exported is not None
    for entry in exported.entries:
        if str(entry.name).startswith(("Py", "_Py")):
            yield str(entry.name)


def _make_venv_launchers(python: Path, work: Path) -> None:
    source = work / "venvlauncher.c"
    with tarfile.open(Apt(work / "apt", "trixie", None).upstream_tarball("python3.13")) as archive:
        content = archive.extractfile(f"Python-{VERSION}/PC/venvlauncher.c")
        assert content is not None
        source.write_bytes(content.read())
    # Zig's import libraries have none of these.
    definition = work / "pathcch.def"
    definition.write_text("LIBRARY kernelbase.dll\nEXPORTS\nPathCchCombineEx\nPathCchRemoveFileSpec\n")
    import_library(definition, work / "libpathcch.a")
    libraries = ("-L", work, "-lpathcch", "-lshell32", "-luser32", "-ladvapi32")
    directory = python / "Lib/venv/scripts/nt"
    windowed = ("-D_WINDOWS", '-DEXENAME=L"pythonw.exe"', "-mwindows")
    for name, options in (("venvlauncher.exe", ()), ("venvwlauncher.exe", windowed)):
        compile_c(
            *("-municode", "-w", *options, "-I", python / "include", source, *libraries),
            *("-o", directory / name),
        )
