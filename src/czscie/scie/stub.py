"""A stub: an executable of a permanent installation, which starts the application in its directory.

It is a launcher and a manifest in which every part has 0 bytes. On a user's machine the tool `install` writes
it (native/src/tools/stub.zig).
"""

from __future__ import annotations

import hashlib
import io

import msgspec

from czscie import mach_o, pe, signature
from czscie.container import zip as zip_records
from czscie.container.manifest import FORMAT, Launcher, LiftManifest, Manifest, Scie


def stub(launcher: bytes, version: str, lift: LiftManifest, base: str, command: str | None) -> bytes:
    """The executable that starts `command` of `lift`, whose parts are installed in the directory `base`.

    `version` is that of `launcher`. Without `command` it starts what the first argument names. Raises
    CzscieError when the manifest is too long.
    """
    commands = dict(lift.boot.commands)
    if command is not None:
        commands[""] = commands[command]
    boot = msgspec.structs.replace(lift.boot, commands=commands)
    parts = tuple(msgspec.structs.replace(part, offset=0, size=0) for part in lift.files)
    there = msgspec.structs.replace(lift, files=parts, boot=boot, base=base)
    jump = Launcher(version, len(launcher), hashlib.sha256(launcher).hexdigest())
    manifest = Manifest(Scie(FORMAT, jump, there))
    alignment = signature.ALIGNMENT if signature.is_signable(launcher) else 1
    whole = launcher + zip_records.last_directory([], len(launcher), manifest.render(), alignment)
    if mach_o.is_mach_o(launcher):
        return mach_o.signed(whole, lift.name)
    if pe.is_pe(launcher):
        file = io.BytesIO(whole)
        pe.seal(file)
        return file.getvalue()
    return whole
