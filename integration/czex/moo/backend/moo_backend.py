"""A build backend (PEP 517) that needs nothing: everything a wheel can hold, in one small wheel."""

import base64
import hashlib
import zipfile
from pathlib import Path

_DIST_INFO = "moo-1.0.dist-info"
_METADATA = """\
Metadata-Version: 2.1
Name: moo
Version: 1.0
Requires-Python: >=3.8
Provides-Extra: bell
Requires-Dist: moo-bell>=1 ; extra == "bell"
"""
_WHEEL = """\
Wheel-Version: 1.0
Root-Is-Purelib: true
Tag: py3-none-any
"""
_ENTRY_POINTS = """\
[console_scripts]
moo = moo:main

[gui_scripts]
moo-window = moo.window:Window.open
"""
_PROGRAMS = (".sh", "moo-script")


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    tree = Path(__file__).parent.parent / "src"
    files = {
        path.relative_to(tree).as_posix(): path.read_bytes()
        for path in sorted(tree.rglob("*"))
        if path.is_file() and path.suffix != ".pyc"
    }
    files[f"{_DIST_INFO}/METADATA"] = _METADATA.encode()
    files[f"{_DIST_INFO}/WHEEL"] = _WHEEL.encode()
    files[f"{_DIST_INFO}/entry_points.txt"] = _ENTRY_POINTS.encode()
    record = "".join(f"{path},sha256={_digest(data)},{len(data)}\n" for path, data in files.items())
    files[f"{_DIST_INFO}/RECORD"] = f"{record}{_DIST_INFO}/RECORD,,\n".encode()
    name = "moo-1.0-py3-none-any.whl"
    with zipfile.ZipFile(Path(wheel_directory, name), "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files.items():
            info = zipfile.ZipInfo(path)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = (0o100755 if path.endswith(_PROGRAMS) else 0o100644) << 16
            archive.writestr(info, data)
    return name


def _digest(data):
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
