"""Makes the errors that pages of codes show: a function for each code, called in an empty directory.

The codes of the mistakes in `integration/mistakes` are not here.
"""

from __future__ import annotations

import dataclasses
import errno
import ssl
import zipfile
from collections.abc import Callable
from pathlib import Path

from czscie.cache import cache_directory
from czscie.cache_contents import parse_size
from czscie.commands.failure import failure
from czscie.console import Console
from czscie.container.manifest import Manifest
from czscie.container.paths import check_together, checked_path
from czscie.czex.eject import eject
from czscie.czex.pex import Pex
from czscie.errors import Code, CzscieError, raise_all
from czscie.image.archive import write_layout
from czscie.image.base import check_base
from czscie.image.build import ImageOptions, make_images
from czscie.image.platform import ImagePlatform
from czscie.init.detect import read_subject
from czscie.init.requirements import read_requirements
from czscie.libc.library import host_loader
from czscie.lift.image_reference import ImageReference
from czscie.lift.manifest import parse_manifest, read_manifest
from czscie.loader import load_lift
from czscie.lock.build_backend import build_wheel
from czscie.lock.builder import forbidden, unpinnable
from czscie.lock.lock import Lock
from czscie.lock.pylock import read_pylock
from czscie.network.client import Client
from czscie.network.network import Network
from czscie.network.retry import Watch
from czscie.network.tls import refusal
from czscie.pbs.archive import read_archive
from czscie.pbs.local import resolve_local
from czscie.pbs.releases import parse_checksums
from czscie.pe import check_size
from czscie.platforms import find_platform
from czscie.scie.commands import check_commands
from czscie.scie.files import locate
from czscie.scie.inspect import read_scie
from czscie.session import Session
from czscie.vendor_directory import open_vendor
from czscie.wheel.entry_points import EntryPoints
from czscie.windows.icon import read_icon

_HEAD = '[lift]\nname = "app"\nplatforms = ["linux-x86_64"]\n'
_COMMAND = '[[lift.commands]]\nexe = "{scie}"\n'


def _manifest(rest: str) -> Path:
    path = Path("lift.toml")
    path.write_text(f"{_HEAD}{rest}", encoding="utf-8")
    return path


def _raise(error: BaseException) -> None:
    raise error


def _file_changed() -> None:
    Path("data.json").write_text("{}\n")
    digest = f'digest = {{ size = 137, fingerprint = "{"f829adc9" * 8}" }}'
    lift = read_manifest(_manifest(f'{_COMMAND}[[lift.files]]\nname = "data.json"\n{digest}\n'))
    locate(lift.files[0], Network.of(), Console(silent=True))


def _placeholder() -> None:
    check_commands(read_manifest(_manifest('[[lift.commands]]\nexe = "{scie.nothing}"\n')))


def _project_invalid() -> None:
    Path("pyproject.toml").write_text("[project]\nversion = '1.0'\n")
    read_subject(Path("pyproject.toml"))


def _requirements_invalid() -> None:
    Path("requirements.txt").write_text("cowsay==6.1\n--index-url https://pypi.example.com/simple\n")
    read_requirements([Path("requirements.txt")])


def _pex_invalid() -> None:
    with zipfile.ZipFile("app.pex", "w") as archive:
        archive.writestr("__main__.py", "")
    Pex.open(Path("app.pex"))


def _not_a_czex() -> None:
    with zipfile.ZipFile("app.pex", "w") as archive:
        archive.writestr("PEX-INFO", "{}")
    eject(Path("app.pex"), Path("plain.pex"))


def _archive_damaged() -> None:
    Path("cpython.rar").write_bytes(b"Rar!")
    read_archive(Path("cpython.rar"))


def _build_failed() -> None:
    Path("calf").mkdir()
    Path("calf/pyproject.toml").write_text("[build-system]\nbackend-path = ['..']\nrequires = []\n")
    build_wheel(Path("calf"), Path())


def _offline() -> None:
    network = dataclasses.replace(Network.of(), offline=True)
    with Client(network) as client, client.open("https://pypi.example.com/cow.whl", Watch(1)):
        pass


def _icon() -> None:
    Path("logo.ico").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    read_icon(Path("logo.ico"))


def _base_image() -> None:
    Path("base.tar").write_bytes(b"no archive" * 100)
    check_base([Path("base.tar")], ImagePlatform.of(find_platform("linux-x86_64")))


def _output_exists() -> None:
    Path("image").mkdir()
    Path("image/notes.txt").write_text("Cows say moo.\n")
    write_layout([], ImageReference.of("app"), Path("image"))


def _cache() -> None:
    Path("cache").write_text("")
    try:
        cache_directory("archives", {"CZSCIE_CACHE": str(Path("cache").absolute())})
    except CzscieError as error:
        what = error.what.replace(f"{Path.cwd()}/", "")
        raise CzscieError(what, code=error.code, why=error.why, hint=error.hint) from None


def _image_platform() -> None:
    Path("lift.toml").write_text(_HEAD.replace("linux", "windows") + _COMMAND)
    make_images(
        Path("lift.toml"), [], ImageOptions.parse(Path("app.tar"), None, None, ()), Session.of(Console())
    )


def _not_a_scie() -> None:
    Path("notes.txt").write_text("Cows say moo.\n")
    read_scie(Path("notes.txt"))


def _vendor() -> None:
    try:
        open_vendor(Path("parcel"))
    except CzscieError as error:
        here = f"{Path.cwd()}/"
        raise CzscieError(
            error.what.replace(here, ""),
            code=error.code,
            why=error.why,
            hint=error.hint and error.hint.replace(here, ""),
        ) from None


def _untrusted() -> None:
    error = ssl.SSLCertVerificationError()
    error.verify_code, error.verify_message = 19, "self-signed certificate in certificate chain"
    raise refusal(error, "pypi.example.com", {})


def _several() -> None:
    raise_all(
        [
            CzscieError(
                "the payload has no script mooo",
                code=Code.ENTRY_POINT_MISSING,
                why="its scripts are: moo",
                hint="did you mean moo?",
            ),
            CzscieError("cannot write dist/moo", code=Code.OUTPUT_UNWRITABLE, why="it is a directory"),
        ]
    )


EXAMPLES: dict[Code, Callable[[], object]] = {
    Code.FILE_CHANGED: _file_changed,
    Code.PLATFORM_NOT_BUILT: lambda: load_lift(_manifest(_COMMAND), [find_platform("macos-aarch64")]),
    Code.UNSUPPORTED: lambda: load_lift(
        _manifest(_COMMAND + '[[lift.files]]\nname = "cows"\nsource = "herd"\ndigest = { size = 1 }\n'), []
    ),
    Code.NAME_TAKEN: lambda: check_together(
        ["cow.py", "Cow.py"], "moo-1.0-py3-none-any.whl", find_platform("windows-x86_64")
    ),
    Code.NAME_UNKNOWN: lambda: parse_manifest(_HEAD + _COMMAND, Path("lift.toml")).with_files(
        {"cow": Path("cow")}
    ),
    Code.PLACEHOLDER: _placeholder,
    Code.OPTION_INVALID: lambda: parse_size("5 gigs"),
    Code.PROGRAM_UNKNOWN: lambda: read_subject(Path("missing.pex")),
    Code.PROJECT_INVALID: _project_invalid,
    Code.REQUIREMENTS_INVALID: _requirements_invalid,
    Code.PEX_INVALID: _pex_invalid,
    Code.WHEEL_INVALID: lambda: EntryPoints.parse(
        "[console_scripts]\nmoo = cow main\n", "moo-1.0-py3-none-any.whl"
    ),
    Code.CZEX_UNUSABLE: _not_a_czex,
    Code.ARCHIVE_DAMAGED: _archive_damaged,
    Code.ARCHIVE_UNSAFE: lambda: checked_path("../../.ssh/authorized_keys", "moo.whl"),
    Code.INTERPRETER_UNUSABLE: lambda: resolve_local(
        Path("/nowhere/cpython-3.13.9"), find_platform("linux-x86_64")
    ),
    Code.RELEASES_UNREADABLE: lambda: parse_checksums(
        b"<html>Log in</html>\n", "https://mirror.example.com/20261021"
    ),
    Code.LOCK_UNREADABLE: lambda: Lock.parse('lock-version = "1.0"\nname = 3\n', "lift.lock"),
    Code.BUILD_NOT_ALLOWED: lambda: _raise(forbidden("calf", "calf-1.0.tar.gz")),
    Code.BUILD_FAILED: _build_failed,
    Code.NOT_PINNABLE: lambda: _raise(unpinnable("calf", "git+https://example.com/calf")),
    Code.PYLOCK_UNUSABLE: lambda: read_pylock(Path("pylock.toml"), None),  # type: ignore[arg-type]
    Code.OFFLINE: _offline,
    Code.TLS_REFUSED: _untrusted,
    Code.NETWORK_SETTING: lambda: Network.of(environ={"CZSCIE_NET_DEADLINE": "soon"}),
    Code.FILE_UNREADABLE: lambda: read_scie(Path("none")),
    Code.OUTPUT_EXISTS: _output_exists,
    Code.CACHE_UNUSABLE: _cache,
    Code.SYSTEM_REFUSES: lambda: _raise(
        failure(OSError(errno.ENOENT, "No such file or directory", "/no/such/file"))
    ),
    Code.NOT_AN_EXECUTABLE: _not_a_scie,
    Code.EXECUTABLE_DAMAGED: lambda: Manifest.parse(b"{}", "dist/app"),
    Code.OTHER_VERSION: lambda: Lock.parse('lock-version = "0.9"\n', "lift.lock"),
    Code.LIBC_UNAVAILABLE: lambda: host_loader(find_platform("macos-aarch64")),
    Code.TOO_LARGE: lambda: check_size(1 << 32, "dist/app.exe"),
    Code.ICON_INVALID: _icon,
    Code.IMAGE_PLATFORM: _image_platform,
    Code.BASE_IMAGE: _base_image,
    Code.VENDOR_UNUSABLE: _vendor,
    Code.SEVERAL: _several,
    Code.CRASH: lambda: _raise(failure(ZeroDivisionError("division by zero"))),
}
